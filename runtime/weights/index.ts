/** Reading and writing checkpoints. */
export { bfloatToFloat, floatToBfloat, floatToHalf, halfToFloat } from "../../formats/index.ts";
export { type AdapterFile, type FileAdapter, readAdapterFile } from "./adapter-file.ts";
export {
  type Dtype,
  type FloatDtype,
  fromFloat32,
  isFloat,
  itemBytes,
  largestFinite,
  toFloat32,
} from "./dtype.ts";
export { checkFinite, findNonFinite, type NonFinite, notFinite, watchFinite } from "./finite.ts";
export { refuseForeign } from "./foreign-adapters.ts";
export { openHash } from "./hash.ts";
export { openWeights } from "./open.ts";
export { fitNames, isWrapped, seenAs, type Unprefixed, withoutPrefix } from "./prefix.ts";
export { checkFloats } from "./quantised.ts";
export { openSafetensors } from "./safetensors.ts";
export {
  type ByteSink,
  planSafetensors,
  type SafetensorsPlan,
  streamSafetensors,
  type TensorPlan,
  writeSafetensors,
  writeWithChecksums,
} from "./safetensors-write.ts";
export { type ByteSource, blobSource, bytesSource } from "./source.ts";
export { type OpenWeightsOptions, openTorch } from "./torch.ts";
export {
  floatEntry,
  makeWeights,
  namedBy,
  renameWeights,
  type TensorData,
  type TensorEntry,
  type TensorReader,
  type Weights,
} from "./weights.ts";
