/** Every reference file and every published run of training as C. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { verify } from "../../verify/verify.ts";
import { describeNative, quickCompiler } from "../support/native.ts";
import { referenceFiles } from "../support/reference-files.ts";
import { fixturePath } from "../support/weights-files.ts";

describeNative("on the native device", () => {
  beforeAll(() => void vi.stubEnv("INARCH_CC", quickCompiler()));
  afterAll(() => vi.unstubAllEnvs());

  test.each(referenceFiles)("%s: all %i numbers are right", async (name, count) => {
    const report = await verify({ files: [fixturePath(`${name}.safetensors`)], device: "native" });
    const checks = report.files.flatMap((file) => file.checks);
    expect(checks.filter((check) => !check.passed)).toEqual([]);
    expect(checks.length).toBe(count);
  });
});
