/** Inputs and weights that every process makes for itself, equal everywhere. */
import { hashedTensor } from "../../models/sam/hashed.ts";
import { floatEntry, makeWeights, type Weights } from "../../runtime/weights/index.ts";
import { generator } from "../measure/rounds.ts";

/** `count` numbers, uniform from -1 to 1. */
export function numbers(seed: number, count: number): Float32Array<ArrayBuffer> {
  const random = generator(seed);
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

type Values = Float32Array<ArrayBuffer>;

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Weights for parameters: those that `own` knows, others hashed from their names. */
export function weightsFor(
  parameters: readonly NamedShape[],
  own: (name: string, shape: readonly number[]) => Values | undefined = () => undefined,
): Weights {
  const tensors = new Map(parameters.map(({ name, shape }) => [name, floatEntry(shape)]));
  return makeWeights({
    source: "weights of the benchmark",
    tensors,
    metadata: {},
    async *stream(name, elements) {
      const { shape } = tensors.get(name)!;
      const values = own(name, shape) ?? hashedTensor("bench", name, shape);
      for (let start = 0; start < values.length; start += elements)
        yield new Uint8Array(values.slice(start, start + elements).buffer);
    },
    close: async () => {},
  });
}
