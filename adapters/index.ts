/** Every adapter that fits any model, and how an adapter of one's own is defined. */
export { defineAdapter, type Heads, type Kinds, site } from "./adapter.ts";
export { type ConvLoraOptions, convLora } from "./conv-lora.ts";
export { type Expert, plainExpert } from "./experts.ts";
export { highPass } from "./high-pass.ts";
export { type HoulsbyOptions, houlsby } from "./houlsby.ts";
export { type LoraOptions, lora } from "./lora.ts";
export { type LstOptions, lst } from "./lst.ts";
export { type MtanOptions, mtan } from "./mtan.ts";
export { type PfeifferOptions, pfeiffer } from "./pfeiffer.ts";
export type { QkvPart } from "./qkv-parts.ts";
export { type SamAdapterOptions, samAdapter } from "./sam-adapter.ts";
export { type AdapterSample, type AdapterTests, sampleModel } from "./samples.ts";
export { ssf } from "./ssf.ts";
export { type TaLoraOptions, taLora } from "./ta-lora.ts";
export {
  balanceWeight,
  gateBalance,
  type NoisyGate,
  orthogonality,
  type TuckerFactors,
  tuckerOrthogonality,
} from "./terms.ts";
export { type VeraOptions, vera } from "./vera.ts";
export { type VptOptions, vptDeep, vptShallow } from "./vpt.ts";
