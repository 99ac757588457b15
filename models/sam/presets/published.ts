/** The methods that Conv-LoRA's paper compares, in its settings: what `inarch params` counts. */
import { convLora } from "../../../adapters/conv-lora.ts";
import { houlsby } from "../../../adapters/houlsby.ts";
import { lora } from "../../../adapters/lora.ts";
import { lst } from "../../../adapters/lst.ts";
import { pfeiffer } from "../../../adapters/pfeiffer.ts";
import { samAdapter } from "../../../adapters/sam-adapter.ts";
import { ssf } from "../../../adapters/ssf.ts";
import { vptDeep, vptShallow } from "../../../adapters/vpt.ts";
import type { Adapter } from "../../../compiler/index.ts";
import { houlsbyPlaces, pfeifferPlaces, qkvPlaces, ssfPlaces } from "./places.ts";
import { bitFit, decoderOnly, layerNormTuning } from "./tuning.ts";

export interface PublishedMethod {
  readonly name: string;
  /** What is grafted on SAM for semantic segmentation, one after another. */
  readonly adapters: readonly { readonly adapter: Adapter; readonly where: readonly string[] }[];
  /** Millions of trainable parameters on ViT-H as printed; undefined where the paper has none. */
  readonly millions?: number;
}

const everywhere = ["**"];

/** With the mask decoder, which trains in all of them. */
const method = (name: string, adapter: Adapter, where: readonly string[], millions?: number) => ({
  name,
  adapters: [
    { adapter: decoderOnly(), where: everywhere },
    { adapter, where },
  ],
  ...(millions === undefined ? {} : { millions }),
});

/** In the order of the paper's table, then the related methods that it leaves out. */
export const publishedMethods = (): readonly PublishedMethod[] => [
  {
    name: "decoder-only",
    adapters: [{ adapter: decoderOnly(), where: everywhere }],
    millions: 3.51,
  },
  method("bitfit", bitFit(), everywhere, 3.96),
  method("adapter", houlsby(), houlsbyPlaces, 3.92),
  method("vpt-deep", vptDeep(), everywhere, 4.0),
  method("lst", lst(), everywhere, 11.49),
  method("sam-adapter", samAdapter(), everywhere, 3.98),
  method("ssf", ssf(), ssfPlaces, 4.42),
  method("lora", lora(), qkvPlaces, 4.0),
  method("conv-lora", convLora(), qkvPlaces, 4.02),
  method("vpt-shallow", vptShallow(), everywhere),
  method("pfeiffer", pfeiffer(), pfeifferPlaces),
  method("layer-norm", layerNormTuning(), everywhere),
];
