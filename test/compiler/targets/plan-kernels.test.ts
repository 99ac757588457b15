/** The kernels of a plan: no two have one text, names apart, and one that serves several is right. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  compile,
  graphOf,
  input,
  type Model,
  type Plan,
  type Tensor,
  traceProgram,
} from "../../../compiler/index.ts";
import { add, softmax } from "../../../ops/index.ts";
import { kernelText } from "../../../runtime/devices/device.ts";
import { plansOf } from "../../../runtime/training/plan.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { deviceTest } from "../../support/device.ts";
import { runOnDevice } from "../../support/on-device.ts";
import { convLoraStep, taLoraStep } from "../../support/training-steps.ts";

/** A text with everything that it declares numbered in the order of declaration. */
function withoutNames(text: string): string {
  const declared = [...text.matchAll(/\b(?:let|var(?:<[^>]*>)?|fn)\s+(\w+)/g)].map((m) => m[1]!);
  const numbers = new Map([...new Set(declared)].map((name, i) => [name, `n${i}`]));
  return text.replace(/(?<![.\w])[A-Za-z_]\w*/g, (word) => numbers.get(word) ?? word);
}

function expectNoTwins({ kernels }: Plan): void {
  const known = new Map<string, string>();
  const twins = kernels.flatMap((kernel) => {
    const { name } = kernel;
    const text = withoutNames(kernelText(kernel));
    const first = known.get(text);
    known.set(text, name);
    return first === undefined ? [] : [`${first} and ${name}`];
  });
  expect(twins).toEqual([]);
}

describe("no two kernels have one text, names apart:", () => {
  const golden = join(dirname(dirname(import.meta.dirname)), "golden");
  test.each(readdirSync(golden))("golden model %s", async (name) => {
    const { default: model } = (await import(join(golden, name, "model.graph.ts"))) as {
      default: Model;
    };
    expectNoTwins(compile(traceProgram(model, "forward")));
  });

  test.each([
    ["Conv-LoRA", convLoraStep],
    ["TA-LoRA", taLoraStep],
  ])("a training step of ViT-B with %s", (_, step) => {
    const plan = step();
    plansOf(plan).forEach(expectNoTwins);
    const { steps, kernels } = plan.backward;
    expect(steps.length / kernels.length).toBeGreaterThan(3);
  });
});

test("kernels of one name have entries of their own where these are called as they are", () => {
  const outputs = [64, 100].map((columns, i) => ({
    name: `y${i}`,
    tensor: softmax(input(`x${i}`, "f32", [3, columns])) as Tensor,
  }));
  const { kernels } = compile(graphOf(outputs), { target: "cuda" });
  expect(kernels.map(({ name }) => name)).toEqual(["softmax", "softmax"]);
  expect(kernels.map(({ entry }) => entry)).toEqual(["softmax_kernel", "softmax_2_kernel"]);
  for (const kernel of kernels) expect(kernelText(kernel)).toContain(` ${kernel.entry}(`);
});

describe("regions whose tensors have other names and sizes", () => {
  const sizes = { scores: 3, logits: 5 };
  const outputs = Object.entries(sizes).map(([name, rows]) => ({
    name: `of-${name}`,
    tensor: softmax(add(input(name, "f32", [rows, 64]), 1)) as Tensor,
  }));
  const graph = graphOf(outputs);
  const values = Object.fromEntries(
    Object.entries(sizes).map(([name, rows]) => [name, randomNumbers(64 * rows, rows)]),
  );

  test("share one kernel, with the larger sizes", () => {
    const { steps, kernels } = compile(graph);
    expect(steps.map((s) => [s.kernel, s.groups[0]])).toEqual([
      [0, 3],
      [0, 5],
    ]);
    expect(kernels.map((k) => k.params.map((p) => p.size))).toEqual([[320, 320]]);
  });

  test("have kernels of their own on the reference device, which names tensors and knows their sizes", async () => {
    expect(compile(graph, { target: "reference" }).kernels).toHaveLength(2);
    await expectRight(await runOnReference(graph, values));
  });

  deviceTest("have their own values", async () => {
    await expectRight(await runOnDevice(graph, values));
  });

  async function expectRight(found: Readonly<Record<string, ArrayLike<number>>>) {
    const wanted = await evaluate(graph, values);
    for (const { name } of outputs)
      expect(relativeError(found[name]!, wanted[name]!)).toBeLessThan(1e-5);
  }
});
