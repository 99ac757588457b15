/** Weights of pixels: one of 2 counts as two pixels would, and one of 0 counts nothing, whatever it holds. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../../adapters/adapter.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { adapt, defineModel } from "../../../compiler/index.ts";
import { gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { cast, full, mul } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createTrainer, sgd } from "../../../training/index.ts";
import * as losses from "../../../training/losses/index.ts";
import { randomNumbers, runOnReference } from "../../../verify/ops/evaluate.ts";
import { checkDerivative } from "../../ops/walker/check.ts";
import * as plain from "../../support/losses-plain.ts";
import { refusal } from "../../support/weights-files.ts";
import { weightsOf } from "../../support/weights-of.ts";

const [n, height, width] = [2, 4, 33];
const pixels = height * width;
const whole = (count: number, seed: number, least: number, most: number) =>
  randomNumbers(count, seed, [least, most + 1]).map(Math.floor);

/** 0 to 3 for each pixel of each map: a third count nothing. */
const weights = whole(n * pixels, 1, -1, 3).map((v) => Math.max(0, v));

/** Every pixel as often as it counts; `values` have so many numbers for each. */
const repeated = <T>(values: readonly T[]) =>
  values.flatMap((v, i) => Array<T>(weights[i]!).fill(v));
const inMaps = (values: readonly number[]) =>
  Array.from({ length: n }, (_, b) => {
    const own = (list: readonly number[]) => list.slice(b * pixels, (b + 1) * pixels);
    return own(values).flatMap((v, i) => Array<number>(own(weights)[i]!).fill(v));
  });
/** [n, channels, pixels] as one list for each pixel. */
const vectors = (values: readonly number[], channels: number) =>
  Array.from({ length: n * pixels }, (_, i) => {
    const [b, p] = [Math.floor(i / pixels), i % pixels];
    return Array.from({ length: channels }, (_c, c) => values[(b * channels + c) * pixels + p]!);
  });

const logits = randomNumbers(n * pixels, 2, [-3, 3]);
const binary = whole(n * pixels, 3, 0, 1);
const scores = randomNumbers(n * 5 * pixels, 4, [-3, 3]);
const labels = whole(n * pixels, 5, -1, 4);
const [depth, trueDepth] = [randomNumbers(n * pixels, 6, [-3, 3]), whole(n * pixels, 7, 0, 3)];
const normals = randomNumbers(n * 3 * pixels, 8, [-3, 3]);
const trueNormals = whole(n * 3 * pixels, 9, -1, 1);

type Call = (x: Tensor, target: Tensor, options: { weight: Tensor }) => Tensor;
interface Subject {
  readonly name: string;
  readonly channels?: readonly [prediction: number, target: number];
  readonly x: readonly number[];
  readonly target: readonly number[];
  /** Targets are labels. */
  readonly isWhole?: boolean;
  readonly call: Call;
  readonly value: number;
}

const ofMaps = (name: string, call: Call, value: (x: plain.Maps, t: plain.Maps) => number) => ({
  ...{ name, call, x: logits, target: binary },
  value: value(inMaps(logits), inMaps(binary)),
});

const subjects: readonly Subject[] = [
  ofMaps("bce", losses.bce, plain.plainBce),
  ofMaps("balancedBce", losses.balancedBce, plain.plainBalancedBce),
  ofMaps("dice", losses.dice, plain.plainDice),
  ofMaps("focal", losses.focal, (x, t) => plain.plainFocal(x, t, 0.25, 2)),
  ofMaps("iou", losses.iou, plain.plainIou),
  ofMaps("structureLoss", losses.structureLoss, () => {
    const rows = (values: readonly number[]) =>
      Array.from({ length: n }, (_, b) => values.slice(b * pixels, (b + 1) * pixels));
    return plain.plainStructure(rows(logits), rows(binary), height, width, rows(weights));
  }),
  {
    name: "crossEntropy",
    channels: [5, 0],
    ...{ x: scores, target: labels, isWhole: true, call: losses.crossEntropy },
    value: plain.plainCrossEntropy(repeated(vectors(scores, 5)), repeated(labels), -1),
  },
  {
    name: "classDice",
    channels: [5, 0],
    ...{ x: scores, target: labels, isWhole: true, call: losses.classDice },
    value: plain.plainClassDice(repeated(vectors(scores, 5)), repeated(labels), -1),
  },
  {
    name: "l1Depth",
    ...{ x: depth, target: trueDepth, call: losses.l1Depth },
    value: plain.plainDepth(repeated(depth), repeated(trueDepth)),
  },
  {
    name: "cosineNormals",
    channels: [3, 3],
    ...{ x: normals, target: trueNormals, call: losses.cosineNormals },
    value: plain.plainNormals(repeated(vectors(normals, 3)), repeated(vectors(trueNormals, 3))),
  },
];

