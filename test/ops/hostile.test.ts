/** Every op, called with what a careless or hostile program gives: a coded error, never a raw one. */
import { describe, expect, test } from "vitest";
import { input } from "../../compiler/graph/sources.ts";
import { type DType, Tensor } from "../../compiler/graph/tensor.ts";
import { InarchError } from "../../diagnostics/index.ts";
import * as ops from "../../ops/index.ts";

let made = 0;
const t = (shape: readonly number[], dtype: DType = "f32"): Tensor =>
  input(`x${made++}`, dtype, shape);
const map = () => t([1, 4, 6, 6]);
const heads = (tokens = 6) => t([1, 2, tokens, 4]);
const key = () => t([2], "u32");

const bool = () => t([2, 3], "bool");
const one = () => [t([2, 3])];
const two = () => [t([2, 3]), t([2, 3])];
const relative = () => ({ height: t([3, 4]), width: t([5, 4]), grid: [2, 3] });
const spec = () => ({ at: (_k: unknown, x: unknown) => x, vjp: () => [], tests: { samples: [] } });

/** Arguments that each function accepts, of which one after another is then replaced. */
const calls: Readonly<Record<keyof typeof ops, () => unknown[]>> = {
  ...{ abs: one, erf: one, exp: one, finite: one, gelu: one, log: one, neg: one, relu: one },
  ...{ rsqrt: one, sigmoid: one, cos: one, sin: one, softplus: one, sqrt: one, tanh: one },
  ...{ stopGradient: one, not: () => [bool()], transpose: one },
  ...{ add: two, sub: two, mul: two, div: two, maximum: two, minimum: two },
  ...{ eq: two, ne: two, lt: two, le: two, gt: two, ge: two },
  and: () => [bool(), bool()],
  or: () => [bool(), bool()],
  pow: () => [t([2]), 2],
  oneMinusPower: () => [t([2]), 0.5],
  selectPositive: () => [t([2]), t([2]), t([2])],
  where: () => [bool(), ...two()],
  cast: () => [t([2]), "i32"],
  full: () => [1, [2, 3], "f32"],
  iota: () => [[2, 3], 1],
  unary: () => [ops.elementwiseOp("own", spec() as never)],
  binary: () => [ops.elementwiseOp("own", spec() as never)],
  elementwiseOp: () => ["own", spec()],
  layerNorm: () => [t([2, 3]), t([3]), t([3]), 1e-5],
  layerNorm2d: () => [map(), t([4]), t([4]), 1e-5],
  normalize: () => [t([2, 3]), -1, 1e-5],
  sum: () => [t([2, 3]), [0], "keep"],
  mean: () => [t([2, 3]), [0], "keep"],
  max: () => [t([2, 3]), 1, "drop"],
  min: () => [t([2, 3]), 1, "drop"],
  softmax: () => [t([2, 3]), -1],
  argmax: () => [t([2, 3]), -1],
  topK: () => [t([2, 3]), 2, -1],
  matmul: () => [t([2, 3]), t([4, 3]), { transpose: "right" }],
  matmulSegments: () => [[[t([2, 3]), t([3, 4])]]],
  attention: () => [heads(), heads(), heads(), { scale: 1, bias: t([6]), relative: relative() }],
  attentionWithStatistics: () => [
    ...[heads(), heads(), heads()],
    { relative: relative(), mask: t([6], "bool"), lengths: t([1], "i32"), causal: 1 },
  ],
  conv2d: () => [map(), t([4, 2, 3, 3]), { bias: t([4]), stride: 1, padding: [1, 1], groups: 2 }],
  convTranspose2d: () => [
    map(),
    t([4, 2, 3, 3]),
    { bias: t([4]), stride: 2, padding: [1, 1], groups: 2, outputPadding: 1 },
  ],
  scaledConvolution: () => [
    t([2, 6, 6, 4]),
    t([2, 1], "i32"),
    t([2, 4, 4, 3, 3]),
    t([2, 4]),
    { scales: [1, 2], groups: 1 },
  ],
  resample: () => [map(), { size: [12, 12], mode: "bilinear", alignCorners: false }],
  resampleAxis: () => [map(), 2, { scale: 2, mode: "nearest" }],
  assignment: () => [t([1, 2, 3]), t([1, 3], "bool")],
  computeTogether: () => [two()],
  dropout: () => [t([2]), 0.5, { key: key(), stream: 3 }],
  randomBits: () => [key(), 3, [2]],
  randomNormal: () => [key(), 3, [2]],
  randomUniform: () => [key(), 3, [2]],
  streamOf: () => ["blocks.0"],
  broadcastTo: () => [t([2, 1]), [2, 3]],
  sumTo: () => [t([2, 3]), [2, 1]],
  bytes: () => [t([2], "u32"), [2, 4]],
  concat: () => [two(), 0],
  stack: () => [two()],
  gather: () => [t([5, 2]), t([3], "i32")],
  permute: () => [t([2, 3]), [1, 0]],
  reshape: () => [t([2, 3]), [3, 2]],
  pad: () => [t([2, 3]), [[1, 1], []], 0],
  slice: () => [
    t([2, 3]),
    [
      [0, 1],
      [0, 3, 2],
    ],
  ],
  unfold: () => [map(), { kernel: 3, stride: [1, 1], padding: 1 }],
  fold: () => [t([1, 36, 36]), [6, 6], { kernel: 3, stride: 1, padding: 1 }],
};

