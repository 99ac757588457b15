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
    expect.stringMatching(/^on reference \(.*\): it was asked for\n$/),
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

/** LoRA of rank 2 on every block. */
function everyBlock() {
  const blocks = [0, 1, 2, 3].map((i) => `image_encoder.blocks.${i}.attn.qkv`);
  const sizes = blocks.flatMap((at) => [
    [`${at}.lora_A`, [2, 48]] as const,
    [`${at}.lora_B`, [144, 2]] as const,
  ]);
  return random(Object.fromEntries(sizes));
}

const sam = ["merge", "sam", "--config", fixturePath("sam_nano.config.json")];
const nano = ["--weights", fixturePath("sam_nano.pth"), ...slow, "-o", "nano.safetensors"];

/** Of LoRA on the queries and values of one block, as training would save it, or as it is without metadata. */
const width = 48;
const place = "image_encoder.blocks.1.attn.qkv";
const factors = random({
  [`${place}.lora_A`]: [4, width],
  [`${place}.lora_B`]: [2 * width, 2],
});
const settings = { rank: 2, alpha: 6, dropout: 0, parts: ["q", "v"] };
const about = {
  kind: "inarch adapter",
  format: "2",
  base: "{}",
  adapters: JSON.stringify([{ name: "lora", settings, places: [place] }]),
};
writeFileSync(join(folder, "trained.safetensors"), writeSafetensors(factors, about));
writeFileSync(join(folder, "silent.safetensors"), writeSafetensors(everyBlock(), {}));
const trained = ["--weights", "trained.safetensors"];
const silent = ["--weights", "silent.safetensors"];

/** What LoRA adds to a weight, rank 2 and the scale given: its rows, of two parts of three. */
function added(scale: number): Float64Array {
  const [a, b] = ["A", "B"].map((n) => {
    const { data } = factors.get(`${place}.lora_${n}`)!;
    return new Float32Array(data.buffer);
  });
  return Float64Array.from({ length: 3 * width * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    const part = Math.floor(row / width);
    if (part === 1) return 0;
    const [within, first] = part === 0 ? [row, 0] : [row - width, 2];
    return [0, 1].reduce(
      (sum, r) => sum + scale * b![2 * within + r]! * a![(first + r) * width + column]!,
      0,
    );
  });
}

test("--method takes settings and places from the adapter's file", async () => {
  const args = [...sam, ...nano, ...trained, "--method", "lora"];
  expect((await inarch(args, folder)).code).toBe(0);
  const merged = await openBytes(readFileSync(join(folder, "nano.safetensors")));
  const base = await openBytes(readFileSync(fixturePath("sam_nano.pth")));
  const [after, before] = [merged, base].map((file) => file.readF32(`${place}.weight`));
  const old = await before!;
  const wanted = added(6 / 2).map((v, i) => v + old[i]!);
  expect(relativeError(await after!, wanted)).toBeLessThan(1e-6);
});

test("--setting says what an old file does not", async () => {
  const given = ["--method", "lora", "--setting", "alpha=6", "--setting", "rank=2"];
  expect((await inarch([...sam, ...nano, ...silent, ...given], folder)).code).toBe(0);
});

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
    "a setting that contradicts the file",
    [...sam, ...nano, ...trained, "--method", "lora", "--setting", "alpha=3"],
    "E435",
    "lora was trained with { alpha: 6 }, but here it has { alpha: 3 }",
  ],
  [
    "a setting that there is not",
    [...sam, ...nano, "--method", "lora", "--setting", "alpa=6"],
    "E460",
    "write alpha",
  ],
  [
    "a setting of a method without any",
    [...sam, ...nano, "--method", "ssf", "--setting", "alpha=6"],
    "E460",
    'ssf has no option "alpha"',
  ],
  [
    "a file that does not say its alpha",
    [...sam, ...nano, ...silent, "--method", "lora", "--setting", "rank=2"],
    "E436",
    "inarch merge --setting alpha=…",
  ],
  [
    "a setting without a method",
    [...sam, ...nano, "--setting", "alpha=6"],
    "E503",
    "add --method NAME",
  ],
  [
    "a setting that is none",
    [...sam, ...nano, "--method", "lora", "--setting", "alpha"],
    "E503",
    "--setting alpha=6",
  ],
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

test("merges on the device that is used unasked, to single precision", async () => {
  const args = ["merge", example, ...files, "-o", "single.safetensors"];
  const noDriver = { VK_DRIVER_FILES: join(folder, "none.json"), INARCH_DEVICE: "" };
  const { code, stderr } = await inarch(args, folder, noDriver);
  expect([code, stderr]).toEqual([0, expect.stringMatching(/^on cpu \(processor/m)]);
  const [single, exact] = await Promise.all(
    ["single.safetensors", "merged.safetensors"].map(async (name) => {
      const tensors = await openBytes(readFileSync(join(folder, name)));
      return tensors.readF32("down.weight");
    }),
  );
  expect(relativeError(single!, [...exact!])).toBeLessThan(1e-6);
});
