/** Merged weights compute what the adapted model does, and what cannot be merged is refused. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type Adapter,
  adapt,
  defineModel,
  input,
  type Model,
  type Parameters,
  type Tensor,
  traceProgram,
} from "../../compiler/index.ts";
import { finish } from "../../compiler/turns.ts";
import * as adapters from "../../entries/adapters.ts";
import { exactDevice, openEvaluator } from "../../merge/evaluate.ts";
import { planMerging } from "../../merge/places.ts";
import { openSolver } from "../../merge/solve.ts";
import { linear, norm } from "../../models/layers.ts";
import {
  add,
  concat,
  div,
  matmul,
  mean,
  mul,
  neg,
  pad,
  permute,
  reshape,
  slice,
  sub,
  sum,
} from "../../ops/index.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import { openGraph, randomArrays } from "../support/adapted-graphs.ts";
import { encoder } from "../support/adapted-programs.ts";
import { repository } from "../support/command-line.ts";
import { refusal } from "../support/weights-files.ts";

type Rows = Tensor<"f32">;

const encode = defineModel({ name: "encode", build: (p) => ({ y: encoder(p)[0]! }) });

/** A fused qkv on two maps of 2 x 3, of tasks 0 and 1. */
const qkv = (p: Parameters) => {
  const x = input("x", "f32", [2, 2, 3, 4]);
  return {
    a: linear(p.forTask(0).at("qkv"), x, 4, 12),
    b: linear(p.forTask(1).at("qkv"), x, 4, 12),
  };
};
const tasks = defineModel({ name: "tasks", build: qkv });
const layer = defineModel({
  name: "layer",
  build: (p) => ({ y: linear(p.at("qkv"), input("x", "f32", [2, 2, 3, 4]), 4, 12) }),
});
const normed = defineModel({
  name: "normed",
  build: (p) => ({ y: norm(p.at("norm"), input("x", "f32", [2, 3, 5]), 1e-6) }),
});

/** The example's adapter, from the sources that the tests use. */
async function exampleAdapter(): Promise<Adapter> {
  const text = readFileSync(join(repository, "examples", "06-own-adapter.graph.ts"), "utf8");
  const source = text.replace(/"inarch(?:\/(\w+))?"/g, (_, entry = "index") =>
    JSON.stringify(join(repository, "entries", `${entry}.ts`)),
  );
  const folder = join(repository, "out", "examples");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "merged-adapter.graph.ts");
  writeFileSync(file, source);
  return (await import(/* @vite-ignore */ file)).dora(2);
}

/** Runs the bare model on solved parameters and the adapted one, both in double precision. */
async function compare(model: Model, task?: number): Promise<Record<string, number>> {
  const graph = traceProgram(model, "forward");
  const arrays = randomArrays(graph);
  const evaluator = openEvaluator(exactDevice());
  const solver = openSolver(evaluator);
  const solved: Record<string, Float64Array> = {};
  for (const place of finish(planMerging(model, task)).places) {
    const values = await solver.solve(place, async (name) => Float64Array.from(arrays[name]!));
    for (const [name, numbers] of values) solved[name] = Float64Array.from(numbers);
  }
  evaluator.close();
  expect(Object.keys(solved).length).toBeGreaterThan(0);
  const wanted = await (await openGraph(graph))(arrays);
  const bare = traceProgram({ ...model, bindings: [] }, "forward");
  const got = await (await openGraph(bare))({ ...arrays, ...solved });
  return Object.fromEntries(
    Object.keys(wanted).map((name) => [name, relativeError(got[name]!, wanted[name]!)]),
  );
}

