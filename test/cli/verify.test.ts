/** `npm run verify`: what it prints, and its exit code. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runVerify } from "../../cli/verify.ts";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { fixturePath, readAll, refusal } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-verify-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const resample = fixturePath("resample.safetensors");

/** The exit code, and what is printed. */
async function run(...args: string[]) {
  let printed = "";
  const code = await runVerify([...args, "--device", "reference"], (text) => {
    printed += text;
  });
  return { code, printed };
}

test("prints a line for each tensor and returns 0", async () => {
  const { code, printed } = await run(resample);
  expect(code).toBe(0);
  expect(printed).toMatch(/^ {2}ok {5}bicubic_up3\/y +relative error \S+ \(at most 1e-4\)$/m);
  expect(printed).toMatch(/^16 right, 0 past their tolerance$/m);
});

test("returns 1 when a number is wrong", async () => {
  const weights = await openWeightsFile(resample);
  const tensors = await readAll(weights);
  await weights.close();
  new Float32Array(tensors.get("bilinear_up/y")!.data.buffer)[0] = Number.NaN;
  const file = join(folder, "wrong.safetensors");
  writeFileSync(file, writeSafetensors(tensors, { ...weights.metadata }));
  const { code, printed } = await run(file);
  expect(code).toBe(1);
  expect(printed).toMatch(/^ {2}FAILED bilinear_up\/y/m);
});

test("prints JSON for programs", async () => {
  const { printed } = await run(resample, "--json");
  expect(JSON.parse(printed)).toMatchObject({ passed: true, files: [{ kind: "resample" }] });
});

test.each([[[]], [[resample, "--device", "cpu"]], [[resample, "--tolerance", "1"]]])(
  "E370 for %j",
  async (args) => {
    expect((await refusal(() => runVerify(args))).code).toBe("E370");
  },
);
