/** Rematerialisation: what is computed again, what memory that saves, and that gradients stay the same. */
import { describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { chooseKept } from "../../../compiler/grad/choose.ts";
import { planBuffers } from "../../../compiler/grad/plan-bytes.ts";
import { recompute } from "../../../compiler/grad/recompute.ts";
import { narrowPlaces } from "../../../compiler/grad/saved.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { gradient } from "../../../compiler/op-kit.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { finish, type Pausing } from "../../../compiler/turns.ts";
import { exp, full, mean, mul, randomNormal, streamOf, topK } from "../../../ops/index.ts";
import { relativeError, runOnReference } from "../../../verify/ops/evaluate.ts";
import {
  type Stack,
  type StackShape,
  transformerStack,
  valuesFor,
} from "../../support/gradient-stack.ts";
import { refusal } from "../../support/weights-files.ts";

const seed = () => full(1, []) as Tensor;

/** The loss, and all gradients; `keep` as `gradient` takes it. */
function trainingGraph(stack: Stack, keep?: (t: Tensor) => boolean): Graph {
  const gradients = gradient([stack.loss], [seed()], stack.trained, keep ? { keep } : {});
  const outputs = gradients.map((tensor, i) => ({ name: `g${i}`, tensor: tensor! }));
  return graphOf([{ name: "loss", tensor: stack.loss }, ...outputs], "as written");
}

/** Unfused, each node rounds by itself: then what is computed again must not differ in a bit. */
async function sameBits(a: Graph, b: Graph): Promise<void> {
  const values = valuesFor(b.outputs);
  const unfused = { policy: "unfused" } as const;
  expect(await runOnReference(a, values, unfused)).toEqual(
    await runOnReference(b, values, unfused),
  );
}

/** Fused, other things melt together, so values differ by rounding. */
async function sameValues(a: Graph, b: Graph): Promise<void> {
  const values = valuesFor(b.outputs);
  const double = { precision: "double" } as const;
  const [found, expected] = [
    await runOnReference(a, values, double),
    await runOnReference(b, values, double),
  ];
  for (const name of Object.keys(expected))
    expect(relativeError(found[name]!, expected[name]!), name).toBeLessThan(1e-12);
}

/** Bytes of scratch memory. */
function* measure(graph: Graph): Pausing<number> {
  const buffers = yield* planBuffers(graph, defaultProfile);
  return buffers.filter((b) => b.role === "arena").reduce((sum, b) => sum + b.bytes, 0);
}
const arenas = (graph: Graph) => finish(measure(graph));
const count = (graph: Graph, op: string) => graph.nodes.filter((n) => n.op.name === op).length;

const shape: StackShape = { blocks: 6, tokens: 40, width: 8, heads: 2, adapted: () => true };

describe("recomputation", () => {
  const stack = transformerStack(shape);
  const starts = new Set<Tensor>(stack.blockInputs);
  const all = trainingGraph(stack);
  const few = trainingGraph(stack, (t) => starts.has(t));

  test("every block is computed again once, and no block twice", () => {
    expect(count(all, "attention")).toBe(6);
    expect(count(few, "attention")).toBe(12);
  });

  test("keeping the blocks' inputs alone takes less than half of the memory", () => {
    expect(arenas(few)).toBeLessThan(0.5 * arenas(all));
  });

  test("memory grows by a block's input with each block, not by what a block computes", () => {
    const more = transformerStack({ ...shape, blocks: 8 });
    const kept = new Set<Tensor>(more.blockInputs);
    const grown = arenas(trainingGraph(more, (t) => kept.has(t))) - arenas(few);
    expect(grown).toBe(2 * shape.tokens * shape.width * 4);
  });

  test("the buffers that the planner forecasts are those of the compiled plan", () => {
    expect(finish(planBuffers(few, defaultProfile))).toEqual(compile(few).buffers);
  });
});

describe("gradients", () => {
  const shallow: StackShape = { blocks: 2, tokens: 3, width: 4, heads: 1, adapted: () => true };

  test.each([
    ["block inputs", (s: Stack) => (t: Tensor) => s.blockInputs.includes(t as Tensor<"f32">)],
    ["nothing", () => () => false],
  ] as const)("are the same, unfused bit for bit, when memory keeps %s", async (_what, policy) => {
    const stack = transformerStack(shallow);
    const plain = trainingGraph(stack);
    const again = trainingGraph(stack, policy(stack));
    expect(again.nodes.length).toBeGreaterThan(plain.nodes.length);
    await sameBits(again, plain);
    await sameValues(again, plain);
  });

  test("landmarks are computed again once; what leads to them, for them alone and once more", async () => {
    const stack = transformerStack(shallow);
    const plain = trainingGraph(stack);
    const forward = new Set(graphOf([{ name: "loss", tensor: stack.loss }]).nodes);
    const starts = new Set<Tensor>(stack.blockInputs);
    const replaced = recompute(
      plain.outputs.map((o) => o.tensor),
      forward,
      { keep: () => false, landmark: (t) => starts.has(t) },
    );
    const outputs = plain.outputs.map((o) => ({
      ...o,
      tensor: replaced.get(o.tensor) ?? o.tensor,
    }));
    const graph = graphOf(outputs, "as written");
    // Forward, on the way to the second block's input, and for the backward pass.
    expect(count(graph, "attention")).toBe(2 + 1 + 2);
    await sameValues(graph, plain);
  });

  test("random numbers are the same when they are drawn again", async () => {
    const key = input("key", "u32", [2]);
    const x = input("x", "f32", [7]) as Tensor;
    const noisy = exp(mul(x, randomNormal(key, streamOf("noise"), [7]))) as Tensor;
    const loss = mean(mul(noisy, noisy));
    const run = async (keep: () => boolean) => {
      const [g] = gradient([loss], [seed()], [x], { keep });
      const graph = graphOf([{ name: "g", tensor: g! }], "as written");
      return runOnReference(graph, { key: [3, 4], x: [1, 2, 3, 4, 5, 6, 7] });
    };
    expect(await run(() => false)).toEqual(await run(() => true));
  });

  test("an op with two results is copied once", () => {
    const x = input("x", "f32", [7]) as Tensor<"f32">;
    const { values, indices } = topK(mul(x, x), 3);
    const loss = mean(mul(mul(values, values), indices.dtype === "i32" ? 2 : 1));
    const [g] = gradient([loss], [seed()], [x], { keep: () => false });
    const graph = graphOf([{ name: "g", tensor: g! }], "as written");
    expect(count(graph, "topK")).toBe(1);
  });
});

describe("a budget", () => {
  const stack = transformerStack(shape);
  const graph = trainingGraph(stack);
  const choose = (budget: number) =>
    finish(chooseKept({ graph, forward: [stack.loss], budget, measure, profile: defaultProfile }));
  const without = arenas(graph);

  test("that all fits in changes nothing", () => {
    const choice = choose(without);
    expect([choice.graph === graph, choice.recomputed, choice.asked]).toEqual([true, 0, 1]);
  });

  test("is met with few questions, and less of it means more work", () => {
    const shares = [0.9, 0.6, 0.4].map((part) => {
      const choice = choose(part * without);
      expect(choice.bytes).toBe(arenas(choice.graph));
      expect(choice.bytes).toBeLessThanOrEqual(part * without);
      expect(choice.bytesWithout).toBe(without);
      expect(choice.asked).toBeLessThanOrEqual(25);
      return choice.recomputed;
    });
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares.at(-1)).toBeLessThan(1);
  });

  test("gives up what is cheap to compute again, and no attention while there is such", () => {
    const what = choose(0.9 * without).dropped.map((d) => d.what);
    expect(what.length).toBeGreaterThan(0);
    expect(what.filter((w) => /attention/.test(w))).toEqual([]);
  });

  test("does not change a gradient", async () => {
    const small = transformerStack({ ...shape, blocks: 3, tokens: 6 });
    const plain = trainingGraph(small);
    const budget = 0.6 * arenas(plain);
    const request = { graph: plain, forward: [small.loss], budget, measure };
    const choice = finish(chooseKept({ ...request, profile: defaultProfile }));
    await sameValues(choice.graph, plain);
  });

  test("E140 for one that cannot be met, with the least that could", async () => {
    const { code, details } = await refusal(() => choose(1000));
    expect(code).toBe("E140");
    const least = Number(/it takes [\d.]+ MiB \((\d+) bytes\)$/.exec(details.message)?.[1]);
    expect(least).toBeLessThan(0.5 * without);
    expect(details.help).toMatch(/^a budget of \d+MiB would do; a smaller batch/);
    expect(choose(least).bytes).toBe(least);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("E141 for %s bytes", async (budget) => {
    expect((await refusal(() => choose(budget))).code).toBe("E141");
  });
});

describe("narrow places", () => {
  test.each([
    ["between two parts", [1, 4, 1, 5, 1, 0], [2]],
    ["not at a small dip", [1, 4, 2, 2.1, 1, 5, 0], [4]],
    ["the last of equal ones in a row", [2, 6, 2, 2, 2, 7, 0], [4]],
    ["nowhere in a rise and a fall", [1, 2, 3, 2, 1, 0], []],
  ] as const)("%s", (_claim, live, expected) => {
    expect(narrowPlaces(live)).toEqual(expected);
  });
});
