/**
 * What an optimiser is: a composition of ops over one packed arena of all trainable tensors.
 *
 * The arena is f32 [chunks, 64]: each tensor begins at a chunk, and the rest of its last chunk is
 * zeros, which every update must leave zeros. What differs from tensor to tensor (rates, decays,
 * bias corrections by its own count of updates) is computed once for each chunk.
 */
import type { Tensor } from "../../compiler/index.ts";
import { add, full, mul, oneMinusPower } from "../../ops/index.ts";

type Floats = Tensor<"f32">;

export interface Optimiser {
  readonly name: string;
  /** The states it keeps beside the parameters, each as large as them. */
  readonly moments: readonly string[];
  /** Its settings, for reports and files. `decay` is a default: the update takes it per group. */
  readonly options: Readonly<Record<string, number | readonly number[]>>;
  /** The numbers of a chunk that the update needs: f32 [chunks, 1] each. */
  factors(site: TensorSite): readonly Floats[];
  update(site: UpdateSite): Update;
}

/** What is known of the tensor of each chunk: f32 [chunks, 1] each. */
export interface TensorSite {
  readonly rate: Floats;
  readonly decay: Floats;
  /** How many updates of its own the tensor has had, this one included: 1 or more. */
  readonly steps: Floats;
}

/** All tensors side by side: f32 [chunks, 64], and the optimiser's factors as f32 [chunks, 1]. */
export interface UpdateSite {
  readonly parameters: Floats;
  readonly gradients: Floats;
  readonly moments: readonly Floats[];
  readonly factors: readonly Floats[];
}

export interface Update {
  readonly parameters: Floats;
  readonly moments: readonly Floats[];
}

/** 1 - beta^steps: what is missing from a moving average that began with zeros. */
export const biasCorrection = (beta: number, steps: Floats): Floats =>
  beta === 0 ? (full(1, steps.shape) as Floats) : oneMinusPower(steps, beta);

/** average + (1 - beta) (value - average), where zeros stay zeros. */
export const movingAverage = (average: Floats, beta: number, value: Floats): Floats =>
  add(mul(average, beta), mul(value, 1 - beta));
