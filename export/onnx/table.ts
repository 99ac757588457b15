/** Which op is spelled how. What is not here has no spelling: derivatives, noise, assignment. */
import type { Op } from "../../compiler/op-kit.ts";
import { attentions } from "./attention.ts";
import { elementwise } from "./elementwise.ts";
import { products } from "./products.ts";
import { resamplings } from "./resampling.ts";
import { scaledConvolutions } from "./scaled-convolution.ts";
import type { Spelling } from "./spelling.ts";
import { sums } from "./sums.ts";
import { views } from "./views.ts";

const table: ReadonlyMap<Op, Spelling> = new Map([
  ...elementwise,
  ...sums,
  ...products,
  ...attentions,
  ...views,
  ...resamplings,
  ...scaledConvolutions,
]);

export const spellingOf = (op: Op): Spelling | undefined => table.get(op);