/** What no argument of any op may be. */
const never = [null, "evil", "", "3", ["3"], Symbol("evil"), () => 1, 3n, new Map(), [[[null]]]];
/** What some arguments may be: there is a result, or a coded error. */
const seldom = [
  ...[undefined, Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 0.5, 2 ** 31, 2 ** 53, 1e9, 1e39],
  ...[
    {},
    [],
    [0],
    [-1],
    [1.5],
    [Number.NaN],
    [null],
    [undefined],
    ["a"],
    [1e9, 1e9],
    [70000, 70000],
  ],
  ...[new Array(3), new Array(1000).fill(1), true, new Float32Array(2), t([2], "bool"), t([])],
];

type Path = readonly (string | number)[];

/** Every argument, and every part of those that are lists or objects. */
function placesIn(value: unknown, path: Path = []): Path[] {
  const isPlain = Array.isArray(value) || value?.constructor === Object;
  const inner = isPlain ? Object.entries(value as object) : [];
  return [
    ...(path.length > 0 ? [path] : []),
    ...inner.flatMap(([name, part]) => placesIn(part, [...path, name])),
  ];
}

function replaced(value: unknown, [first, ...rest]: Path, by: unknown): unknown {
  if (first === undefined) return by;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const parts = copy as Record<string, unknown>;
  parts[first] = replaced(parts[first], rest, by);
  return copy;
}

function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

const shownValue = (value: unknown) =>
  typeof value === "object" ? (value?.constructor?.name ?? "null") : String(value);

const functions = Object.fromEntries(Object.entries(ops)) as Readonly<
  Record<keyof typeof ops, (...args: unknown[]) => unknown>
>;

/** The functions that make ops are asked as authors of ops ask them. */
const asked = (name: keyof typeof ops, args: readonly unknown[]): unknown => {
  const result = functions[name](...args);
  return name === "unary" ? (result as (x: Tensor) => Tensor)(t([2])) : result;
};

test("every export of inarch/ops is walked over, and accepts its usual arguments", () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys(ops).sort());
  for (const [name, args] of Object.entries(calls)) {
    const result = outcome(() => asked(name as keyof typeof ops, args()));
    expect(result instanceof Error ? `${name}: ${result.message}` : "").toBe("");
  }
});

describe.each(Object.keys(calls) as (keyof typeof ops)[])("%s", (name) => {
  const usual = () => calls[name]();

  test("refuses what no argument may be", () => {
    for (const path of placesIn(usual()))
      for (const value of never) {
        if (name === "streamOf" && typeof value === "string") continue;
        // An op's other fields, and the rest of its specification, are an author's.
        if ((name === "unary" || name === "binary") && path.length > 1) continue;
        const isName = path[0] === "0" && typeof value === "string";
        if (name === "elementwiseOp" && (path.length > 1 || isName)) continue;
        const args = replaced(usual(), path, value) as unknown[];
        const result = outcome(() => asked(name, args));
        const what = `${name} with ${shownValue(value)} at ${path.join(".")}: ${result}`;
        expect(result instanceof InarchError && result.code !== "E900", what).toBe(true);
        expect((result as InarchError).details.help, what).toBeTruthy();
      }
  });

  test("answers anything else with a result or a coded error", () => {
    for (const path of placesIn(usual()))
      for (const value of seldom) {
        const isAuthors = ["elementwiseOp", "unary", "binary"].includes(name);
        if (isAuthors && path.length > 1) continue;
        const args = replaced(usual(), path, value) as unknown[];
        const result = outcome(() => asked(name, args));
        const isCoded = result instanceof InarchError && result.code !== "E900";
        const what = `${name} with ${shownValue(value)} at ${path.join(".")}: ${result}`;
        expect(isCoded || !(result instanceof Error), what).toBe(true);
        for (const tensor of [result].flat())
          if (tensor instanceof Tensor)
            expect(
              tensor.shape.every((n) => Number.isInteger(n) && n > 0),
              what,
            ).toBe(true);
      }
  });

  test("refuses fewer arguments than it needs", () => {
    const result = outcome(() => asked(name, []));
    expect(result instanceof InarchError && result.code !== "E900", `${name}: ${result}`).toBe(
      true,
    );
  });
});

test("an option that does not exist is refused with the nearest that does", () => {
  const wrong: [string, () => unknown][] = [
    ["write stride", () => ops.conv2d(map(), t([4, 4, 3, 3]), { strid: 2 } as never)],
    ["write scale", () => ops.attention(heads(), heads(), heads(), { scal: 2 } as never)],
    ["write mode", () => ops.resample(map(), { size: [2, 2], moed: "nearest" } as never)],
    ["write transpose", () => ops.matmul(t([2, 2]), t([2, 2]), { transposed: "left" } as never)],
    ["write padding", () => ops.unfold(map(), { kernel: 1, pading: 1 } as never)],
    ["write stream", () => ops.dropout(t([2]), 0.5, { key: key(), steam: 1 } as never)],
  ];
  for (const [help, call] of wrong) {
    const error = outcome(call) as InarchError;
    expect([error.code, error.details.help]).toEqual(["E460", expect.stringContaining(help)]);
    expect(error.details.at?.resolve()?.file).toContain("hostile.test.ts");
  }
});