describe("the bare model with merged weights is the adapted model", () => {
  const { bitFit, lora, ssf, ssfPlaces, taLora } = adapters;
  test.each<[string, () => Model | Promise<Model>]>([
    ["LoRA on a whole layer", () => adapt(layer, lora({ rank: 2 }))],
    ["LoRA on q and v", () => adapt(layer, lora({ rank: 2, parts: ["q", "v"] }))],
    ["SSF behind a norm", () => adapt(normed, ssf())],
    ["LoRA and SSF on one layer", () => adapt(adapt(layer, lora()), ssf())],
    ["the example's DoRA", async () => adapt(layer, await exampleAdapter())],
  ])("%s", async (_name, model) => {
    expect((await compare(await model())).y).toBeLessThan(1e-12);
  });

  test("everything of an encoder: SSF everywhere, LoRA on qkv, the patch embedding too", async () => {
    const where = ["**.attn.qkv"];
    const model = adapt(adapt(encode, ssf(), { where: ssfPlaces }), lora({ rank: 2 }), { where });
    expect((await compare(adapt(model, bitFit()))).y).toBeLessThan(1e-12);
  });

  test("TA-LoRA for the task that is asked for, and that alone", async () => {
    const { a, b } = await compare(adapt(tasks, taLora({ tasks: 2, ranks: [2, 2, 2] })), 1);
    expect(b).toBeLessThan(1e-12);
    expect(a).toBeGreaterThan(1e-3);
  });

  test("an adapter that is the same for all tasks is merged without asking", async () => {
    const { a, b } = await compare(adapt(tasks, lora()));
    expect(Math.max(a!, b!)).toBeLessThan(1e-12);
  });

  test("an adapter of one's own: any sums, views and products with what does not depend on x", async () => {
    const own = adapters.defineAdapter({
      name: "own",
      linear({ own: p }, x, base) {
        const heads: Rows = reshape(base(x), [2, 2, 3, 3, 4]);
        const turned = reshape(permute(heads, [0, 1, 2, 4, 3]), [12, 12]) as Rows;
        const mixed: Rows = matmul(turned, p.f32("mix", [12, 9]));
        const shifted = sub(div(mixed, p.f32("divisor", [1, 9])), neg(p.f32("shift", [9])));
        const padded = pad(slice(shifted, [[], [1]]), [[], [0, 1]], 2);
        const totals = sum(padded, 1, "keep") as Rows;
        const all = reshape(concat([padded, totals], 1), [2, 2, 3, 10]) as Rows;
        return matmul(all, p.f32("back", [10, 12]));
      },
    });
    expect((await compare(adapt(layer, own))).y).toBeLessThan(1e-12);
  });
});