function programOf({ channels = [1, 1], x, target, isWhole, call }: Subject) {
  const shape = (count: number) => (count === 0 ? [n, height, width] : [n, count, height, width]);
  const inputs = [
    input("x0", "f32", shape(channels[0])),
    input("x1", "i32", shape(channels[1])),
    input("x2", "i32", shape(channels[1] === 3 ? 1 : channels[1])),
  ] as Tensor[];
  const floats = (tensor: Tensor): Tensor => cast(tensor, "f32");
  const [own, wanted, counts] = inputs as [Tensor, Tensor, Tensor];
  const loss = call(own, isWhole ? wanted : floats(wanted), { weight: floats(counts) });
  const one: Tensor = full(1, []);
  const [toOwn] = gradient([loss], [one], [own]);
  return {
    ...{ inputs, loss, graph: graphOf([{ name: "y0", tensor: loss }]) },
    both: graphOf([
      { name: "y0", tensor: loss },
      { name: "g0", tensor: toOwn! },
    ]),
    arrays: { x0: x, x1: target, x2: weights },
  };
}

describe.each(subjects)("$name with weights", (subject) => {
  test("is what it is of each pixel as often as it counts", async () => {
    const { graph, arrays } = programOf(subject);
    const exact = await runOnReference(graph, arrays, { precision: "double" });
    expect(Math.abs(exact.y0![0]! / subject.value - 1)).toBeLessThan(1e-8);
  });

  test("has the derivative that differences have", async () => {
    const { inputs, loss, graph, arrays } = programOf(subject);
    const claim = subject.name;
    await checkDerivative({ claim, smooth: true, inputs, outputs: [loss], graph, arrays });
  });

  test("takes anything where it does not count, and sends no gradient there", async () => {
    const { both, arrays } = programOf(subject);
    const channels = subject.channels?.[0] ?? 1;
    const isSeen = (i: number) => {
      const b = Math.floor(i / (channels * pixels));
      return weights[b * pixels + (i % pixels)]! > 0;
    };
    const odd = subject.x.map((v, i) => (isSeen(i) ? v : i % 2 ? Number.NaN : Infinity));
    const [plainly, found] = [
      await runOnReference(both, arrays),
      await runOnReference(both, { ...arrays, x0: odd }),
    ];
    expect(found.y0).toEqual(plainly.y0);
    for (const [i, g] of found.g0!.entries()) expect(g).toBe(isSeen(i) ? plainly.g0![i] : 0);
  });

  test("is a plain number where nothing counts", async () => {
    const { both, arrays } = programOf(subject);
    const { y0, g0 } = await runOnReference(both, { ...arrays, x2: weights.map(() => 0) });
    // Overlaps of nothing are as those of an empty mask.
    const isOne = subject.name === "iou";
    expect(y0).toEqual([isOne ? 1 : 0]);
    expect(g0!.every((g) => g === 0)).toBe(true);
  });
});

