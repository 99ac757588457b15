/**
 * ONNX Runtime in Node. Its package for Linux holds the WebGPU provider: a Dawn of its own, which waits
 * on a thread of its own; that for browsers computes in WebAssembly, in Node too. Inputs come from the host and results go there, as ours.
 */
import type { Runner } from "../measure/comparison.ts";
import { loadPeer } from "./peers.ts";

export interface Ort {
  readonly provider: "webgpu" | "cpu" | "wasm";
  /** As many as it likes unless given. */
  readonly threads?: number | undefined;
}

interface OrtTensor {
  readonly data: Float32Array;
}

interface OrtSession {
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

interface OrtPackage {
  /** Of the package for browsers. */
  readonly env: { readonly wasm: { numThreads?: number } };
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<OrtSession>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => OrtTensor;
}

/** An input's elements and shape. */
export interface Fed {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Opens an ONNX file of one output, with all optimisations that the runtime has. */
export async function openOnnxRuntime(
  model: Uint8Array,
  { provider, threads }: Ort,
  inputs: Readonly<Record<string, Fed>>,
): Promise<Runner> {
  const ort = loadPeer<OrtPackage>(provider === "wasm" ? "onnxruntime-web" : "onnxruntime-node");
  if (provider === "wasm" && threads !== undefined) ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    graphOptimizationLevel: "all",
    // Errors alone: it warns of every node that it leaves to the CPU on purpose.
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads, interOpNumThreads: 1 }),
  });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { data, shape }]) => [
      name,
      new ort.Tensor("float32", data, shape),
    ]),
  );
  return {
    run: async () => (await session.run(feeds))[session.outputNames[0]!]!.data,
    close: () => session.release(),
  };
}
