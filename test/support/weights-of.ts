/** Weights of given shapes, counted up from 1. */
import {
  bytesSource,
  openWeights,
  type Weights,
  writeSafetensors,
} from "../../runtime/weights/index.ts";

export function weightsOf(shapes: Readonly<Record<string, readonly number[]>>): Promise<Weights> {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = new Uint8Array(Float32Array.from({ length: count }, (_, i) => i + 1).buffer);
    return [name, { dtype: "f32" as const, shape, data }] as const;
  });
  return openWeights(bytesSource("test.safetensors", writeSafetensors(new Map(tensors), {})));
}
