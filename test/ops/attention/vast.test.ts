/**
 * Scores near the largest number: a gradient computes them again, rounded otherwise. A row whose result is a
 * number has numbers for gradients, as where probabilities are stored.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradient } from "../../../compiler/grad/backward.ts";
import { compile, graphOf, input, type Tensor } from "../../../compiler/index.ts";
import type { PlanTensor } from "../../../compiler/plan.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import { attention } from "../../../ops/index.ts";
import type { Device, Numbers } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { describeOnDevice } from "../../support/device.ts";
import { randomNumbers } from "../../support/weights-files.ts";

const vast = -3.4e38;

interface Way {
  readonly device: Device;
  readonly profile?: Profile;
}

/** Whether each query's row of the result, and of the queries' gradient, is all numbers. */
async function rowsOf(
  { device, profile }: Way,
  [rows, columns]: readonly [number, number],
  depth: number,
) {
  const n = rows * columns;
  const shape = [1, 1, n, depth];
  const [q, k, v, g] = ["q", "k", "v", "g"].map((name) => input(name, "f32", shape)) as Tensor[];
  const tables = (
    [
      ["height", rows],
      ["width", columns],
    ] as const
  ).map(([name, size]) => input(name, "f32", [2 * size - 1, depth]));
  const [height, width] = tables as Tensor[];
  const relative = { height: height!, width: width!, grid: [rows, columns] as const };
  const y = attention(q!, k!, v!, { relative }) as Tensor;
  const [slope] = gradient([y], [g!], [q!]);
  const outputs = [
    { name: "y", tensor: y },
    { name: "slope", tensor: slope! },
  ];
  const plan = compile(graphOf(outputs), {
    target: device.target,
    ...(profile ? { profile } : {}),
  });
  const session = await createSession(plan, device);
  const found: (readonly [result: boolean, slope: boolean])[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const { y, slope } = await session.run(numbersFor(plan.inputs, depth, seed));
    for (let i = 0; i < y!.length; i += depth)
      found.push([areNumbers(y!, i, depth), areNumbers(slope!, i, depth)]);
  }
  await session.close();
  return found;
}

const areNumbers = (x: Numbers, at: number, count: number) =>
  [...x.slice(at, at + count)].every(Number.isFinite);

/** Of queries and keys some are vast, and tables are small. */
function numbersFor(inputs: readonly PlanTensor[], depth: number, seed: number) {
  const random = randomNumbers(seed);
  const steps: Readonly<Record<string, number>> = { q: depth + 1, k: depth + 3 };
  return Object.fromEntries(
    inputs.map(({ name, shape }) => {
      const isTable = name === "height" || name === "width";
      const one = () => (random(2000) / 1000 - 1) * (isTable ? 0.1 : 1);
      const numbers = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, one);
      const step = steps[name] ?? numbers.length;
      for (let i = 0; step < numbers.length && i < numbers.length; i += step) numbers[i] = vast;
      return [name, numbers];
    }),
  );
}

const cases = [
  ["scores are stored", [2, 2], 4],
  ["scores are computed again", [7, 7], 8],
] as const;

const check = (way: () => Way) =>
  test.each(cases)("%s", async (_, grid, depth) => {
    const rows = await rowsOf(way(), grid, depth);
    expect(new Set(rows.map(([result]) => result))).toEqual(new Set([true, false]));
    expect(rows.filter(([result, slope]) => result !== slope)).toEqual([]);
  });

describe("the reference device", () => {
  check(() => ({ device: referenceDevice() }));
  describe("in subgroups of 8", () =>
    check(() => ({
      device: referenceDevice({ width: 8 }),
      profile: { ...defaultProfile, subgroup: 8, slowBarriers: false },
    })));
});

describeOnDevice("WGSL", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice());
  });
  afterAll(() => device.destroy());
  check(() => ({ device }));
});
