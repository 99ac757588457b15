/**
 * Arithmetic that compilers of shaders fold as if there were no NaN, no infinity and no constant that
 * overflows, against plain numbers: fused and unfused, on the reference device and in WGSL.
 */
import { afterAll, beforeAll, describe, test } from "vitest";
import type { CompileOptions } from "../../../compiler/compile.ts";
import type { Tensor } from "../../../compiler/op-kit.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import * as ops from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { describeOnDevice } from "../../support/device.ts";
import {
  close,
  f32,
  i32,
  type Row,
  type Runner,
  run,
  shaped,
} from "../../support/special-numbers.ts";

type F = Tensor<"f32">;
const { abs, add, cast, div, eq, exp, ge, gt, le, log, lt, maximum, mul, ne, neg, not } = ops;
const { or, pow, relu, rsqrt, sqrt, sub, where } = ops;
const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
const xs = [nan, inf, -inf, 0, 1, -1, 2, -3, 0.5, 7];
const ys = [2, -1, nan, 0, inf, 1, -inf, 0.25, -2, 5];
const full = (value: number) => ops.full(value, [xs.length]) as unknown as F;
const num = (x: Tensor) => cast(x, "f32") as unknown as F;
const column = (x: Tensor) => ops.reshape(x, [xs.length, 1]) as unknown as F;
const times = (count: number) => Array.from({ length: count }, (_, i) => i);
const signOf = (y: number) => Number(y > 0);

type Claim = readonly [string, (x: F, y: F) => Tensor, (x: number, y: number) => number];

const sums: readonly Claim[] = [
  ["x - x", (x) => sub(x, x), (x) => x - x],
  ["x + -x", (x) => add(x, neg(x)), (x) => x - x],
  ["-x + x", (x) => add(neg(x), x), (x) => x - x],
  ["0 - x + x", (x) => add(sub(0, x), x), (x) => x - x],
  ["2 x - x - x", (x) => sub(sub(mul(x, 2), x), x), (x) => 2 * x - x - x],
  ["x - x + x", (x) => add(sub(x, x), x), (x) => x - x + x],
  ["x - x + x - x", (x) => sub(add(sub(x, x), x), x), (x) => x - x + x - x],
  ["3 x - x 3", (x) => sub(mul(x, 3), mul(3, x)), (x) => 3 * x - 3 * x],
  ["x + x * -1", (x) => add(x, mul(x, -1)), (x) => x - x],
  ["(x + 1) - x", (x) => sub(add(x, 1), x), (x) => x + 1 - x],
  ["x - (x + 1)", (x) => sub(x, add(x, 1)), (x) => x - (x + 1)],
  ["x - (x - y)", (x, y) => sub(x, sub(x, y)), (x, y) => x - (x - y)],
  ["(x - y) + y", (x, y) => add(sub(x, y), y), (x, y) => x - y + y],
  ["(x - y) + (y - x)", (x, y) => add(sub(x, y), sub(y, x)), (x, y) => x - y + (y - x)],
  ["x y - y x", (x, y) => sub(mul(x, y), mul(y, x)), (x, y) => x * y - y * x],
  ["x y + y (x - 3)", (x, y) => add(mul(x, y), mul(y, sub(x, 3))), (x, y) => x * y + y * (x - 3)],
  [
    "x y + (2 + y (x - 3))",
    (x, y) => add(mul(x, y), add(2, mul(y, sub(x, 3)))),
    (x, y) => x * y + (2 + y * (x - 3)),
  ],
  [
    "y / x + y / (x - 3)",
    (x, y) => add(div(y, x), div(y, sub(x, 3))),
    (x, y) => y / x + y / (x - 3),
  ],
  [
    "x y and 60 others and y (x - 3)",
    (x, y) => {
      const others = times(60).map((n) => num(gt(y, n)));
      const first = others.reduce((sum, other) => add(sum, other) as F, mul(x, y) as F);
      return add(first, mul(y, sub(x, 3)));
    },
    (x, y) => times(60).reduce((sum, n) => sum + Number(y > n), x * y) + y * (x - 3),
  ],
  ["|x| - |x|", (x) => sub(abs(x), abs(x)), (x) => Math.abs(x) - Math.abs(x)],
  ["x less itself, held", (x) => sub(x, ops.stopGradient(x)), (x) => x - x],
  ["x less its mean", (x) => sub(column(x), ops.mean(column(x), 1, "keep")), (x) => x - x],
  ["x less the largest", (x) => sub(column(x), ops.max(column(x), 1, "keep")), (x) => x - x],
  ["one normalized number", (x) => ops.normalize(column(x), -1, 1e-5), (x) => x - x],
  ["the softmax of one number", (x) => ops.softmax(column(x)), (x) => x - x + 1],
  [
    "a blend by 0 and 1",
    (x, y) => add(mul(x, sub(1, num(gt(y, 0)))), mul(y, num(gt(y, 0)))),
    (x, y) => x * (1 - signOf(y)) + y * signOf(y),
  ],
  [
    "a step by 0 and 1",
    (x, y) => add(x, mul(num(gt(y, 0)), sub(y, x))),
    (x, y) => x + signOf(y) * (y - x),
  ],
];

