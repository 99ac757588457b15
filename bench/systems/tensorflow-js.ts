/** TensorFlow.js with its WebGPU backend on Dawn, or its backend of WebAssembly: ops one by one, as it works. */
import type { Runner } from "../measure/comparison.ts";
import { type BrowserBackend, provideBackend, resting } from "./browser-gpu.ts";
import type { Fed } from "./onnx-runtime.ts";
import { loadPeer } from "./peers.ts";

export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface Tf {
  setBackend(name: BrowserBackend): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  tidy(work: () => TfTensor): TfTensor;
  tensor(values: Float32Array, shape: readonly number[]): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  add(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: number): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, order: readonly number[]): TfTensor;
  softmax(x: TfTensor): TfTensor;
}

export type TfFunction = (...operands: TfTensor[]) => TfTensor;

/** As for jax-js: operands are the inputs, then the weights, which stay on the device. */
export async function openTensorflow(
  backend: BrowserBackend,
  build: (tf: Tf) => TfFunction,
  inputs: readonly Fed[],
  weights: readonly Fed[],
): Promise<Runner> {
  provideBackend(backend);
  const tf = loadPeer<Tf>("@tensorflow/tfjs-core");
  loadPeer(`@tensorflow/tfjs-backend-${backend}`);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js chose ${tf.getBackend()}`);
  await tf.ready();
  const compute = build(tf);
  const place = ({ data, shape }: Fed) => tf.tensor(data, shape);
  const kept = weights.map(place);
  return {
    async run() {
      const result = tf.tidy(() => compute(...inputs.map(place), ...kept));
      const values = await resting(result.data());
      result.dispose();
      return values;
    },
    close: () => {
      for (const w of kept) w.dispose();
    },
  };
}
