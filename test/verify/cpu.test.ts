/**
 * Every reference file and every published run of training on the processor device, which needs nothing: the
 * kernels are those that it runs elsewhere, in lanes.
 */
import { expect, test } from "vitest";
import { verify } from "../../verify/verify.ts";
import { fixturePath } from "../support/weights-files.ts";

test.each([
  ["resample", 16],
  ["structure_loss", 4],
  ["conv_lora", 90],
  ["ta_lora", 63],
  ["sam_nano", 34],
  ["sam_nano_padded", 35],
  ["train_lora", 197],
  ["train_conv_lora", 311],
  ["msam_ta_lora_train", 717],
])("%s: all %i numbers are right", async (name, count) => {
  const report = await verify({ files: [fixturePath(`${name}.safetensors`)], device: "cpu" });
  const checks = report.files.flatMap((file) => file.checks);
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(checks.length).toBe(count);
});
