/**
 * Every reference file and every published run of training on the processor device, which needs nothing: the
 * kernels are those that it runs elsewhere, in lanes.
 */
import { expect, test } from "vitest";
import { verify } from "../../verify/verify.ts";
import { referenceFiles } from "../support/reference-files.ts";
import { fixturePath } from "../support/weights-files.ts";

test.each(referenceFiles)("%s: all %i numbers are right", async (name, count) => {
  const report = await verify({ files: [fixturePath(`${name}.safetensors`)], device: "cpu" });
  const checks = report.files.flatMap((file) => file.checks);
  expect(checks.filter((check) => !check.passed)).toEqual([]);
  expect(checks.length).toBe(count);
});
