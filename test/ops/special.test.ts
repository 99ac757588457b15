/**
 * NaN, infinities and the ends of each type, as PyTorch has them: on the reference device, on the processor,
 * and in WGSL with and without subgroups.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradient, type Tensor } from "../../compiler/op-kit.ts";
import { defaultProfile, deviceProfile } from "../../compiler/profile.ts";
import * as ops from "../../ops/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { describeOnDevice } from "../support/device.ts";
import { ptxDevice } from "../support/ptx-device.ts";
import {
  close,
  f32,
  type Given,
  i32,
  type Row,
  type Runner,
  run,
  shaped,
  u32,
} from "../support/special-numbers.ts";

const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
/** The smallest number, which masks are made of, and the least integer. */
const lowest = -3.4028234663852886e38;
const least = -2147483648;

const unary = (
  name: string,
  call: (x: Tensor) => Tensor,
  at: readonly number[],
  to: readonly number[],
): Row => [`${name} at ${at.map(String).join(", ")}`, [f32(...at)], (x) => call(x!), to];

const ends = [nan, inf, -inf, 0];

const numbers: readonly Row[] = [
  unary("relu", ops.relu, ends, [nan, inf, 0, 0]),
  unary("tanh", ops.tanh, ends, [nan, 1, -1, 0]),
  unary("sigmoid", ops.sigmoid, ends, [nan, 1, 0, 0.5]),
  unary("softplus", ops.softplus, ends, [nan, inf, 0, Math.LN2]),
  unary("exp", ops.exp, ends, [nan, inf, 0, 1]),
  unary("log", ops.log, [nan, inf, -1, 0], [nan, inf, nan, -inf]),
  unary("sqrt", ops.sqrt, [nan, inf, -1, 0], [nan, inf, nan, 0]),
  unary("abs", ops.abs, ends, [nan, inf, inf, 0]),
  unary("neg", ops.neg, ends, [nan, -inf, inf, 0]),
  unary("erf", ops.erf, ends, [nan, 1, -1, 0]),
  // PyTorch's own answer at -Infinity is NaN, too: it multiplies by 0.
  unary("gelu", ops.gelu, ends, [nan, inf, nan, 0]),
  unary("sin", ops.sin, ends, [nan, nan, nan, 0]),
  unary("cos", ops.cos, ends, [nan, nan, nan, 1]),
  ...[
    [8193, -8193, 12345.678, -99999.5],
    [1e6, -1e7, 123456789, 4294967296],
    [1e10, -1e15, 1e22, 5.4e21],
    [1e30, -3.4028234663852886e38, 6381956970095103 * 2 ** 70, 16367173 * 2 ** 72],
  ].flatMap((angles) => {
    const rounded = angles.map(Math.fround);
    return [
      unary("sin", ops.sin, rounded, rounded.map(Math.sin)),
      unary("cos", ops.cos, rounded, rounded.map(Math.cos)),
    ];
  }),
  ["pow of negative numbers", [f32(-2, -2, nan)], (x) => ops.pow(x!, 2.5), [nan, nan, nan]],
  ["pow by a half", [f32(-2, 4, nan)], (x) => ops.pow(x!, 0.5), [nan, 2, nan]],
  ["whole powers", [f32(-2, 0, nan)], (x) => ops.pow(x!, 3), [-8, 0, nan]],
  ["large whole powers", [f32(-1, 1, nan)], (x) => ops.pow(x!, 101), [-1, 1, nan]],
  ["the power 0", [f32(-2, 0, nan)], (x) => ops.pow(x!, 0), [1, 1, 1]],
  [
    "maximum and minimum of a NaN on either side",
    [f32(nan, 1, nan, -inf), f32(1, nan, nan, inf)],
    (a, b) => ops.add(ops.maximum(a!, b!) as Tensor, ops.minimum(a!, b!)),
    [nan, nan, nan, nan],
  ],
  ["maximum with a number", [f32(nan, -1)], (x) => ops.maximum(x!, 0), [nan, 0]],
  ["minimum with a number", [f32(nan, 1)], (x) => ops.minimum(0, x!), [nan, 0]],
  [
    "where reads one side alone",
    [f32(nan, 1), f32(2, nan)],
    (a, b) => ops.where(ops.gt(b!, 1), b!, a!),
    [2, 1],
  ],
  ["max", [f32(1, nan, 3)], (x) => ops.max(x!), [nan]],
  ["max of a long row", [f32(...Array(300).fill(1), nan)], (x) => ops.max(x!), [nan]],
  ["min of a long row", [f32(nan, ...Array(300).fill(1))], (x) => ops.min(x!), [nan]],
  ["max of the smallest number", [f32(lowest, lowest)], (x) => ops.max(x!), [lowest]],
  ["max of infinities", [f32(-inf, -inf)], (x) => ops.max(x!), [-inf]],
  ["min of infinities", [f32(inf, inf)], (x) => ops.min(x!), [inf]],
  ["max of the least integers", [i32(least, least)], (x) => ops.max(x!), [least]],
  ["argmax: the first NaN", [f32(1, nan, 3, nan)], (x) => ops.argmax(x!), [1]],
  [
    "argmax of a long row: the first NaN",
    [f32(...Array(70).fill(1), nan, ...Array(70).fill(9), nan)],
    (x) => ops.argmax(x!),
    [70],
  ],
  ["topK of NaN alone", [f32(nan, nan, nan)], (x) => ops.topK(x!, 2).indices, [0, 1]],
  ["topK puts NaN first", [f32(5, nan, 7)], (x) => ops.topK(x!, 3).indices, [1, 2, 0]],
  [
    "topK of a long row of NaN",
    [f32(...Array(300).fill(nan))],
    (x) => ops.topK(x!, 3).indices,
    [0, 1, 2],
  ],
  [
    "softmax of a mask alone is uniform",
    [shaped([2, 4], lowest, lowest, lowest, lowest, lowest, 0, lowest, lowest)],
    (x) => ops.softmax(x!),
    [0.25, 0.25, 0.25, 0.25, 0, 1, 0, 0],
  ],
  ["softmax of -Infinity alone", [f32(-inf, -inf)], (x) => ops.softmax(x!), [nan, nan]],
  ["softmax beside -Infinity", [f32(-inf, 3, 3)], (x) => ops.softmax(x!), [0, 0.5, 0.5]],
  ["softmax of a NaN", [f32(1, nan)], (x) => ops.softmax(x!), [nan, nan]],
  [
    "softmax of a long row of a mask",
    [f32(...Array(100).fill(lowest))],
    (x) => ops.softmax(x!),
    Array(100).fill(0.01),
  ],
  ["0 times what is no number", [f32(nan, inf, -2)], (x) => ops.mul(x!, 0), [nan, nan, 0]],
  ["a NaN in a sum", [f32(1, nan, 3)], (x) => ops.sum(x!), [nan]],
  [
    "a NaN in a product",
    [shaped([2, 2], 1, nan, 2, 3), shaped([2, 1], 0, 1)],
    (a, b) => ops.matmul(a!, b!),
    [nan, 3],
  ],
];

