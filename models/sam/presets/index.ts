/** Adapters on SAM: the methods that name its parameters, where the others work, and the published table. */
export { houlsbyPlaces, pfeifferPlaces, qkvPlaces, ssfPlaces } from "./places.ts";
export { type PublishedMethod, publishedMethods } from "./published.ts";
export { bitFit, decoderOnly, layerNormTuning, wholeEncoder } from "./tuning.ts";
