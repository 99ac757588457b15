/** What is no program, no result of one, or no graph: refused with a code that says so. */
import { compile } from "../../../compiler/compile.ts";
import { trace } from "../../../compiler/graph/graph.ts";
import { defineModel } from "../../../compiler/graph/model.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import * as ops from "../../../ops/index.ts";
import type { Random } from "../random.ts";
import { called } from "./program.ts";

const x = () => input("x", "f32", [2, 3]) as unknown as Tensor;

const returns: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  "a number": () => 3,
  "a word": () => "y",
  "a tensor without a name": x,
  "a list of tensors": () => [x()],
  "a map of tensors": () => new Map([["y", x()]]),
  "a promise": () => Promise.resolve({ y: x() }),
  "no tensor": () => ({}),
  "a number by name": () => ({ y: 3 }),
  "nothing by name": () => ({ x: x(), y: undefined }),
  "an array by name": () => ({ y: [1, 2, 3] }),
  "a function by name": () => ({ y: ops.relu }),
};

const model = () => defineModel({ name: "m", programs: { forward: () => ({ y: ops.relu(x()) }) } });

const noGraphs: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  "a model": model,
  "a program": () => model,
  "an object": () => ({ nodes: 3 }),
  "a tensor": x,
};

type Use = () => unknown;

const uses: Readonly<Record<string, Use>> = {
  ...Object.fromEntries(
    Object.entries(returns).map(([what, made]): [string, Use] => [
      `a program that returns ${what}`,
      () => trace(made as () => Record<string, Tensor>, {}),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(noGraphs).map(([what, made]): [string, Use] => [
      `${what} is compiled`,
      () => compile(made() as never),
    ]),
  ),
  ...Object.fromEntries(
    ["nothing", "null", "an object"].map((what): [string, Use] => [
      `${what} is traced`,
      () => trace(noGraphs[what]!() as never, {}),
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(called).map((op): [string, Use] => [`${op} of nothing`, () => called[op]!()]),
  ),
};

export type Misuse = string;

export const drawMisuse = (random: Random): Misuse => random.pick(Object.keys(uses));

/** Promises that are given instead of results are nobody's. */
export function misuseFault(misuse: Misuse): string | undefined {
  try {
    uses[misuse]!();
  } catch (error) {
    if (error instanceof InarchError && error.kind !== "internal") return undefined;
    const { name, message } = error as Error;
    return `${misuse}: no coded error, but ${name}: ${message.split("\n")[0]}`;
  }
  return `${misuse}: was not refused`;
}
