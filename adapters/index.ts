/** Every adapter, and how an adapter of one's own is defined. */
export { defineAdapter, type Heads, type Kinds, site } from "./adapter.ts";
export { bitFit } from "./bitfit.ts";
export { type ConvLoraOptions, convLora } from "./conv-lora.ts";
export { decoderOnly } from "./decoder-only.ts";
export { type Expert, plainExpert } from "./experts.ts";
export { highPass } from "./high-pass.ts";
export { type HoulsbyOptions, houlsby, houlsbyPlaces } from "./houlsby.ts";
export { layerNormTuning } from "./layer-norm-tuning.ts";
export { type LoraOptions, lora } from "./lora.ts";
export { type LstOptions, lst } from "./lst.ts";
export { type PfeifferOptions, pfeiffer, pfeifferPlaces } from "./pfeiffer.ts";
export { type PublishedMethod, publishedMethods } from "./published.ts";
export { type SamAdapterOptions, samAdapter } from "./sam-adapter.ts";
export { ssf, ssfPlaces } from "./ssf.ts";
export { type TaLoraOptions, taLora } from "./ta-lora.ts";
export {
  balanceWeight,
  gateBalance,
  type NoisyGate,
  orthogonality,
  type TuckerFactors,
  tuckerOrthogonality,
} from "./terms.ts";
export type { Third } from "./thirds.ts";
export { type VptOptions, vptDeep, vptShallow } from "./vpt.ts";
