/** `verify` on the published layers: what is right passes, what is not does not. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import { type TensorData, writeSafetensors } from "../../runtime/weights/index.ts";
import { verify } from "../../verify/verify.ts";
import { deviceTest } from "../support/device.ts";
import { fixturePath, readAll, refusal } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-adapters-"));

let files = 0;

type Change = (tensors: Map<string, TensorData>, cases: Record<string, unknown>) => void;

/** One case of a reference file as a file of its own, changed. */
async function only(file: string, name: string, change: Change = () => {}): Promise<string> {
  const weights = await openWeightsFile(fixturePath(file));
  const [tensors, metadata] = [await readAll(weights), { ...weights.metadata }];
  await weights.close();
  for (const other of [...tensors.keys()]) if (!other.startsWith(`${name}/`)) tensors.delete(other);
  const cases = { [name]: JSON.parse(metadata.cases!)[name] };
  change(tensors, cases);
  const path = join(folder, `case-${files++}.safetensors`);
  writeFileSync(path, writeSafetensors(tensors, { ...metadata, cases: JSON.stringify(cases) }));
  return path;
}

async function run(file: string) {
  const report = await verify({ files: [file], device: "reference" });
  const { checks, unread } = report.files[0]!;
  return { passed: checks.length, failed: checks.filter((c) => !c.passed), unread };
}

const [conv, tucker] = ["conv_lora.safetensors", "ta_lora.safetensors"];

/** Adds to the first number of a tensor. */
const moved = (tensors: Map<string, TensorData>, name: string, by: number) => {
  new Float32Array(tensors.get(name)!.data.buffer)[0]! += by;
};

describe("Conv-LoRA", () => {
  test("on tokens, in training: routing, results, balance, and every gradient", async () => {
    const { passed, failed, unread } = await run(await only(conv, "tokens_train"));
    expect(failed).toEqual([]);
    // The experts that are used, y, the term, and gradients: of x, the bias, A, B, the gate's two
    // matrices, and of each expert's two, unused ones included.
    expect(passed).toBe(3 + 6 + 8);
    expect(unread).toEqual([]);
  });
});

describe("TA-LoRA", () => {
  test.each([
    ["linear", 3 * 6 + 5],
    ["qv_only", 3 * 6 + 5],
  ])("%s: every task alone, all together, and the regulariser", async (name, checks) => {
    const { passed, failed, unread } = await run(await only(tucker, name));
    expect(failed).toEqual([]);
    expect(passed).toBe(checks);
    expect(unread).toEqual([]);
  });
});

test("a number that is wrong, and a gradient too many, fail their own lines", async () => {
  const file = await only(tucker, "qv_only", (tensors) => {
    moved(tensors, "qv_only/orthogonal_reg", 0.1);
    tensors.delete("qv_only/task0/grad.td_U1");
  });
  const { failed } = await run(file);
  expect(failed.map(({ name, found }) => [name, found.split(" ")[0]])).toEqual([
    ["qv_only/task0/grad.td_U1", "a"],
    ["qv_only/orthogonal_reg", "relative"],
  ]);
});

describe("E361 for a file", () => {
  test.each<[string, string, string, string, Change]>([
    [
      "without a parameter",
      conv,
      "tokens_train",
      "no tensor",
      (tensors) => tensors.delete("tokens_train/param.lora_A"),
    ],
    [
      "of another rank",
      conv,
      "tokens_train",
      "param.lora_A is [4, 16], not [3, 16]",
      (_, cases) => Object.assign(cases.tokens_train as object, { rank: 3 }),
    ],
    [
      "whose rank is a word",
      conv,
      "tokens_train",
      'the rank "3"',
      (_, cases) => Object.assign(cases.tokens_train as object, { rank: "3" }),
    ],
    [
      "with noise for other experts",
      conv,
      "tokens_train",
      "noise",
      (tensors) => tensors.set("tokens_train/noise", tensors.get("tokens_train/param.lora_B")!),
    ],
    [
      "whose layer takes other rows",
      conv,
      "tokens_train",
      "takes 4 features",
      (tensors) =>
        tensors.set("tokens_train/param.weight", tensors.get("tokens_train/param.lora_B")!),
    ],
    [
      "of two ranks",
      tucker,
      "qv_only",
      "the ranks [4,3]",
      (_, cases) => Object.assign(cases.qv_only as object, { ranks: [4, 3] }),
    ],
    [
      "of a task too many",
      tucker,
      "qv_only",
      "the task_runs [4]",
      (_, cases) => Object.assign(cases.qv_only as object, { task_runs: [4] }),
    ],
  ])("%s", async (_name, file, name, words, change) => {
    const error = await refusal(async () => run(await only(file, name, change)));
    expect([error.code, error.message]).toEqual(["E361", expect.stringContaining(words)]);
  });
});

deviceTest("both layers pass on a device", async () => {
  const both = [await only(conv, "tokens_train"), await only(tucker, "qkv")];
  const report = await verify({ files: both, device: "webgpu" });
  const all = report.files.flatMap(({ checks }) => checks);
  expect(all.filter((check) => !check.passed)).toEqual([]);
  expect(all.length).toBe(17 + 2 * 6 + 5);
});
