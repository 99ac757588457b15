/** jax-js on Dawn or WebAssembly: what is measured is one call of a function under `jit`. */
import type { Runner } from "../measure/comparison.ts";
import { type BrowserBackend, provideBackend, resting } from "./browser-gpu.ts";
import type { Fed } from "./onnx-runtime.ts";
import { loadPeer } from "./peers.ts";

/** An array of jax-js: using it takes it, unless `ref` is what is used. */
export interface JaxArray {
  readonly ref: JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  add(other: JaxArray): JaxArray;
  mul(factor: number): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface Jax {
  init(): Promise<readonly string[]>;
  defaultDevice(device: BrowserBackend): void;
  jit<F>(of: F): F;
  readonly numpy: {
    array(values: Float32Array): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    transpose(x: JaxArray, order: readonly number[]): JaxArray;
    /** Operands each followed by the numbers of its axes, then those of the result. */
    einsum(...operandsAndAxes: readonly (JaxArray | readonly number[])[]): JaxArray;
  };
  readonly nn: { softmax(x: JaxArray, axis: number): JaxArray };
}

/** Its operands are the inputs, then the weights: as many as it is opened with. */
export type JaxFunction = (...operands: JaxArray[]) => JaxArray;

/**
 * `build` writes the function in jax-js's own words; its operands are the inputs, then the weights.
 * Weights are put on the device once, inputs in every run.
 */
export async function openJax(
  backend: BrowserBackend,
  build: (jax: Jax) => JaxFunction,
  inputs: readonly Fed[],
  weights: readonly Fed[],
): Promise<Runner> {
  provideBackend(backend);
  const jax = loadPeer<Jax>("@jax-js/jax");
  const devices = await jax.init();
  if (!devices.includes(backend)) throw new Error(`jax-js finds ${devices.join(", ")} alone`);
  jax.defaultDevice(backend);
  const compiled = jax.jit(build(jax));
  const place = ({ data, shape }: Fed) => jax.numpy.array(data).reshape(shape);
  const kept = weights.map(place);
  return {
    run: () => resting(compiled(...inputs.map(place), ...kept.map((w) => w.ref)).data()),
    close: () => {
      for (const w of kept) w.dispose();
    },
  };
}
