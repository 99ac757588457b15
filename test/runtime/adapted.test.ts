/** Sessions of adapted models from the base's weights and the adapter's file, with nothing else. */
import { describe, expect, test } from "vitest";
import { lora, vera } from "../../adapters/index.ts";
import {
  type Adapter,
  adapt,
  compile,
  defineModel,
  input,
  traceProgram,
} from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { mean, mul, relu } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession, type SessionOptions } from "../../runtime/session.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { type TensorData, type Weights, writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, compileTraining } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, readAll, refusal } from "../support/weights-files.ts";

/** Two programs, which pass different places. */
const model = defineModel({
  name: "halves",
  programs: {
    encode: (p) => ({ z: relu(linear(p.at("a"), input("x", "f32", [4, 6]), 6, 6)) }),
    decode: (p) => ({ y: linear(p.at("b"), input("z", "f32", [4, 6]), 6, 6) }),
    both(p) {
      const z = relu(linear(p.at("a"), input("x", "f32", [4, 6]), 6, 6));
      return { y: linear(p.at("b"), z, 6, 6) };
    },
  },
});

type Program = "encode" | "decode" | "both";

const open = (tensors: ReadonlyMap<string, TensorData>, metadata: Record<string, string> = {}) =>
  openBytes(writeSafetensors(tensors, metadata));

const base = (seed = 1) => {
  const shapes = { "a.weight": [6, 6], "a.bias": [6], "b.weight": [6, 6], "b.bias": [6] };
  const tensors = Object.entries(shapes).map(([name, shape], i) => {
    const count = shape.reduce((n, size) => n * size, 1);
    return [name, floats(randomNumbers(count, seed + i), shape)] as const;
  });
  return open(new Map(tensors));
};

const x = randomNumbers(24, 9);

/** The file after some steps of `both`, and what its forward pass then gives. */
async function trained(adapter: Adapter, where: string | string[] = "**", train: string[] = []) {
  const plan = compileTraining(adapt(model, adapter, { where, train }), {
    program: "both",
    target: "reference",
    loss: ({ y }) => ({ square: mean(mul(y!, y!)) }),
    optimiser: adamW(),
    programs: { both: {} },
  });
  const options = { weights: await base(), rate: 0.05 };
  const session = await createTrainingSession(plan, referenceDevice(), options);
  for (let step = 0; step < 3; step++) await session.step({ x });
  const { y } = await session.run("both", { x });
  return { y, file: await openBytes(await session.saveAdapter()) };
}

const sessionOf = async (
  adapter: Adapter,
  file: Weights,
  program: Program = "both",
  more: SessionOptions & { readonly where?: string | string[] } = {},
) => {
  const { where = "**", ...options } = more;
  const graph = traceProgram(adapt(model, adapter, { where }), program);
  const plan = compile(graph, { target: "reference" });
  return createSession(plan, referenceDevice(), {
    weights: await base(),
    adapter: file,
    ...options,
  });
};

const low = lora({ rank: 2, alpha: 6 });

describe("a session from a base and an adapter's file", () => {
  test.each<[string, Adapter, string[]]>([
    ["LoRA", low, []],
    ["LoRA beside biases of the model that trained", low, ["**.bias"]],
    ["VeRA, whose matrices nothing trained", vera({ rank: 9 }), []],
  ])("computes what training did: %s", async (_claim, adapter, train) => {
    const { y, file } = await trained(adapter, "**", train);
    const session = await sessionOf(adapter, file);
    expect((await session.run({ x })).y).toEqual(y);
  });

  test("runs each program of a model with its part of the file", async () => {
    const { y, file } = await trained(vera({ rank: 9 }));
    const [encoder, decoder] = [
      await sessionOf(vera({ rank: 9 }), file, "encode"),
      await sessionOf(vera({ rank: 9 }), file, "decode"),
    ];
    const { z } = await encoder.run({ x });
    expect((await decoder.run({ z: z! })).y).toEqual(y);
  });

  test("runs a program that passes no place of the adapter", async () => {
    const { file } = await trained(low, "a");
    const decoder = await sessionOf(low, file, "decode", { where: "a" });
    expect((await decoder.run({ z: x })).y).toHaveLength(24);
  });
});

