/** What is printed of calls within calls is as long as there are calls: no argument is printed twice. */
import { describe, expect, test } from "vitest";
import { Builder } from "../../../compiler/kernel/builder.ts";
import { literal, type Value } from "../../../compiler/kernel/value.ts";
import { targets } from "../../../compiler/targets/find.ts";
import { PlanKernels } from "../../../compiler/targets/plan-kernels.ts";

const both: readonly (readonly [string, (x: Value, y: Value) => Value])[] = [
  ["the sum", (x, y) => x.add(y)],
  ["the difference", (x, y) => x.sub(y)],
  ["the product", (x, y) => x.mul(y)],
  ["the quotient", (x, y) => x.div(y)],
  ["the larger one", (x, y) => x.max(y)],
  ["the larger one, never NaN", (x, y) => x.maxnum(y)],
  ["the smaller one", (x, y) => x.min(y)],
  ["not above a number", (x) => x.min(3)],
  ["not below a number", (x) => x.max(3)],
  ["the negative", (x) => x.neg()],
  ["the absolute one", (x) => x.abs()],
  ["the floor", (x) => x.floor()],
  ["exp", (x) => x.exp()],
  ["log", (x) => x.log()],
  ["tanh", (x) => x.tanh()],
  ["the root", (x) => x.sqrt()],
  ["x y + 2", (x, y) => x.fma(y, 2)],
  ["a choice", (x, y) => y.lt(0).select(x, 2)],
  ["a choice by it", (x, y) => x.lt(0).select(y, literal(2, "f32"))],
];

type Target = (typeof targets)[number];

/** Characters of text, or bytes of code, of a kernel whose threads compute `depth` calls, each of the one before. */
function lengthOf(target: Target, call: (x: Value, y: Value) => Value, depth: number): number {
  const k = new Builder();
  const thread = k.thread(0, 8);
  const [from, to] = [k.param("x", "f32", 8, "read"), k.param("y", "f32", 8, "write")];
  const [x, y] = [k.let("x", k.load(from, thread)), k.let("y", k.load(from, 0))];
  let all = x;
  for (let i = 0; i < depth; i++) all = call(all, i % 2 === 0 ? y : x);
  k.if(y.lt(x), () => k.store(to, thread, all));
  const kernels = new PlanKernels(target);
  kernels.add(k.finish("nested", [8, 1, 1], [1, 1, 1]), ["input", "output"]);
  return kernels.all[0]!.source.length;
}

describe.each(targets.map((target) => [target.name, target] as const))("as %s", (_, target) => {
  test.each(both)("%s", (_, call) => {
    const [none, some, more] = [0, 8, 24].map((depth) => lengthOf(target, call, depth));
    expect(some).toBeGreaterThan(none!);
    // Deeper lines are indented, and names get longer.
    expect(more! - none!).toBeLessThan(4 * (some! - none!));
  });
});