test("the set loss matches by what counts, and has the terms of each pixel as often as it counts", async () => {
  const [queries, slots, classes] = [6, 5, 4];
  const given = [1, 1, 0, -1, 3, -1, 2, 0, 2, -1];
  const arrays = {
    c: randomNumbers(n * queries * (classes + 1), 10, [-2, 2]),
    m: randomNumbers(n * queries * pixels, 11, [-3, 3]),
    t: whole(n * slots * pixels, 12, 0, 1),
    w: weights,
  };
  const targets = {
    labels: input("l", "i32", [n, slots]) as Tensor,
    masks: cast(input("t", "i32", [n, slots, height, width]) as Tensor, "f32") as Tensor,
    weight: cast(input("w", "i32", [n, 1, height, width]) as Tensor, "f32") as Tensor,
  };
  const prediction = {
    classes: input("c", "f32", [n, queries, classes + 1]) as Tensor,
    masks: input("m", "f32", [n, queries, height, width]) as Tensor,
  };
  const rows = (values: readonly number[], b: number, count: number) =>
    Array.from({ length: count }, (_, i) =>
      values
        .slice((b * count + i) * pixels, (b * count + i + 1) * pixels)
        .flatMap((v, p) => Array<number>(weights[b * pixels + p]!).fill(v)),
    );
  const items = Array.from(
    { length: n },
    (_, b): plain.PlainSet => ({
      classes: Array.from({ length: queries }, (_q, q) =>
        arrays.c.slice((b * queries + q) * (classes + 1), (b * queries + q + 1) * (classes + 1)),
      ),
      masks: rows(arrays.m, b, queries),
      labels: given.slice(b * slots, (b + 1) * slots),
      targetMasks: rows(arrays.t, b, slots),
    }),
  );
  const graph = graphOf([
    ...Object.entries(losses.setTerms(prediction, targets)).map(([name, tensor]) => ({
      name,
      tensor,
    })),
    { name: "rows", tensor: losses.matchSets(prediction, targets).rows },
  ]);
  const results = await runOnReference(graph, { ...arrays, l: given }, { precision: "double" });
  for (const [b, item] of items.entries()) {
    const row = Array(queries).fill(-1);
    for (const [q, g] of plain.plainMatching(item)) row[q] = g;
    expect(results.rows!.slice(b * queries, (b + 1) * queries)).toEqual(row);
  }
  for (const [name, value] of Object.entries(plain.plainSetTerms(items)))
    expect(Math.abs(results[name]![0]! / value - 1), name).toBeLessThan(1e-9);
});

test("E101: weights have the target's shape or one channel", async () => {
  const x = input("x", "f32", [2, 3, 4, 5]) as Tensor;
  const weight = input("w", "f32", [2, 2, 4, 5]) as Tensor;
  const error = await refusal(() => losses.bce(x, x, { weight }));
  expect([error.code, error.details.message]).toEqual([
    "E101",
    expect.stringContaining("the weights are f32[2, 2, 4, 5]"),
  ]);
});

test("E342: a training step refuses weights below zero and what is no number, and changes nothing", async () => {
  const model = defineModel({
    name: "scaled",
    build: (p) => ({ y: mul(input("x", "f32", [1, 1, 2, 2]), p.f32("w", [1, 1, 1, 1])) as never }),
  });
  const shape = [1, 1, 2, 2];
  const session = await createTrainer(adapt(model, defineAdapter({ name: "all", train: ["**"] })), {
    device: referenceDevice(),
    weights: await weightsOf({ w: [1, 1, 1, 1] }),
    rate: 0.1,
    optimiser: sgd({}),
    loss: ({ y }) => ({
      bce: losses.bce(y!, input("t", "f32", shape), { weight: input("void", "f32", shape) }),
    }),
  });
  const inputs = { x: [1, 2, 3, 4], t: [0, 1, 0, 1] };
  for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    const error = await refusal(() => session.step({ ...inputs, void: [1, 0, wrong, 1] }));
    expect([error.code, error.details.message]).toEqual([
      "E342",
      `void[0, 0, 1, 0] is ${wrong}, but a weight is 0 or more`,
    ]);
  }
  expect([...(await session.parameter("w"))]).toEqual([1]);
  await session.step({ ...inputs, void: [1, 0, 0.5, 1] });
  expect([...(await session.parameter("w"))]).not.toEqual([1]);
  await session.close();
});
