/** The term `orthogonal_reg`: the mean over layers of their factors' distance from orthonormal. */
import type { Site, Tensor } from "../compiler/index.ts";
import { mul } from "../ops/index.ts";
import { type TuckerFactors, tuckerOrthogonality } from "./terms.ts";

/** Cores whose layer has been counted. */
const counted = new WeakSet<Tensor>();

/**
 * Takes the factors of one more layer into the mean. A model that computes several tasks passes a
 * layer several times; it counts once. Layers of one adapter have equally many factors, so that the
 * mean of their means is the mean over all factors, as published.
 */
export function addOrthogonality(site: Site, factors: TuckerFactors, weight: number): void {
  if (counted.has(factors.core)) return;
  counted.add(factors.core);
  site.term("orthogonal_reg", mul(tuckerOrthogonality([factors]), weight), "mean");
}
