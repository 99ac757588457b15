/** Optimisers as graphs over one packed arena. */
export { type AdamOptions, adam, adamW } from "./adam.ts";
export type { Optimiser, TensorSite, Update, UpdateSite } from "./optimiser.ts";
export { type SgdOptions, sgd } from "./sgd.ts";
