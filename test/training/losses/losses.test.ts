/** Losses are what their papers say, with the derivative that belongs to it, whatever they are given. */
import { describe, expect, test } from "vitest";
import { gateBalance, orthogonality, tuckerOrthogonality } from "../../../adapters/terms.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { add, cast, full, mul } from "../../../ops/index.ts";
import * as losses from "../../../training/losses/index.ts";
import {
  type Arrays,
  evaluate,
  randomNumbers,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { verify } from "../../../verify/verify.ts";
import { checkDerivative } from "../../ops/walker/check.ts";
import { deviceTest } from "../../support/device.ts";
import { fixture } from "../../support/fixtures.ts";
import * as plain from "../../support/losses-plain.ts";
import { runOnDevice } from "../../support/on-device.ts";
import { fixturePath } from "../../support/weights-files.ts";

interface Given {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface Subject {
  readonly claim: string;
  readonly wrt: readonly Given[];
  /** Whole numbers: no derivative is asked of them. */
  readonly fixed?: readonly Given[];
  readonly call: (wrt: readonly Tensor[], fixed: readonly Tensor[]) => Tensor;
  readonly value: number;
}

const random = (shape: readonly number[], seed: number, range: [number, number] = [-3, 3]) => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, values: randomNumbers(count, seed, range) };
};
/** Whole numbers, both ends included. */
const whole = (shape: readonly number[], seed: number, [low, high]: readonly [number, number]) => {
  const { values } = random(shape, seed, [low, high + 1]);
  return { shape, values: values.map(Math.floor) };
};
const rows = ({ values }: Given, width: number) =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
/** [n, channels, pixels] as [n * pixels, channels]. */
const perPixel = (given: Given, pixels: number) => {
  const channels = given.shape[1]!;
  return rows(given, channels * pixels).flatMap((item) =>
    Array.from({ length: pixels }, (_, p) => item.filter((_v, i) => i % pixels === p)),
  );
};
const floats = (x: Tensor | undefined, scale = 1): Tensor => mul(cast(x!, "f32") as Tensor, scale);

// Wider than the windows of the structure loss, so that they meet one border, both, or none.
const size = { height: 7, width: 33 };
const logits = random([2, 1, size.height, size.width], 1);
const binary = whole(logits.shape, 2, [0, 1]);
const soft = whole(logits.shape, 3, [0, 4]);
const quarters = { ...soft, values: soft.values.map((v) => v / 4) };
const maps = (given: Given) => rows(given, size.height * size.width);
const [scores, labels] = [random([2, 5, 3, 7], 4), whole([2, 3, 7], 5, [-1, 4])];
const [depth, trueDepth] = [random([2, 1, 5, 9], 6), whole([2, 1, 5, 9], 7, [0, 3])];
const [normals, trueNormals] = [random([2, 3, 4, 5], 8), whole([2, 3, 4, 5], 9, [-1, 1])];
const gate = {
  chosen: whole([6, 5], 10, [0, 1]),
  clean: random([6, 5], 11, [-1, 1]),
  sample: random([6, 5], 12, [-2, 2]),
  deviation: random([6, 5], 13, [0.2, 1]),
};
const noiseOf = (kept: number) => ({
  clean: rows(gate.clean, 5),
  noisy: rows(gate.clean, 5).map((row, b) =>
    row.map((v, e) => v + gate.sample.values[5 * b + e]! * gate.deviation.values[5 * b + e]!),
  ),
  deviation: rows(gate.deviation, 5),
  kept,
});
const factors = [random([7, 3], 14), random([9, 4], 15), random([3, 4, 2], 16)];
const coreSlice = (c: number) =>
  rows({ ...factors[2]!, values: factors[2]!.values.filter((_, i) => i % 2 === c) }, 4);

/** A loss of logits and a binary or soft target. */
const ofMaps = (
  claim: string,
  call: (x: Tensor, t: Tensor) => Tensor,
  value: (x: plain.Maps, t: plain.Maps) => number,
  target: "binary" | "soft",
): Subject => ({
  claim,
  wrt: [logits],
  fixed: [target === "soft" ? soft : binary],
  call: ([x], [t]) => call(x!, floats(t, target === "soft" ? 0.25 : 1)),
  value: value(maps(logits), maps(target === "soft" ? quarters : binary)),
});

