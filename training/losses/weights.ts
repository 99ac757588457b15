/**
 * Weights of pixels: what losses count each pixel with. One of weight 0 counts nothing and sends no gradient,
 * whatever logits and targets hold there; one of weight 2 counts as two would.
 */
import { refuse, show, type Tensor } from "../../compiler/op-kit.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { div, full, gt, mean, mul, sum, where } from "../../ops/index.ts";
import { wholeBatch } from "../whole-batch.ts";
import { askOfInput } from "./targets.ts";

export interface PixelWeights {
  /** f32, 0 or more, of the target's shape or with one channel: void and padding have 0. 1 unless given. */
  readonly weight?: Tensor | undefined;
}

/** How a loss adds pixels up. */
export interface Counting {
  /** Whether a pixel counts; unless given all do. */
  readonly counts?: Tensor<"bool">;
  /** What each pixel adds. */
  each(map: Tensor): Tensor;
  /** A map with zeros where pixels do not count. */
  seen(map: Tensor): Tensor;
  /** The weighted mean over all pixels; 0 where none counts. In a step of parts their mean is that of the whole batch. */
  mean(map: Tensor): Tensor<"f32">;
  /** The weighted mean over all pixels of the whole batch. */
  wholeMean(map: Tensor): Tensor<"f32">;
}

const evenly: Counting = {
  each: (map) => map,
  seen: (map) => map,
  mean: (map) => mean(map) as Tensor<"f32">,
  wholeMean: (map) => wholeBatch(mean(map)),
};

/** `total / weights`, and 0 where the weights are 0. */
export const perWeight = (total: Tensor, weights: Tensor): Tensor =>
  div(total, where(gt(weights, 0) as Tensor<"bool">, weights, 1) as Tensor) as Tensor;

/** How pixels of a shape count. Throws E101 for weights of another shape, E460 for another option. */
export function countingOf(
  name: string,
  shape: readonly number[],
  options: PixelWeights,
): Counting {
  checkOptions<PixelWeights>(name, options, { weight: true });
  const { weight } = options;
  if (weight === undefined) return evenly;
  const fits = (given: readonly number[]) => weight.shape.join() === given.join();
  if (
    weight.dtype !== "f32" ||
    !(fits(shape) || (shape.length === 4 && fits([shape[0]!, 1, ...shape.slice(2)])))
  )
    refuse(
      name,
      [weight],
      `the weights are ${show(weight.type)}`,
      `they are f32[${shape.join(", ")}], as the target is, or have one channel`,
    );
  askOfInput(weight, { kind: "weights" });
  const own: Tensor = fits(shape) ? weight : mul(full(1, shape), weight);
  const counts = gt(own, 0) as Tensor<"bool">;
  const seen = (map: Tensor): Tensor => where(counts, map, 0) as Tensor;
  const each = (map: Tensor): Tensor => where(counts, mul(map, own) as Tensor, 0) as Tensor;
  const all: Tensor = wholeBatch(sum(seen(own)));
  const mean = (map: Tensor) => perWeight(sum(each(map)) as Tensor, all) as Tensor<"f32">;
  const wholeMean = (map: Tensor) => perWeight(wholeBatch(sum(each(map))), all) as Tensor<"f32">;
  return { counts, each, seen, mean, wholeMean };
}
