/** What adapters draw anew at every step of training. */
import type { Site, Tensor } from "../compiler/index.ts";
import { ge, mul, where } from "../ops/index.ts";

/**
 * Random numbers of a place. A model of several tasks passes a place once for each: they differ. Along the first axis
 * pictures follow one another: in a step of several parts a picture has the numbers that it has in the whole batch.
 */
export function draw(
  site: Site,
  distribution: "normal" | "uniform",
  name: string,
  shape: readonly number[],
): Tensor<"f32"> {
  const own = site.task === undefined ? name : `${name}.${site.task}`;
  return site.random(distribution, own, shape);
}

/**
 * Elements of x set to 0 at a rate from 0 up to, but not, 1; the others are scaled by 1 / (1 -
 * rate).
 */
export function dropped(site: Site, x: Tensor<"f32">, rate: number): Tensor<"f32"> {
  if (!site.training || rate === 0) return x;
  const kept = ge(draw(site, "uniform", "dropout", x.shape as readonly number[]), rate);
  return where(kept, mul(x, 1 / (1 - rate)), 0);
}
