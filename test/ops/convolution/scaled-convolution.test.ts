/** scaledConvolution: what it refuses, what it counts, and how few kernels its derivative takes. */
import { describe, expect, test } from "vitest";
import {
  compile,
  type DType,
  gradient,
  graphOf,
  input,
  type Tensor,
} from "../../../compiler/index.ts";
import { apply } from "../../../compiler/op-kit.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { op as gradientOp } from "../../../ops/convolution/scaled-convolution-gradient.ts";
import {
  gradientWorkAtScale,
  workAtScale,
} from "../../../ops/convolution/scaled-convolution-work.ts";
import { full, scaledConvolution } from "../../../ops/index.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";

const t = (name: string, shape: readonly number[], dtype: DType = "f32"): Tensor =>
  input(name, dtype, shape);

/** Two maps of 3 x 4 pixels with 2 channels, one expert of each scale. */
function operands(scales: readonly number[], choice: Tensor = t("choice", [2, 1], "i32")) {
  const count = scales.length;
  const [x, weights] = [t("x", [2, 3, 4, 2]), t("weights", [count, 2, 2, 3, 3])];
  return { x, choice, weights, bias: t("bias", [count, 2]) };
}

function call(scales: readonly number[], change: Partial<ReturnType<typeof operands>> = {}) {
  const { x, choice, weights, bias } = { ...operands(scales), ...change };
  return scaledConvolution(x, choice, weights, bias, { scales });
}

/** The result and its derivatives, from a cotangent. */
function trainingGraph(scales: readonly number[], choice?: Tensor) {
  const { x, weights, bias, ...given } = operands(scales, choice);
  const y = scaledConvolution(x, given.choice, weights, bias, { scales });
  const found = gradient([y], [t("g", y.shape)], [x, weights, bias]) as Tensor[];
  const names = ["ofX", "ofWeights", "ofBias"];
  return graphOf(found.map((tensor, i) => ({ name: names[i]!, tensor })));
}

describe("scaledConvolution refuses", () => {
  const refused: readonly (readonly [message: string, help: string, of: () => unknown])[] = [
    [
      "takes f32[maps, height, width, channels], not f32[3, 4, 2]",
      "permute or reshape it",
      () => call([1], { x: t("x", [3, 4, 2]) }),
    ],
    [
      "the choice is f32[2, 1]",
      "whole numbers [2, kept]",
      () => call([1], { choice: t("c", [2, 1]) }),
    ],
    [
      "the choice is i32[3, 1]",
      "whole numbers [2, kept]",
      () => call([1], { choice: t("c", [3, 1], "i32") }),
    ],
    ["the scales are [1,1.5]", "a whole number from 1 up per expert", () => call([1, 1.5])],
    [
      "the weights are f32[2, 2, 1, 3, 3] for 2 channels in groups: 1",
      "f32[2, outputs, 2 / groups, 3, 3]",
      () => call([1, 2], { weights: t("w", [2, 2, 1, 3, 3]) }),
    ],
    ["the bias is f32[2]", "f32[2, 2]", () => call([1, 2], { bias: t("b", [2]) })],
    [
      "the cotangent is f32[2, 3, 4, 2], the result f32[2, 1, 3, 4, 2]",
      "",
      () => {
        const { x, choice, weights, bias } = operands([1]);
        apply(gradientOp, [x, choice, weights, bias, t("g", [2, 3, 4, 2])], {
          scales: [1],
          groups: 1,
        });
      },
    ],
  ];
  test.each(refused)("%s", (message, help, of) => {
    let thrown: unknown;
    try {
      of();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InarchError);
    const { code, details } = thrown as InarchError;
    expect(code).toBe("E101");
    expect(details.message).toContain(message);
    expect(details.help ?? "").toContain(help);
  });
});

describe("counted work", () => {
  const scales = [1, 2, 3, 4, 5, 6, 7, 8];
  const { x, choice, weights, bias } = operands(scales);
  const inputs = [x, choice, weights, bias];

  test.each([
    ["of the result", workAtScale],
    ["of the gradient", gradientWorkAtScale],
  ])(
    "%s is one number for odd scales, and another, at most 16 times it, for even ones",
    (_, of) => {
      const counts = scales.map((scale) => of(inputs, scales, scale));
      const [odd, even] = [counts[0]!, counts[1]!];
      expect(counts).toEqual([odd, even, odd, even, odd, even, odd, even]);
      expect(even).toBeGreaterThan(odd);
      expect(even).toBeLessThan(16 * odd);
    },
  );
});

describe("the derivative", () => {
  const arrays = (experts: number) => ({
    x: randomNumbers(48, 1),
    choice: [2, 0],
    weights: randomNumbers(36 * experts, 2),
    bias: randomNumbers(2 * experts, 3),
    g: randomNumbers(48, 4),
  });

  test("takes five kernels at most, one of them for all samples", () => {
    const plan = compile(trainingGraph([1, 2, 3, 4]), { target: "reference" });
    expect(plan.steps.length).toBeLessThanOrEqual(5);
    expect(plan.kernels[plan.steps[0]!.kernel]!.name).toBe("scaledConvolutionGradient");
  });

  test("is zero for experts that no map goes to, and for no other", async () => {
    const results = await evaluate(trainingGraph([1, 2, 3, 4]), arrays(4));
    const isZero = (name: string, each: number) =>
      [0, 1, 2, 3].map((e) => results[name]!.slice(e * each, (e + 1) * each).every((v) => v === 0));
    expect(isZero("ofWeights", 36)).toEqual([false, true, false, true]);
    expect(isZero("ofBias", 2)).toEqual([false, true, false, true]);
  });

  test("needs neither wide workgroups nor many along an axis", async () => {
    const profile = { ...defaultProfile, name: "narrow", maxThreads: 8, maxGroups: 5 };
    const graph = trainingGraph([3, 2, 5, 8]);
    const wanted = await evaluate(graph, arrays(4));
    const got = await runOnReference(graph, arrays(4), { profile });
    for (const [name, values] of Object.entries(wanted))
      expect(relativeError(got[name]!, values), name).toBeLessThan(1e-6);
  });

  test("is the same whether the choice is known beforehand or given", async () => {
    const constant = trainingGraph([1, 4], full(1, [2, 1], "i32") as Tensor);
    const { choice: _, ...others } = arrays(2);
    const given = await runOnReference(trainingGraph([1, 4]), { ...others, choice: [1, 1] });
    expect(await runOnReference(constant, others)).toEqual(given);
  });
});