const products: readonly Claim[] = [
  ["x * 0", (x) => mul(x, 0), (x) => x * 0],
  ["0 * x + y", (x, y) => add(mul(0, x), y), (x, y) => x * 0 + y],
  ["x * -0", (x) => mul(x, -0), (x) => x * -0],
  ["x * (1 - 1)", (x) => mul(x, sub(full(1), full(1))), (x) => x * 0],
  ["x * (y - y)", (x, y) => mul(x, sub(y, y)), (x, y) => x * (y - y)],
  ["x * max(0, -1)", (x) => mul(x, maximum(full(0), -1)), (x) => x * 0],
  ["x * relu(-1)", (x) => mul(x, relu(full(-1))), (x) => x * 0],
  ["x * tanh(0)", (x) => mul(x, ops.tanh(full(0))), (x) => x * 0],
  ["x * exp(-Infinity)", (x) => mul(x, exp(full(-inf))), (x) => x * 0],
  ["x * (x < x)", (x) => mul(x, num(lt(x, x))), (x) => x * 0],
  ["x * (y > 0)", (x, y) => mul(x, num(gt(y, 0))), (x, y) => x * signOf(y)],
  ["x * 3 or 0", (x, y) => mul(x, where(gt(y, 0), full(3), 0)), (x, y) => x * 3 * signOf(y)],
  ["x / x", (x) => div(x, x), (x) => x / x],
  ["x / 0", (x) => div(x, 0), (x) => x / 0],
  ["x / -0", (x) => div(x, -0), (x) => x / -0],
  ["0 / x", (x) => div(0, x), (x) => 0 / x],
  ["sqrt(x) sqrt(x)", (x) => mul(sqrt(x), sqrt(x)), (x) => Math.sqrt(x) ** 2],
  ["sqrt(x)^2", (x) => pow(sqrt(x), 2), (x) => Math.sqrt(x) ** 2],
  ["rsqrt(x)^2", (x) => pow(rsqrt(x), 2), (x) => 1 / Math.sqrt(x) ** 2],
  ["sqrt(x) / sqrt(x)", (x) => div(sqrt(x), sqrt(x)), (x) => Math.sqrt(x) / Math.sqrt(x)],
  ["exp(x) exp(-x)", (x) => mul(exp(x), exp(neg(x))), (x) => Math.exp(x) * Math.exp(-x)],
  ["exp(x) / exp(x)", (x) => div(exp(x), exp(x)), (x) => Math.exp(x) / Math.exp(x)],
];

const functions: readonly Claim[] = [
  ["exp(log(x))", (x) => exp(log(x)), (x) => Math.exp(Math.log(x))],
  ["log(exp(x))", (x) => log(exp(x)), (x) => Math.log(Math.exp(x))],
  ["log(1 / x)", (x) => log(div(1, x)), (x) => Math.log(1 / x)],
  ["log(sqrt(x))", (x) => log(sqrt(x)), (x) => Math.log(Math.sqrt(x))],
  ...[2, 3, -2, 0.5, 4].map(
    (n): Claim => [
      `exp(log(x) ${n})`,
      (x) => exp(mul(log(x), n)),
      (x) => Math.exp(Math.log(x) * n),
    ],
  ),
  ["exp(log(x) y)", (x, y) => exp(mul(log(x), y)), (x, y) => Math.exp(Math.log(x) * y)],
  ...[-1.5, 1.5, -17, 18, -0.5, -18, 17].map(
    (n): Claim => [`x^${n}`, (x) => pow(x, n), (x) => x ** n],
  ),
];

