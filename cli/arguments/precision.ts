/** `--precision f32|mixed`: what the commands that compile call the flag. */
import type { Precision } from "../../compiler/storage/formats.ts";

export const precisionFlag = {
  type: "enum" as const,
  options: ["f32", "mixed"] as Precision[],
  default: "f32" as const,
  description:
    "mixed stores large tensors as halves; for limits without halves the frozen parameters alone",
};
