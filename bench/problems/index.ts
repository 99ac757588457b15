/** Everything that is compared, in the order of the table. Making the list computes nothing. */
import type { Comparison } from "../measure/comparison.ts";
import { adapterCosts } from "./adapters.ts";
import { attentions } from "./attention.ts";
import { encoders } from "./encoder.ts";
import { matmuls } from "./matmul.ts";
import { trainingSteps } from "./step.ts";

export const comparisons = (): Comparison[] => [
  ...matmuls(),
  ...attentions(),
  ...encoders(),
  ...adapterCosts(),
  ...trainingSteps(),
];

export const findComparison = (name: string): Comparison | undefined =>
  comparisons().find((c) => c.name === name);
