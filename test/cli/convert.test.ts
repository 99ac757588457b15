/** `inarch convert`: the file that it writes, and its report. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPackage, inarch, scratchFolder } from "../support/command-line.ts";
import { fixturePath } from "../support/weights-files.ts";

const folder = scratchFolder("convert");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);

const names = ["--names", "hf", "--dtype", "f16"];

test("the command writes the file and prints a report", async () => {
  const args = ["convert", fixturePath("sam_nano.pth"), "said.safetensors", ...names];
  const { stdout, stderr } = await inarch([...args, "--json"], folder);
  const { length } = readFileSync(join(folder, "said.safetensors"));
  const report = { output: "said.safetensors", tensors: 203, bytes: length, prefix: null };
  expect(JSON.parse(stdout)).toEqual(report);
  expect(stderr).toBe("");
  expect((await inarch(args, folder)).stdout).toMatch(
    /^said\.safetensors: 203 tensors, [\d.]+ [KM]iB\n$/,
  );
});