const literals: readonly Row[] = [
  ...[inf, -inf, nan, lowest, -lowest, 1e-45, 1.1754943508222875e-38].map(
    (value): Row => [
      `full(${value})`,
      [f32(0, 0)],
      (x) => ops.where(ops.eq(x!, 0), ops.full(value, [2]), x!),
      [value, value],
    ],
  ),
  ["full(-0)", [f32(1)], (x) => ops.div(x!, ops.full(-0, [1])), [-inf]],
  ["the least i32", [i32(0)], (x) => ops.add(x!, least), [least]],
  ["the largest u32", [u32(0)], (x) => ops.add(x!, 4294967295), [4294967295]],
  ["a mask of -Infinity", [f32(1, -1)], (x) => ops.where(ops.gt(x!, 0), x!, -inf), [1, -inf]],
];

const integers: readonly Row[] = [
  ["i32 sums wrap", [i32(2147483647)], (x) => ops.add(x!, 1), [least]],
  [
    "i32 products wrap",
    [i32(1234567, 65536)],
    (x) => ops.mul(x!, 7654321),
    [844062807, -877592576],
  ],
  [
    "what wraps is used wrapped",
    [i32(2147483647)],
    (x) => ops.div(ops.add(ops.mul(x!, x!), 7), 2),
    [4],
  ],
  ["u32 products wrap", [u32(4294967295, 65536)], (x) => ops.mul(x!, x!), [1, 0]],
  [
    "u32 sums wrap before they are divided",
    [u32(4294967295)],
    (x) => ops.div(ops.add(x!, 3), 2),
    [1],
  ],
  ["u32 products are not undone", [u32(2147483648)], (x) => ops.div(ops.mul(x!, 2), 2), [0]],
  ["divided by 0", [i32(5, -5), i32(0, 0)], (a, b) => ops.div(a!, b!), [5, -5]],
  ["divided by the number 0", [i32(5, -5)], (a) => ops.div(a!, 0), [5, -5]],
  ["u32 divided by 0", [u32(5), u32(0)], (a, b) => ops.div(a!, b!), [5]],
  ["the least divided by -1", [i32(least), i32(-1)], (a, b) => ops.div(a!, b!), [least]],
  ["the least has no opposite", [i32(least)], (x) => ops.add(ops.abs(x!), ops.neg(x!)), [0]],
  [
    "i32 sums over an axis wrap",
    [i32(2147483647, 2)],
    (x) => ops.div(ops.sum(x!), 1),
    [-2147483647],
  ],
  ["u32 sums over an axis wrap", [u32(4294967295, 3)], (x) => ops.div(ops.sum(x!), 2), [1]],
  [
    "numbers out of range become the nearest i32 that is an f32",
    [f32(nan, inf, -inf, 3e9, -3e9, -1.9)],
    (x) => ops.cast(x!, "i32"),
    [0, 2147483520, least, 2147483520, least, -1],
  ],
  [
    "numbers out of range become the nearest u32 that is an f32",
    [f32(nan, inf, -inf, 5e9, -1.9, 3e9)],
    (x) => ops.cast(x!, "u32"),
    [0, 4294967040, 0, 4294967040, 0, 3e9],
  ],
  ["u32 as i32", [u32(4294967295)], (x) => ops.cast(x!, "i32"), [-1]],
  ["i32 as u32", [i32(-1)], (x) => ops.cast(x!, "u32"), [4294967295]],
  ["NaN is not 0", [f32(nan, 0)], (x) => ops.cast(ops.cast(x!, "bool"), "f32"), [1, 0]],
];

