/** Everything that is compared, in the order of the table. Making the list computes nothing. */
import type { Comparison } from "../measure/comparison.ts";
import { type Place, pauseAt, placesAsked } from "../measure/place.ts";
import { adapterCosts } from "./adapters.ts";
import { attentions } from "./attention.ts";
import { encoders } from "./encoder.ts";
import { matmuls } from "./matmul.ts";
import { trainingSteps } from "./step.ts";

const problems = [matmuls, attentions, encoders, adapterCosts, trainingSteps];

export const comparisons = (places: readonly Place[] = placesAsked()): Comparison[] =>
  problems.flatMap((problem) =>
    places.flatMap((place) =>
      problem(place).map((comparison) => ({ ...comparison, ...pauseAt(place) })),
    ),
  );

export const findComparison = (name: string): Comparison | undefined =>
  comparisons().find((c) => c.name === name);