const subjects: readonly Subject[] = [
  ofMaps("bce", losses.bce, plain.plainBce, "soft"),
  ofMaps("balancedBce", losses.balancedBce, plain.plainBalancedBce, "binary"),
  ofMaps("dice", losses.dice, plain.plainDice, "soft"),
  ofMaps("focal", losses.focal, (x, t) => plain.plainFocal(x, t, 0.25, 2), "binary"),
  ofMaps(
    "focal with a gamma below 1",
    (x, t) => losses.focal(x, t, { alpha: 0.4, gamma: 0.5 }),
    (x, t) => plain.plainFocal(x, t, 0.4, 0.5),
    "binary",
  ),
  ofMaps("iou", losses.iou, plain.plainIou, "soft"),
  ofMaps(
    "structureLoss",
    losses.structureLoss,
    (x, t) => plain.plainStructure(x, t, size.height, size.width),
    "binary",
  ),
  {
    claim: "crossEntropy",
    wrt: [scores],
    fixed: [labels],
    call: ([x], [l]) => losses.crossEntropy(x!, l!),
    value: plain.plainCrossEntropy(perPixel(scores, 21), labels.values, -1),
  },
  {
    claim: "crossEntropy that ignores a class",
    wrt: [scores],
    fixed: [{ ...labels, values: labels.values.map((l) => Math.max(0, l)) }],
    call: ([x], [l]) => losses.crossEntropy(x!, l!, { ignore: 3 }),
    value: plain.plainCrossEntropy(
      perPixel(scores, 21),
      labels.values.map((l) => Math.max(0, l)),
      3,
    ),
  },
  {
    claim: "classDice",
    wrt: [scores],
    fixed: [labels],
    call: ([x], [l]) => losses.classDice(x!, l!),
    value: plain.plainClassDice(perPixel(scores, 21), labels.values, -1),
  },
  {
    claim: "l1Depth",
    wrt: [depth],
    fixed: [trueDepth],
    call: ([p], [t]) => losses.l1Depth(p!, floats(t)),
    value: plain.plainDepth(depth.values, trueDepth.values),
  },
  {
    claim: "cosineNormals",
    wrt: [normals],
    fixed: [trueNormals],
    call: ([p], [t]) => losses.cosineNormals(p!, floats(t)),
    value: plain.plainNormals(perPixel(normals, 20), perPixel(trueNormals, 20)),
  },
  ...[1, 2, 4].map((kept) => ({
    claim: `gateBalance with ${kept} of 5 experts`,
    wrt: [gate.clean, gate.sample, gate.deviation],
    fixed: [gate.chosen],
    // The noisy logits are computed here, so that kernels compute them more than once.
    call: ([clean, sample, deviation]: readonly Tensor[], [chosen]: readonly Tensor[]) => {
      const noisy: Tensor = add(clean!, mul(sample!, deviation!) as Tensor);
      return gateBalance(floats(chosen), { clean: clean!, noisy, deviation: deviation!, kept });
    },
    value: plain.plainBalance(rows(gate.chosen, 5), noiseOf(kept)),
  })),
  {
    claim: "gateBalance without noise",
    wrt: [],
    fixed: [gate.chosen],
    call: (_, [chosen]) => gateBalance(floats(chosen)),
    value: plain.plainBalance(rows(gate.chosen, 5)),
  },
  {
    claim: "tuckerOrthogonality",
    wrt: factors,
    call: ([left, right, core]) =>
      tuckerOrthogonality([
        { left: left!, right: right!, core: core! },
        { left: right!, right: left!, core: core! },
      ]),
    value:
      plain.total([
        plain.plainOrthogonality(rows(factors[0]!, 3)),
        plain.plainOrthogonality(rows(factors[1]!, 4)),
        plain.plainOrthogonality(coreSlice(0)),
        plain.plainOrthogonality(coreSlice(1)),
      ]) / 4,
  },
];

