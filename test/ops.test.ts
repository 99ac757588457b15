/**
 * The walker over ops/: every op's shape rule, values, derivative and kernels are right. Ops bring
 * their own samples, so a new op needs nothing here.
 */
import { describe, expect, test } from "vitest";
import { checkDerivative, checkExample } from "./walker/check.ts";
import { strangers, subjects } from "./walker/programs.ts";

test("every file in ops/ is an op, a composition with tests, or part of one", () => {
  expect(strangers).toEqual([]);
});

describe.each(subjects)("$name", ({ op, examples, claims }) => {
  test("has a name that kernels can spell, samples, and a derivative", () => {
    expect(examples.length).toBeGreaterThan(0);
    if (op) expect(op.name).toMatch(/^[a-z]\w*$/i);
    if (op) expect(op.vjp).toBeTypeOf("function");
  });

  for (const [i, example] of examples.entries()) {
    test(claims[i]!, async () => {
      await checkExample(example());
    });
    if (example().smooth)
      test(`${claims[i]!}: derivative`, async () => {
        await checkDerivative(example());
      });
  }
});
