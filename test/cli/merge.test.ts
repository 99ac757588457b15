/** `inarch merge`: the file that it writes, and what it refuses. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { randomNumbers, relativeError } from "../../verify/ops/evaluate.ts";
import { buildPackage, inarch, repository, scratchFolder } from "../support/command-line.ts";
import { floats } from "../support/training-file.ts";
import { fixturePath, openBytes } from "../support/weights-files.ts";

const folder = scratchFolder("merge");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(buildPackage);
const example = join(repository, "examples", "06-own-adapter.graph.ts");
const sizes = {
  "up.weight": [64, 32],
  "up.bias": [64],
  "down.weight": [8, 64],
  "down.bias": [8],
} as const;
const random = (of: Readonly<Record<string, readonly number[]>>) =>
  new Map(
    Object.entries(of).map(([name, wanted], i) => {
      const count = wanted.reduce((a, b) => a * b, 1);
      return [name, floats(randomNumbers(count, i + 1), wanted)] as const;
    }),
  );
const exampleBase = random(sizes);
const exampleAdapter = random({
  "down.lora_A": [4, 64],
  "down.lora_B": [8, 4],
  "down.magnitude_change": [8],
});
writeFileSync(join(folder, "base.safetensors"), writeSafetensors(exampleBase, {}));
writeFileSync(join(folder, "adapter.safetensors"), writeSafetensors(exampleAdapter, {}));
const files = ["--weights", "base.safetensors", "--weights", "adapter.safetensors"];
const slow = ["--device", "reference"];

test("of the example's DoRA writes the rows that its formula gives", async () => {
  const args = ["merge", example, ...files, "-o", "merged.safetensors", ...slow];
  const { code, stdout, stderr } = await inarch(args, folder);
  expect([code, stderr, stdout.replace(/[\d.]+ KiB/, "SIZE")]).toEqual([
    0,
    "",
    "merged.safetensors: 4 tensors, SIZE; 1 merged\n",
  ]);
  const merged = await openBytes(readFileSync(join(folder, "merged.safetensors")));
  expect([...merged.tensors.keys()].sort()).toEqual(Object.keys(sizes).sort());
  const numbers = (tensors: typeof exampleBase, name: string) =>
    new Float32Array(tensors.get(name)!.data.buffer);
  const frozen = numbers(exampleBase, "down.weight");
  const [a, b] = ["down.lora_A", "down.lora_B"].map((name) => numbers(exampleAdapter, name));
  const change = numbers(exampleAdapter, "down.magnitude_change");
  const wanted = [...change].flatMap((by, row) => {
    const old = [...frozen.subarray(64 * row, 64 * row + 64)];
    const moved = old.map((v, i) =>
      [0, 1, 2, 3].reduce((total, r) => total + 2 * b![4 * row + r]! * a![64 * r + i]!, v),
    );
    return moved.map((v) => (v * (Math.hypot(...old) + by)) / Math.hypot(...moved));
  });
  expect(relativeError(await merged.readF32("down.weight"), wanted)).toBeLessThan(1e-7);
  for (const name of ["up.weight", "up.bias", "down.bias"])
    expect((await merged.read(name)).data.join()).toBe(exampleBase.get(name)!.data.join());
});

const sam = ["merge", "sam", "--config", fixturePath("sam_nano.config.json")];
const nano = ["--weights", fixturePath("sam_nano.pth"), ...slow, "-o", "nano.safetensors"];
test.each<[string, string[], string, string]>([
  [
    "a method that cannot be",
    [...sam, ...nano, "--method", "adapter"],
    "E160",
    "houlsby cannot be merged: its gelu",
  ],
  [
    "a method without its file",
    [...sam, ...nano, "--method", "lora"],
    "E164",
    "no file has image_encoder.blocks.0.attn.qkv.lora_A",
  ],
  ["no method", [...sam, ...nano], "E165", "has no adapters"],
  [
    "a method for a file",
    ["merge", example, ...files, "-o", "m.safetensors", ...slow, "--method", "lora"],
    "E503",
    "the method lora goes with a SAM",
  ],
  [
    "a task that is no number",
    ["merge", example, ...files, "-o", "m.safetensors", "--task", "depth"],
    "E503",
    '--task cannot be "depth"',
  ],
  [
    "an output that is an input",
    ["merge", example, ...files, "-o", "base.safetensors", ...slow],
    "E240",
    "the output is the input",
  ],
])("refuses %s", async (_claim, args, code, words) => {
  const { code: exit, stderr } = await inarch(args, folder);
  expect(stderr).toContain(words);
  expect(stderr).toContain(`error[${code}]`);
  expect(exit).toBe(1);
});