/** The loss of a subject as a program, with its gradient where it has one. */
function programOf({ wrt, fixed = [], call }: Pick<Subject, "wrt" | "fixed" | "call">) {
  const inputs = [
    ...wrt.map(({ shape }, i) => input(`x${i}`, "f32", shape) as Tensor),
    ...fixed.map(({ shape }, i) => input(`x${wrt.length + i}`, "i32", shape) as Tensor),
  ];
  const loss = call(inputs.slice(0, wrt.length), inputs.slice(wrt.length));
  const graph = graphOf([{ name: "y0", tensor: loss }]);
  const one: Tensor = full(1, []);
  const gradients = gradient([loss], [one], inputs.slice(0, wrt.length));
  const backward = gradients.flatMap((g, i) => (g ? [{ name: `g${i}`, tensor: g }] : []));
  const arrays: Arrays = Object.fromEntries(
    [...wrt, ...fixed].map(({ values }, i) => [`x${i}`, values]),
  );
  return { inputs, loss, graph, arrays, both: graphOf([...graph.outputs, ...backward]) };
}

describe.each(subjects)("$claim", (subject) => {
  test("has the value of the plain formula, as a number without dimensions", async () => {
    const { loss, graph, arrays } = programOf(subject);
    expect(loss.shape).toEqual([]);
    const { y0 } = await evaluate(graph, arrays);
    expect(Math.abs(y0![0]! - subject.value)).toBeLessThan(1e-8 * Math.abs(subject.value));
    const kernels = await runOnReference(graph, arrays);
    expect(Math.abs(kernels.y0![0]! - subject.value)).toBeLessThan(2e-6 * Math.abs(subject.value));
  });

  test("has the derivative that differences have", async () => {
    const { inputs, loss, graph, arrays } = programOf(subject);
    await checkDerivative({
      claim: subject.claim,
      smooth: true,
      inputs,
      outputs: [loss],
      graph,
      arrays,
    });
  });
});

const zeros = (shape: readonly number[], value = 0): Given => ({
  shape,
  values: Array(shape.reduce((a, b) => a * b, 1)).fill(value),
});

describe("where nothing counts", () => {
  const empty: readonly (readonly [string, Pick<Subject, "wrt" | "fixed" | "call">, number])[] = [
    [
      "every pixel is ignored",
      {
        wrt: [scores],
        fixed: [zeros([2, 3, 7], -1)],
        call: ([x], [l]) => losses.crossEntropy(x!, l!),
      },
      0,
    ],
    [
      "no depth is known",
      {
        wrt: [depth],
        fixed: [zeros([2, 1, 5, 9])],
        call: ([p], [t]) => losses.l1Depth(p!, floats(t)),
      },
      0,
    ],
    [
      "no normal is known",
      {
        wrt: [normals],
        fixed: [zeros([2, 3, 4, 5])],
        call: ([p], [t]) => losses.cosineNormals(p!, floats(t)),
      },
      0,
    ],
    [
      "a target without the positive outcome, balanced",
      {
        wrt: [logits],
        fixed: [zeros(logits.shape)],
        call: ([x], [t]) => losses.balancedBce(x!, floats(t)),
      },
      0,
    ],
    [
      "factors are orthonormal",
      { wrt: [{ shape: [2, 1], values: [0, 1] }], call: ([x]) => orthogonality(x!) },
      0,
    ],
    [
      "an empty target and no probability anywhere, by overlap",
      {
        wrt: [zeros([1, 1, 2, 2], -1e4)],
        fixed: [zeros([1, 1, 2, 2])],
        call: ([x], [t]) => losses.iou(x!, floats(t)),
      },
      1,
    ],
    [
      "a prediction has no length",
      {
        wrt: [zeros([1, 3, 1, 1])],
        fixed: [zeros([1, 3, 1, 1], 1)],
        call: ([p], [t]) => losses.cosineNormals(p!, floats(t)),
      },
      1,
    ],
  ];

  test.each(empty)(
    "%s: the loss is a plain number and the gradient 0",
    async (_claim, subject, value) => {
      const { both, arrays } = programOf(subject);
      const { y0, g0 } = await runOnReference(both, arrays);
      expect(y0).toEqual([value]);
      expect(g0!.every((g) => g === 0)).toBe(true);
    },
  );

  test("a single expert is always balanced", async () => {
    const call = (_: unknown, [g]: readonly Tensor[]) => gateBalance(floats(g));
    const { graph, arrays } = programOf({ wrt: [], fixed: [zeros([3, 1], 1)], call });
    expect((await runOnReference(graph, arrays)).y0).toEqual([0]);
  });
});

