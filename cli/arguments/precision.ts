/** `--precision f32|mixed`: what the commands that compile call the flag. */
import type { Precision } from "../../compiler/storage/formats.ts";

const options: readonly Precision[] = ["f32", "mixed"];

export const precisionFlag = {
  type: "enum",
  options,
  default: "f32",
  description:
    "mixed stores large tensors as halves; for limits without halves the frozen parameters alone",
} as const;
