/**
 * Functions of numbers of every size, against double precision: relative errors are bounded however small the
 * argument is. WGSL computes exp(x) to 3 + 2 |x| units in the last place, and what is made of it with it.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { graphOf } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import type { Tensor } from "../../compiler/op-kit.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import * as ops from "../../ops/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { createSession } from "../../runtime/session.ts";
import { describeOnDevice } from "../support/device.ts";
import { ptxDevice } from "../support/ptx-device.ts";

const unit = 2 ** -23;
/** From 1e-30 to 60, of both signs. */
const sizes = Array.from({ length: 640 }, (_, i) => 1.2345 * 10 ** (-30 + i / 20)).filter(
  (x) => x < 60,
);
const numbers = sizes.flatMap((x) => [Math.fround(x), Math.fround(-x)]);

/** Euler's continued fraction for z from 2 up, and below that the series of erf. */
function erfc(z: number): number {
  if (z < 0) return 2 - erfc(-z);
  if (z < 2) return 1 - erf(z);
  let rest = 0;
  for (let n = 120; n > 0; n--) rest = n / 2 / (z + rest);
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + rest);
}

function erf(x: number): number {
  if (Math.abs(x) >= 2) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const fixed = (units: number) => () => units * unit;
const ofExp = (x: number) => (6 + 2 * Math.abs(x)) * unit;

type Claim = readonly [
  name: string,
  call: (x: Tensor) => Tensor,
  plain: (x: number) => number,
  bound: (x: number) => number,
];

const claims: readonly Claim[] = [
  ["tanh", ops.tanh, Math.tanh, fixed(5)],
  ["erf", ops.erf, erf, fixed(5)],
  ["gelu", ops.gelu, (x) => x * 0.5 * erfc(-x * Math.SQRT1_2), (x) => (6 + x * x) * unit],
  ["sigmoid", ops.sigmoid, (x) => 1 / (1 + Math.exp(-x)), ofExp],
  ["silu", (x) => ops.mul(x, ops.sigmoid(x)), (x) => x / (1 + Math.exp(-x)), ofExp],
  ["softplus", ops.softplus, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), ofExp],
  ["exp", ops.exp, Math.exp, ofExp],
  [
    "oneMinusPower",
    (x) => ops.oneMinusPower(ops.abs(x) as Tensor, 0.5),
    (x) => -Math.expm1(Math.abs(x) * Math.log(0.5)),
    fixed(6),
  ],
  ["sin", ops.sin, Math.sin, fixed(3)],
  ["sqrt", (x) => ops.sqrt(ops.abs(x)), (x) => Math.sqrt(Math.abs(x)), fixed(3)],
  ["rsqrt", (x) => ops.rsqrt(ops.abs(x)), (x) => 1 / Math.sqrt(Math.abs(x)), fixed(3)],
];

async function worst(device: Device, [, call, plain, bound]: Claim): Promise<string[]> {
  const x = input("x", "f32", [numbers.length]);
  const profile = deviceProfile(device.capabilities);
  const graph = graphOf([{ name: "y", tensor: call(x as Tensor) }]);
  const session = await createSession(compile(graph, { target: device.target, profile }), device);
  const { y } = await session.run({ x: Float32Array.from(numbers) });
  session.close();
  return numbers.flatMap((at, i) => {
    const wanted = plain(at);
    // What is not normal may be zero.
    const isRight = Math.abs(y![i]! - wanted) <= Math.max(bound(at) * Math.abs(wanted), 2 ** -126);
    return isRight ? [] : [`at ${at}: ${y![i]}, not ${wanted}`];
  });
}

describe("the reference device", () => {
  test.each(claims)("%s", async (...claim) =>
    expect(await worst(referenceDevice(), claim)).toEqual([]),
  );
});

describe("the processor device", () => {
  test.each(claims)("%s", async (...claim) => expect(await worst(cpuDevice(), claim)).toEqual([]));
});

describe("PTX, whose approximations are as wrong as they may be", () => {
  test.each(claims)("%s", async (...claim) => expect(await worst(ptxDevice(), claim)).toEqual([]));
});

describeOnDevice("WGSL", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device.destroy());
  test.each(claims)("%s", async (...claim) => expect(await worst(device, claim)).toEqual([]));
});