describe("refused, with the adapter, the place and the op", () => {
  const { convLora, houlsby, lst, pfeiffer, samAdapter, ssf, taLora, vptDeep, vptShallow } =
    adapters;
  const on = (adapter: Adapter, where = "**") => adapt(encode, adapter, { where });
  const own = (linearGraft: (x: Rows, base: (x: Rows) => Rows, p: Parameters) => Rows) =>
    adapters.defineAdapter({
      name: "own",
      linear: ({ own: p }, x, base) => linearGraft(x, base, p),
    });
  const biasless = defineModel({
    name: "biasless",
    build(p) {
      const base = (rows: Rows) => matmul(rows, p.f32("weight", [3, 5])) as Rows;
      return { y: adapters.site("linear", p, input("x", "f32", [2, 3]), base) };
    },
  });
  const tied = defineModel({
    name: "tied",
    build(p) {
      const x = input("x", "f32", [4, 4]);
      return { y: linear(p.at("a"), x, 4, 4), z: mul(x, p.at("a").f32("weight", [4, 4])) };
    },
  });
  const twice = defineModel({
    name: "twice",
    build(p) {
      const x = input("x", "f32", [2, 4]);
      const base = (rows: Rows) =>
        matmul(rows, mul(p.f32("weight", [4, 4]), p.f32("mask", [4, 4]))) as Rows;
      return { y: adapters.site("linear", p, x, base, { inputs: 4, outputs: 4 }) };
    },
  });
  test.each<[string, Model, string, string]>([
    [
      "Houlsby",
      on(houlsby(), "**.attn.proj"),
      "E160",
      `houlsby cannot be merged: its gelu is more than a product`,
    ],
    [
      "Pfeiffer",
      on(pfeiffer({ bottleneck: 2 }), "**.mlp.lin2"),
      "E160",
      "pfeiffer cannot be merged: its gelu",
    ],
    [
      "Conv-LoRA",
      on(convLora({ rank: 2, experts: [1, 2] }), "**.attn.qkv"),
      "E160",
      "conv-lora cannot be merged: its",
    ],
    ["VPT deep", on(vptDeep({ tokens: 2 })), "E160", "vpt-deep cannot be merged: its attention"],
    [
      "VPT shallow",
      on(vptShallow({ tokens: 2 })),
      "E160",
      "vpt-shallow cannot be merged: its attention",
    ],
    ["LST", on(lst({ reduction: 2, heads: 1 })), "E160", "lst cannot be merged: its normalize"],
    [
      "SAM-Adapter",
      on(samAdapter({ scaleFactor: 2 })),
      "E160",
      "sam-adapter cannot be merged: its",
    ],
    [
      "the harmless one is not blamed",
      adapt(on(houlsby(), "**.attn.proj"), ssf()),
      "E160",
      "houlsby cannot",
    ],
    [
      "rows that are brought together",
      adapt(
        layer,
        own((x, base) => add(base(x), mean(base(x), 2, "keep"))),
      ),
      "E160",
      "its sum brings rows of the input together",
    ],
    [
      "rows that are told apart",
      adapt(
        layer,
        own((x, base, p) => add(base(x), p.f32("own", [3, 12]))),
      ),
      "E160",
      "its add treats one row",
    ],
    [
      "a square",
      adapt(
        layer,
        own((x, base) => mul(base(x), base(x))),
      ),
      "E160",
      "its mul is more than a product",
    ],
    [
      "a layer without bias",
      adapt(biasless, ssf()),
      "E162",
      "adds 5 numbers, and the layer of weight has no bias",
    ],
    [
      "a weight that serves elsewhere",
      adapt(tied, adapters.lora()),
      "E161",
      "a.weight is read outside of it too, by mul",
    ],
    [
      "a weight made of two parameters",
      adapt(twice, adapters.lora()),
      "E161",
      "its own weight is made of weight, mask",
    ],
    [
      "a whole block",
      on(
        adapters.defineAdapter({ name: "gain", block: (_s, x, base) => mul(base(x), 2) }),
        "**.blocks.1",
      ),
      "E161",
      "gain cannot be merged into this place of kind block",
    ],
    [
      "several tasks",
      adapt(tasks, taLora({ tasks: 2, ranks: [2, 2, 2] })),
      "E163",
      "something else for each of the tasks 0, 1",
    ],
    ["no adapter", layer, "E165", "model layer has no adapters"],
  ])("%s", async (_name, model, code, words) => {
    const error = await refusal(() => finish(planMerging(model, undefined)));
    expect(error.message).toContain(words);
    expect(error.code).toBe(code);
  });

  test.each([
    ["its tasks are 0, 1", adapt(tasks, adapters.lora())],
    ["leave the task out", adapt(layer, adapters.lora())],
  ])("a task that there is not: %s", async (help, model) => {
    const error = await refusal(() => finish(planMerging(model, 3)));
    expect(error.message).toContain("has no task 3 to merge for");
    expect(error.message).toContain(help);
    expect(error.code).toBe("E163");
  });

  test("features that a norm keeps apart, once there are numbers", async () => {
    const mixing = adapters.defineAdapter({
      name: "mixing",
      norm: (site, x, base) => matmul(base(x), site.own.f32("mix", [5, 5])) as Rows,
    });
    const error = await refusal(() => compare(adapt(normed, mixing)));
    expect(error.message).toContain(
      "its adapters bring features together that the layer keeps apart",
    );
    expect(error.code).toBe("E161");
  });
});
