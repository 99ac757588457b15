/** `inarch verify`: what it prints, and its exit code. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { fixturePath, readAll } from "../support/weights-files.ts";

const folder = scratchFolder("verify");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

const resample = fixturePath("resample.safetensors");
const verify = (...args: readonly string[]) =>
  inarch(["verify", ...args, "--device", "reference"], folder);

test("prints a line for each tensor and ends with 0", async () => {
  const { code, stdout } = await verify(resample);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}ok {5}bicubic_up3\/y +relative error \S+ \(at most 1e-4\)$/m);
  expect(stdout).toMatch(/^16 right, 0 past their tolerance$/m);
});

test("ends with 1 when a number is wrong, in any of the files", async () => {
  const weights = await openWeightsFile(resample);
  const tensors = await readAll(weights);
  await weights.close();
  new Float32Array(tensors.get("bilinear_up/y")!.data.buffer)[0] = Number.NaN;
  writeFileSync(
    join(folder, "wrong.safetensors"),
    writeSafetensors(tensors, { ...weights.metadata }),
  );
  const { code, stdout } = await verify(resample, "wrong.safetensors");
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ {2}FAILED bilinear_up\/y/m);
  expect(stdout).toMatch(/^31 right, 1 past their tolerance$/m);
});

test("prints JSON for programs, and nothing else", async () => {
  const { stdout } = await verify(resample, "--json");
  expect(JSON.parse(stdout)).toMatchObject({ passed: true, files: [{ kind: "resample" }] });
});

test.each<[string, readonly string[]]>([
  ["E502", []],
  ["E503", [resample, "--device", "tpu"]],
  ["E501", [resample, "--tolerance", "1"]],
])("%s for %j", async (expected, args) => {
  const { code, stderr } = await inarch(["verify", ...args]);
  expect(stderr).toContain(`error[${expected}]`);
  expect(code).toBe(1);
});