const comparisons: readonly Claim[] = [
  ["x = x", (x) => num(eq(x, x)), (x) => Number(!Number.isNaN(x))],
  ["x <= x", (x) => num(le(x, x)), (x) => Number(!Number.isNaN(x))],
  ["x < x", (x) => num(lt(x, x)), () => 0],
  ["9 where x is not x", (x) => where(ne(x, x), 9, x), (x) => (Number.isNaN(x) ? 9 : x)],
  ["x - 1 < x", (x) => num(lt(sub(x, 1), x)), (x) => Number(x - 1 < x)],
  ["x + y = x", (x, y) => num(eq(add(x, y), x)), (x, y) => Number(x + y === x)],
  ["not x < 1", (x) => num(not(lt(x, 1))), (x) => Number(!(x < 1))],
  ["x < 1 or x >= 1", (x) => num(or(lt(x, 1), ge(x, 1))), (x) => Number(x < 1 || x >= 1)],
  ["1 where x > 1", (x) => where(gt(x, 1), 1, x), (x) => (x > 1 ? 1 : x)],
  ["x where x < 1", (x) => where(lt(x, 1), x, 1), (x) => (x < 1 ? x : 1)],
  ["x where x > y", (x, y) => where(gt(x, y), x, y), (x, y) => (x > y ? x : y)],
  ["|x| >= 0", (x) => num(ge(abs(x), 0)), (x) => Number(Math.abs(x) >= 0)],
];

const constants: readonly Claim[] = [
  ["sqrt(-1)", (x) => add(sqrt(full(-1)), x), () => nan],
  ["1 / 0", (x) => add(div(full(1), full(0)), x), (x) => x + inf],
  ["0 / 0", (x) => add(div(full(0), full(0)), x), () => nan],
  ["exp(1000)", (x) => add(exp(full(1000)), x), (x) => x + inf],
  ["log(0)", (x) => add(log(full(0)), x), (x) => x - inf],
  ["3e38 * 10", (x) => maximum(mul(full(3e38), full(10)), x), (x) => Math.max(inf, x)],
];

const inputs = [f32(...xs), f32(...ys)];
const rows: readonly Row[] = [
  ...[sums, products, functions, comparisons, constants]
    .flat()
    .map(
      ([claim, call, plain]): Row => [
        claim,
        inputs,
        (x, y) => ops.reshape(call(x as F, y as F), [xs.length]) as Tensor,
        xs.map((x, i) => Math.fround(plain(x, ys[i]!))),
      ],
    ),
  [
    "one number, read four times by weights of both signs",
    [shaped([1, 1, 1, 1], inf)],
    (x) => ops.resample(x!, { mode: "bicubic", size: [3, 1] }),
    [nan, nan, nan],
  ],
  [
    "a product with zeros on the left",
    [shaped([9, 1], nan, ...Array(8).fill(1))],
    (x) => ops.matmul(ops.full(0, [2, 9]) as Tensor, x!),
    [nan, nan],
  ],
  [
    "a product with zeros on the right",
    [shaped([1, 9], inf, ...Array(8).fill(1))],
    (x) => ops.matmul(x!, ops.full(0, [9, 2]) as Tensor),
    [nan, nan],
  ],
  [
    "sums of constant whole numbers",
    [i32(1)],
    (x) => add(add(ops.full(2147483647, [1], "i32"), ops.full(1, [1], "i32")) as Tensor, x!),
    [-2147483647],
  ],
];

const ways = (profile: Profile): Record<string, Omit<CompileOptions, "target">> => ({
  fused: { profile },
  unfused: { profile, policy: "unfused" },
  "few threads": { profile: { ...profile, maxThreads: 64, maxGroups: 64 } },
  unrolled: { profile: { ...profile, rolled: false, slowBarriers: false } },
  halves: { profile: { ...profile, half: true }, precision: "mixed", halveFrom: 1 },
});

const all = (runner: (way: keyof ReturnType<typeof ways>) => Runner) =>
  describe.each(Object.keys(ways(defaultProfile)))("%s", (way) => {
    test.each(rows)("%s", async (...row) => close(await run(runner(way), row), row[3], 1e-5));
  });

describe("the reference device", () => {
  all((way) => ({ device: referenceDevice(), options: ways(defaultProfile)[way]! }));
  describe("in subgroups of 8", () => {
    const profile = { ...defaultProfile, subgroup: 8 };
    test.each(rows)("%s", async (...row) =>
      close(
        await run({ device: referenceDevice({ width: 8 }), options: { profile } }, row),
        row[3],
        1e-5,
      ),
    );
  });
});

describeOnDevice("WGSL", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device.destroy());
  all((way) => ({ device, options: ways(defaultProfile)[way]! }));
  describe("with all that the device has", () =>
    all((way) => ({ device, options: ways(deviceProfile(device.capabilities))[way]! })));
});