const slopeOf = (
  name: string,
  call: (x: Tensor) => Tensor,
  at: readonly number[],
  to: readonly number[],
): Row => [
  `${name} at ${at.map(String).join(", ")}`,
  [f32(...at)],
  (x) => gradient([ops.sum(call(x!))], [ops.full(1, [])], [x!])[0]!,
  to,
];

const slopes: readonly Row[] = [
  slopeOf("relu", (x) => ops.relu(x), [nan, 0, 2], [1, 0, 1]),
  slopeOf("abs", (x) => ops.abs(x), [nan, 0, -2], [nan, 0, -1]),
  slopeOf("maximum", (x) => ops.maximum(x, 0), [nan, 0, 2], [1, 0.5, 1]),
  slopeOf("minimum", (x) => ops.minimum(x, 0), [nan, 0, 2], [1, 0.5, 0]),
  slopeOf("tanh", (x) => ops.tanh(x), [nan, inf, 0], [nan, 0, 1]),
];

/** Three queries of which the first sees nothing, by masks of either kind. */
const masked = (mask: number): Given =>
  shaped([1, 1, 3, 3], ...[mask, mask, mask], ...[mask, 0, mask], ...[0, mask, 0]);
const q = shaped([1, 1, 3, 2], 1, 0, 0.5, 1, -1, 2);
const k = shaped([1, 1, 3, 2], 0, 1, 2, 1, 1, 1);
const v = shaped([1, 1, 3, 1], 3, 6, 9);

const composed = (q: Tensor, k: Tensor, v: Tensor, bias: Tensor): Tensor =>
  ops.matmul(
    ops.softmax(ops.add(ops.mul(ops.matmul(q, ops.transpose(k)), Math.SQRT1_2), bias) as Tensor),
    v,
  );
const fused = (q: Tensor, k: Tensor, v: Tensor, bias: Tensor): Tensor =>
  ops.attention(q, k, v, { bias });

