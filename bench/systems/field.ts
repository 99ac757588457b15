/** Which peers stand beside us, by the place: those that compute there in Node. */
import type { Contestant, Runner } from "../measure/comparison.ts";
import { isProcessor, type Place } from "../measure/place.ts";
import type { BrowserBackend } from "./browser-gpu.ts";
import type { Ort } from "./onnx-runtime.ts";

/** A program as the users of each peer would write it; without one of them, that peer stands aside. */
export interface Spellings {
  readonly onnx: (ort: Ort) => Promise<Runner>;
  readonly jax?: (backend: BrowserBackend) => Promise<Runner>;
  readonly tensorflow?: (backend: BrowserBackend) => Promise<Runner>;
}

export function peersAt(place: Place, { onnx, jax, tensorflow }: Spellings): Contestant[] {
  const { threads } = place;
  const cpu: Contestant = {
    name: "ONNX Runtime CPU",
    process: "ort-cpu",
    open: () => onnx({ provider: "cpu", threads }),
  };
  const [words, backend]: [string, BrowserBackend] = isProcessor(place)
    ? ["wasm", "wasm"]
    : ["WebGPU", "webgpu"];
  const ort: Contestant = {
    name: `ONNX Runtime ${words}`,
    process: `ort-${backend}`,
    open: () => onnx({ provider: backend, threads }),
  };
  // With wasm, both have a single thread in Node.
  const others =
    isProcessor(place) && threads !== 1
      ? []
      : [
          { name: "jax-js", spelled: jax },
          { name: "TensorFlow.js", spelled: tensorflow },
        ];
  return [
    ort,
    ...others.flatMap(({ name, spelled }) =>
      spelled ? [{ name: `${name} ${words}`, process: name, open: () => spelled(backend) }] : [],
    ),
    cpu,
  ];
}

/** ONNX Runtime alone, for its results. */
export const checkerAt = ({ threads }: Place, of: string, onnx: Spellings["onnx"]): Contestant => ({
  name: `${of} (ONNX Runtime CPU)`,
  process: "ort-cpu",
  open: () => onnx({ provider: "cpu", threads }),
});
