/** The matching is the cheapest there is, and the set loss is what its formula says of it. */
import { describe, expect, test } from "vitest";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { cast, full } from "../../../ops/index.ts";
import { assignment } from "../../../ops/training/assignment.ts";
import { classMasks, matchSets, setLoss, setTerms } from "../../../training/losses/index.ts";
import {
  type Arrays,
  evaluate,
  randomNumbers,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { checkDerivative } from "../../ops/walker/check.ts";
import { describeOnDevice } from "../../support/device.ts";
import {
  cheapestPairs,
  type PlainSet,
  plainMatching,
  plainSetTerms,
} from "../../support/losses-plain.ts";
import { runOnDevice } from "../../support/on-device.ts";

const chunks = (values: readonly number[], size: number) =>
  Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));

describe("assignment", () => {
  const sizes = [
    ...[
      [1, 1],
      [2, 2],
      [3, 5],
      [5, 3],
      [6, 6],
      [7, 4],
      [1, 6],
      [6, 1],
      [4, 7],
    ],
  ] as const;

  /** The pairs [row, column] of one matrix of the results. */
  const pairsOf = (columnOf: readonly number[]): number[][] =>
    columnOf.flatMap((c, r) => (c < 0 ? [] : [[r, c]]));

  test.each(sizes)("%d x %d: no matching is cheaper, whatever is absent", async (rows, columns) => {
    const batch = 12;
    const cost = input("cost", "f32", [batch, rows!, columns!]);
    const present = input("present", "bool", [batch, columns!]);
    const found = assignment(cost as Tensor, present as Tensor);
    const graph = graphOf([
      { name: "rows", tensor: found.rows },
      { name: "columns", tensor: found.columns },
    ]);
    const seed = 100 * rows! + columns!;
    const arrays = {
      cost: randomNumbers(batch * rows! * columns!, seed, [-5, 5]),
      // Every column of the first matrix, none of the second, and any of the others.
      present: randomNumbers(batch * columns!, seed + 1, [0, 2]).map((v, i) =>
        i < columns! ? 1 : i < 2 * columns! ? 0 : Math.floor(v),
      ),
    };
    const doubled = await evaluate(graph, arrays);
    const single = await runOnReference(graph, arrays);
    expect(single).toEqual(doubled);
    const matrices = chunks(
      chunks(arrays.cost, columns!) as never,
      rows!,
    ) as unknown as number[][][];
    for (const [b, matrix] of matrices.entries()) {
      const here = arrays.present.slice(b * columns!, (b + 1) * columns!);
      const there = [...here.keys()].filter((c) => here[c]);
      const best = cheapestPairs(matrix.map((line) => there.map((c) => line[c]!)));
      const wanted = best.map(([r, i]) => [r, there[i]!]);
      expect(pairsOf(chunks(single.rows!, rows!)[b]!)).toEqual(wanted);
      const back = pairsOf(chunks(single.columns!, columns!)[b]!).map(([c, r]) => [r, c]);
      expect(back.sort((p, q) => p[0]! - q[0]!)).toEqual(wanted);
    }
  });

  test("costs that are infinite or no number are worse than all others, and break nothing", async () => {
    const cost = input("cost", "f32", [1, 3, 3]);
    const graph = graphOf([{ name: "rows", tensor: assignment(cost as Tensor).rows }]);
    const [huge, none] = [Number.POSITIVE_INFINITY, Number.NaN];
    const arrays = { cost: [huge, 1, none, none, huge, 2, 3, none, huge] };
    expect(await runOnReference(graph, arrays)).toEqual({ rows: [1, 2, 0] });
  });
});

/** Two images: three objects of five slots, more than the two queries of the second size; and none. */
const [n, classes, h, w] = [2, 4, 3, 4];
const slots = 5;
const labels = [2, -1, 0, 3, -1, -1, -1, -1, -1, -1];

function setProgram(queries: number, given: readonly number[] = labels) {
  const inputs = {
    c: input("x0", "f32", [n, queries, classes + 1]) as Tensor,
    m: input("x1", "f32", [n, queries, h, w]) as Tensor,
    l: input("x2", "i32", [n, slots]) as Tensor,
    t: input("x3", "i32", [n, slots, h, w]) as Tensor,
  };
  const prediction = { classes: inputs.c, masks: inputs.m };
  const targets = { labels: inputs.l, masks: cast(inputs.t, "f32") as Tensor };
  const arrays: Arrays & Record<string, number[]> = {
    x0: randomNumbers(n * queries * (classes + 1), queries, [-2, 2]),
    x1: randomNumbers(n * queries * h * w, queries + 1, [-3, 3]),
    x2: [...given],
    x3: randomNumbers(n * slots * h * w, queries + 2, [0, 2]).map(Math.floor),
  };
  const plain = Array.from({ length: n }, (_, b): PlainSet => {
    const part = (values: readonly number[], size: number) =>
      chunks(values.slice((b * values.length) / n, ((b + 1) * values.length) / n), size);
    return {
      classes: part(arrays.x0!, classes + 1),
      masks: part(arrays.x1!, h * w),
      labels: given.slice(b * slots, (b + 1) * slots),
      targetMasks: part(arrays.x3!, h * w),
    };
  });
  return { inputs, prediction, targets, arrays, plain };
}