/** The last query sees the keys 0 and 2, with scores of 2 and 1 over the root of 2. */
const third = 3 + 6 / (1 + Math.exp(Math.SQRT1_2));

/** The first query's row, then the others'. */
const attentions: readonly Row[] = [
  ["a mask of the smallest number", [q, k, v, masked(lowest)], fused, [6, 6, third]],
  ["a mask of -Infinity", [q, k, v, masked(-inf)], fused, [nan, 6, third]],
  [
    "one key, whatever its score",
    [
      shaped([1, 1, 2, 2], 1, 2, -1, 0.5),
      shaped([1, 1, 1, 2], -1.19, 1e30),
      shaped([1, 1, 1, 2], 2, inf),
    ],
    (q, k, v) => ops.attention(q!, k!, v!),
    [2, inf, 2, inf],
  ],
  [
    "scores near the largest number choose one key",
    [
      shaped([1, 1, 1, 2], 0.2623, -0.376),
      shaped([1, 1, 3, 2], 1, 1, 0.1, lowest, -lowest, 0.5),
      shaped([1, 1, 3, 1], 3, 5, 7),
    ],
    (q, k, v) => ops.attention(q!, k!, v!),
    [5],
  ],
  ["composed, a mask of the smallest number", [q, k, v, masked(lowest)], composed, [6, 6, third]],
];

/** The gradients of q, k and v where some rows see nothing, end to end. */
function masks(tokens: number, mask: number, call: typeof fused): Row {
  const numbers = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => Math.sin(from + 1.7 * i));
  const rows = Array.from({ length: tokens ** 2 }, (_, i) =>
    i < tokens || (i * 7) % 5 > 2 ? mask : 0,
  );
  const inputs = [
    ...[1, 2].map((n) => shaped([1, 1, tokens, 2], ...numbers(2 * tokens, n))),
    shaped([1, 1, tokens, 1], ...numbers(tokens, 3)),
    shaped([1, 1, tokens, tokens], ...rows),
  ];
  const gradients = (...[q, k, v, bias]: Tensor[]): Tensor => {
    const y = call(q!, k!, v!, bias!);
    const found = gradient([y], [ops.mul(y, 2)], [q!, k!, v!]);
    return ops.concat(
      found.map((g) => ops.reshape(g!, [g!.shape[2]! * g!.shape[3]!]) as Tensor),
      0,
    );
  };
  return [`${tokens} tokens, masks of ${mask}`, inputs, gradients, []];
}

const groups = { numbers, literals, integers, slopes };

const all = (runner: () => Runner) => {
  for (const [name, rows] of Object.entries(groups))
    describe(name, () => {
      test.each(rows)("%s", async (...row) => close(await run(runner(), row), row[3]));
    });
  test.each(attentions)("attention: %s", async (...row) =>
    close(await run(runner(), row), row[3], 1e-4),
  );
  test.each([
    [4, lowest],
    [4, -1e30],
    [13, lowest],
    [13, -1e30],
  ])("attention's gradients: %i tokens, masks of %d", async (tokens, mask) => {
    const plain = { device: referenceDevice(), options: { profile: defaultProfile } };
    const wanted = await run(plain, masks(tokens, mask, composed));
    expect(wanted.every(Number.isFinite)).toBe(true);
    close(await run(runner(), masks(tokens, mask, fused)), wanted, 1e-5);
  });
};

describe("the reference device", () => {
  const device = referenceDevice();
  all(() => ({ device, options: { profile: { ...defaultProfile, subgroup: 0 } } }));
});

describe("the processor device", () => {
  const device = cpuDevice();
  all(() => ({ device, options: { profile: deviceProfile(device.capabilities) } }));
  describe("with barriers", () => all(() => ({ device, options: { profile: defaultProfile } })));
});

describe("PTX, interpreted", () => {
  const device = ptxDevice();
  all(() => ({ device, options: { profile: deviceProfile(device.capabilities) } }));
  describe("without subgroups", () =>
    all(() => ({ device, options: { profile: defaultProfile } })));
});

describeOnDevice("WGSL", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device.destroy());
  describe("without subgroups", () =>
    all(() => ({ device, options: { profile: defaultProfile } })));
  describe("with subgroups", () =>
    all(() => ({ device, options: { profile: deviceProfile(device.capabilities) } })));
});