describe("refuses", () => {
  test("E431: another base", async () => {
    const { file } = await trained(low);
    const weights = await base(50);
    const { code, details } = await refusal(() => sessionOf(low, file, "both", { weights }));
    expect([code, details.message]).toEqual([
      "E431",
      expect.stringContaining("the adapter was trained on another base: a."),
    ]);
  });

  test("E431: a file that does not say its base", async () => {
    const { file } = await trained(low);
    const { base: _, ...metadata } = file.metadata;
    const silent = await open(await readAll(file), metadata);
    expect((await refusal(() => sessionOf(low, silent))).code).toBe("E431");
  });

  test.each<[string, (all: Map<string, TensorData>) => unknown, string]>([
    ["a missing tensor", (all) => all.delete("a.lora_A"), "has a.lora_A"],
    [
      "a tensor of another shape",
      (all) => all.set("a.lora_A", floats([1, 2, 3, 4, 5, 6], [1, 6])),
      "a.lora_A is [1, 6] in the file but [2, 6] in the plan",
    ],
    [
      "an unknown tensor",
      (all) => all.set("a.lora_C", floats([1], [1])),
      "neither plan program nor",
    ],
  ])("E434: %s", async (_claim, change, words) => {
    const { file } = await trained(low);
    const all = await readAll(file);
    change(all);
    const changed = await open(all, { ...file.metadata });
    const { code, details } = await refusal(() => sessionOf(low, changed));
    expect([code, details.message]).toEqual(["E434", expect.stringContaining(words)]);
  });

  test("E205: values that are not finite", async () => {
    const { file } = await trained(low);
    const all = await readAll(file);
    all.set("b.lora_B", floats(new Array(12).fill(Number.NaN), [6, 2]));
    const broken = await open(all, { ...file.metadata });
    const { code, details } = await refusal(() => sessionOf(low, broken));
    expect([code, details.message]).toEqual([
      "E205",
      expect.stringContaining("b.lora_B: 12 values"),
    ]);
  });

  test.each<[string, Adapter, string, string]>([
    ["other settings", lora({ rank: 2 }), "**", "lora was trained with { alpha: 6 }"],
    ["fewer places", low, "a", "lora was trained at b, but does not work there"],
    ["another adapter", vera(), "**", "lora was trained at a, but does not work there"],
  ])("E435: %s", async (_claim, adapter, where, words) => {
    const { file } = await trained(low);
    const { code, details } = await refusal(() => sessionOf(adapter, file, "both", { where }));
    expect([code, details.message]).toEqual(["E435", expect.stringContaining(words)]);
  });

  test("E435: a plan without adapters", async () => {
    const { file } = await trained(low);
    const plan = compile(traceProgram(model, "both"), { target: "reference" });
    const options = { weights: await base(), adapter: file };
    const { code } = await refusal(() => createSession(plan, referenceDevice(), options));
    expect(code).toBe("E435");
  });

  test("E436: a setting that an old file does not say; it runs where that is given", async () => {
    const { y, file } = await trained(low);
    const { format: _, adapters: __, ...metadata } = file.metadata;
    const old = await open(await readAll(file), metadata);
    expect((await refusal(() => sessionOf(lora({ rank: 2 }), old))).code).toBe("E436");
    expect((await (await sessionOf(low, old)).run({ x })).y).toEqual(y);
  });

  test("E435 and E436 for a file in which everything trained, given as all weights", async () => {
    const { y, file } = await trained(low, "**", ["**"]);
    const run = async (adapter: Adapter, weights: Weights) => {
      const plan = compile(traceProgram(adapt(model, adapter), "both"), { target: "reference" });
      return (await createSession(plan, referenceDevice(), { weights })).run({ x });
    };
    expect((await run(low, file)).y).toEqual(y);
    expect((await refusal(() => run(lora({ rank: 2 }), file))).code).toBe("E435");
    const { adapters: _, ...metadata } = file.metadata;
    const silent = await open(await readAll(file), metadata);
    expect((await refusal(() => run(lora({ rank: 2 }), silent))).code).toBe("E436");
  });

  test("E437: a file that is no adapter", async () => {
    const error = await refusal(async () => sessionOf(low, await base()));
    expect(error.code).toBe("E437");
  });

  test("E420: a file without the weights of its base", async () => {
    const { file } = await trained(low);
    const plan = compile(traceProgram(adapt(model, low), "both"), { target: "reference" });
    const { code, details } = await refusal(() =>
      createSession(plan, referenceDevice(), { adapter: file }),
    );
    expect([code, details.message]).toEqual([
      "E420",
      "plan program is given an adapter without its base",
    ]);
  });
});