describe("the published numbers", () => {
  const { tensors, metadata } = fixture("dense_metrics.safetensors");
  const expected = JSON.parse(metadata.expected!) as Record<string, number>;
  const given = (name: string): Given => {
    const { shape, data } = tensors.get(name)!;
    return { shape, values: Array.from(data as ArrayLike<number | bigint>, Number) };
  };
  const cases: readonly (readonly [string, readonly string[], Subject["call"]])[] = [
    ["loss_semantic", ["semantic.logits"], ([x], [l]) => losses.crossEntropy(x!, l!)],
    ["loss_depth", ["depth.prediction", "depth.target"], ([p, t]) => losses.l1Depth(p!, t!)],
    [
      "loss_normal",
      ["normal.prediction", "normal.target"],
      ([p, t]) => losses.cosineNormals(p!, t!),
    ],
  ];

  test.each(cases)("%s", async (name, wrt, call) => {
    const fixed = name === "loss_semantic" ? [given("semantic.target")] : [];
    const { graph, arrays } = programOf({ wrt: wrt.map(given), fixed, call });
    const { y0 } = await runOnReference(graph, arrays);
    expect(Math.abs(y0![0]! / expected[name]! - 1)).toBeLessThan(1e-6);
  });

  test("the structure loss and its gradient", async () => {
    const files = [fixturePath("structure_loss.safetensors")];
    const report = await verify({ files, device: "reference" });
    const [{ checks, unread }] = report.files as [(typeof report.files)[0]];
    expect(checks.map(({ passed }) => passed)).toEqual([true, true, true, true]);
    expect(unread).toEqual([]);
  });
});

/** Logits of +-1e4, +-20 and 0 against either target. */
const extremes = [1e4, -1e4, 20, -20, 0];
const extreme: Given = { shape: [1, 1, 2, 5], values: [...extremes, ...extremes] };
const either: Given = { shape: [1, 1, 2, 5], values: [1, 1, 1, 1, 1, 0, 0, 0, 0, 0] };
const classes: Given = { shape: [1, 5, 1, 2], values: extremes.flatMap((v) => [v, -v]) };

deviceTest(
  "with logits of 10,000 every loss and gradient on a device is the right number",
  async () => {
    const x = input("x", "f32", extreme.shape) as Tensor;
    const c = input("c", "f32", classes.shape) as Tensor;
    const t = floats(input("t", "i32", either.shape));
    const l = input("l", "i32", [1, 1, 2]) as Tensor;
    const named: Record<string, Tensor> = {
      bce: losses.bce(x, t),
      balancedBce: losses.balancedBce(x, t),
      dice: losses.dice(x, t),
      focal: losses.focal(x, t),
      iou: losses.iou(x, t),
      structureLoss: losses.structureLoss(x, t),
      crossEntropy: losses.crossEntropy(c, l),
    };
    const one: Tensor = full(1, []);
    const outputs = Object.entries(named).flatMap(([name, tensor]) => {
      const g = gradient([tensor], [one], [name === "crossEntropy" ? c : x])[0]!;
      return [
        { name, tensor },
        { name: `${name} gradient`, tensor: g },
      ];
    });
    const graph = graphOf(outputs);
    // Labels 0 and 0: of the first pixel the largest logit, of the second the smallest.
    const arrays = { x: extreme.values, t: either.values, c: classes.values, l: [0, 0] };
    const exact = await runOnReference(graph, arrays, { precision: "double" });
    const got = await runOnDevice(graph, arrays);
    for (const [name, wanted] of Object.entries(exact)) {
      const largest = Math.max(...wanted.map(Math.abs));
      for (const [i, v] of wanted.entries())
        expect(Math.abs(got[name]![i]! - v), `${name} ${i}`).toBeLessThan(1e-5 * largest + 1e-30);
    }
    // Four of the ten pixels are certain and wrong: two by 10,000 and two by 20.
    expect(exact.bce![0]).toBeCloseTo((2e4 + 40 + 2 * Math.LN2) / 10, 4);
    expect(exact.crossEntropy![0]).toBe(1e4);
  },
);
