/**
 * The walker over ops/: every op's shape rule, values, derivative and kernels are right. Ops bring
 * their own samples, so a new op needs nothing here.
 */
import { describe, expect, test } from "vitest";
import { graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { defaultProfile } from "../../compiler/profile.ts";
import { add, gelu, softmax, sum } from "../../ops/index.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../verify/ops/evaluate.ts";
import { derivativeFault, exampleFault, lackOf } from "../../verify/ops/op.ts";
import { findOps } from "../../verify/ops/programs.ts";

const { subjects, strangers } = await findOps();

test("every file in ops/ is an op, a composition with tests, or part of one", () => {
  expect(strangers).toEqual([]);
});

test("lines and maps fold their workgroups where one axis is too short for them", async () => {
  const x = input("x", "f32", [7, 70]);
  const y = softmax(add(x, 1));
  const graph = graphOf(
    [y, sum(y, 1), sum(y, 0), gelu(x)].map((tensor, i) => ({ name: `y${i}`, tensor })),
  );
  const arrays = { x: randomNumbers(490, 1) };
  const profile = { ...defaultProfile, name: "narrow", maxGroups: 3 };
  const wanted = await evaluate(graph, arrays);
  const got = await runOnReference(graph, arrays, { profile });
  for (const [name, values] of Object.entries(wanted))
    expect(relativeError(got[name]!, values), name).toBeLessThan(1e-6);
});

describe.each(subjects)("$name", (subject) => {
  test("has a name that kernels can spell, samples, and a derivative", () => {
    expect(lackOf(subject)).toBe(undefined);
  });

  for (const [i, example] of subject.examples.entries()) {
    const claim = subject.claims[i]!;
    test(claim, async () => {
      expect(await exampleFault(example())).toBe(undefined);
    });
    if (example().smooth)
      test(`${claim}: derivative`, async () => {
        expect(await derivativeFault(example())).toBe(undefined);
      });
  }
});
