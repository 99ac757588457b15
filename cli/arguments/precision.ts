/** `--precision f32|mixed|bf16`, `--weight-format f32|f16|…`: what commands that compile call these flags. */
import type { Precision } from "../../compiler/storage/formats.ts";
import { type WeightFormat, weightFormats } from "../../formats/index.ts";

const options: readonly Precision[] = ["f32", "mixed", "bf16"];

export const precisionFlags = {
  precision: {
    type: "enum",
    options,
    default: "f32",
    description:
      "mixed stores large tensors as halves, bf16 in bfloat16; where a device cannot write those the frozen parameters alone",
  },
  "weight-format": {
    type: "enum",
    options: weightFormats,
    description:
      "what all frozen parameters are stored in on the device, files keep f32; unless given --precision says",
  },
} as const;

/** What the flags say, as options of compiling. */
export const precisionOf = (given: {
  readonly precision: Precision;
  readonly "weight-format"?: WeightFormat | undefined;
}) => ({ precision: given.precision, weightFormat: given["weight-format"] });