describe.each([
  ["more queries than objects", 6, labels],
  ["fewer queries than objects", 2, labels],
  ["a single query", 1, labels],
  ["objects in both images", 5, [1, 1, 0, -1, 3, -1, 2, -1, 0, -1]],
] as const)("the set loss with %s", (_claim, queries, given) => {
  test("matches as the cheapest of all matchings, and has the terms of the formula", async () => {
    const { prediction, targets, arrays, plain } = setProgram(queries, given);
    const terms = setTerms(prediction, targets);
    const graph = graphOf([
      ...Object.entries(terms).map(([name, tensor]) => ({ name, tensor })),
      { name: "rows", tensor: matchSets(prediction, targets).rows },
      { name: "loss", tensor: setLoss(prediction, targets, { class: 2, mask: 3, dice: 4 }) },
    ]);
    const wanted = plainSetTerms(plain);
    const weighted = 2 * wanted.class + 3 * wanted.mask + 4 * wanted.dice;
    const results = await runOnReference(graph, arrays, { precision: "double" });
    for (const [b, item] of plain.entries()) {
      const row = Array(queries).fill(-1);
      for (const [q, g] of plainMatching(item)) row[q] = g;
      expect(results.rows!.slice(b * queries, (b + 1) * queries)).toEqual(row);
    }
    for (const [name, value] of Object.entries({ ...wanted, loss: weighted }))
      expect(Math.abs(results[name]![0]! - value), name).toBeLessThan(1e-9 * value + 1e-12);
  });
});

test.each([6, 2])(
  "with %d queries the set loss has the derivative that differences have",
  async (queries) => {
    const { inputs, prediction, targets, arrays } = setProgram(queries);
    const loss = setLoss(prediction, targets);
    const graph = graphOf([{ name: "y0", tensor: loss }]);
    await checkDerivative({
      claim: "set",
      smooth: true,
      inputs: Object.values(inputs),
      outputs: [loss],
      graph,
      arrays,
    });
  },
);

test("without any object the masks learn nothing and the classes learn absence", async () => {
  const { inputs, prediction, targets, arrays } = setProgram(3, Array(10).fill(-1));
  const loss = setLoss(prediction, targets);
  const one: Tensor = full(1, []);
  const [toClasses, toMasks] = gradient([loss], [one], [inputs.c, inputs.m]);
  const graph = graphOf([
    ...Object.entries(setTerms(prediction, targets)).map(([name, tensor]) => ({ name, tensor })),
    { name: "toClasses", tensor: toClasses! },
    { name: "toMasks", tensor: toMasks! },
  ]);
  const results = await runOnReference(graph, arrays);
  expect([results.mask, results.dice]).toEqual([[0], [0]]);
  expect(results.toMasks!.every((g) => g === 0)).toBe(true);
  for (const row of chunks(results.toClasses!, classes + 1)) expect(row.at(-1)).toBeLessThan(0);
});

test("a label map is one object per class that is there", async () => {
  const map = input("map", "i32", [1, 2, 3]);
  const { labels: own, masks } = classMasks(map as Tensor, 3);
  const graph = graphOf([
    { name: "labels", tensor: own },
    { name: "masks", tensor: masks },
  ]);
  expect(await runOnReference(graph, { map: [2, 0, 255, 0, 0, -1] })).toEqual({
    labels: [0, -1, 2],
    masks: [0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0],
  });
});

describeOnDevice("on a device", () => {
  test("the set loss, its matching and its gradient are those of the reference device", async () => {
    const { inputs, prediction, targets, arrays } = setProgram(
      5,
      [1, 1, 0, -1, 3, -1, 2, -1, 0, -1],
    );
    const loss = setLoss(prediction, targets);
    const one: Tensor = full(1, []);
    const [toClasses, toMasks] = gradient([loss], [one], [inputs.c, inputs.m]);
    const graph = graphOf([
      { name: "loss", tensor: loss },
      { name: "rows", tensor: matchSets(prediction, targets).rows },
      { name: "toClasses", tensor: toClasses! },
      { name: "toMasks", tensor: toMasks! },
    ]);
    const wanted = await runOnReference(graph, arrays, { precision: "double" });
    const got = await runOnDevice(graph, arrays);
    for (const [name, values] of Object.entries(wanted)) {
      const largest = Math.max(...values.map(Math.abs));
      for (const [i, v] of values.entries())
        expect(Math.abs(got[name]![i]! - v), `${name} ${i}`).toBeLessThanOrEqual(1e-5 * largest);
    }
  });
});
