/** Right operands in panels: which parameters lie so, that kernels read them so, and what a plan may not say. */
import { beforeAll, describe, expect, test } from "vitest";
import { compile, input, type Plan, trace } from "../../../compiler/index.ts";
import type { Tensor } from "../../../compiler/op-kit.ts";
import { deviceProfile } from "../../../compiler/profile.ts";
import { add, matmul, mul, pad, slice } from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { nativeCapabilities } from "../../../runtime/devices/native.ts";
import { createSession } from "../../../runtime/session.ts";
import { describeNative, openQuickDevice } from "../../support/native.ts";
import { refusal } from "../../support/weights-files.ts";
import { weightsOf } from "../../support/weights-of.ts";

const shapes = {
  turned: [96, 20],
  straight: [20, 96],
  both: [20, 20],
  added: [20, 96],
  odd: [20, 50],
  padded: [20, 48],
  cut: [20, 120],
} as const;
type Name = keyof typeof shapes;

const graph = trace((p) => {
  const x = input("x", "f32", [10, 20]) as Tensor;
  const w = (name: Name) => p.f32(name, shapes[name]) as Tensor;
  return {
    turned: matmul(x, w("turned"), { transpose: "right" }),
    straight: matmul(x, w("straight")),
    both: matmul(matmul(x, w("both")), w("both"), { transpose: "right" }),
    added: matmul(x, w("added")),
    sum: add(mul(w("added"), 2), w("added")),
    odd: matmul(x, w("odd")),
    padded: matmul(x, pad(w("padded"), [[], [0, 48]])),
    cut: matmul(x, slice(w("cut"), [[], [0, 96]])),
  };
}, {});

/** Whole numbers, so that every sum of products is exact. */
const x = Float32Array.from({ length: 200 }, (_, i) => (i % 7) - 3);
const value = (name: Name, row: number, column: number) => row * shapes[name][1] + column + 1;

/** The product of a row of `of` with a column of a parameter, or with a row of it. */
const times = (of: readonly number[], name: Name, turned: boolean): number[] => {
  const [first, second] = shapes[name];
  const [rows, columns] = turned ? [second, first] : [first, second];
  return Array.from({ length: columns }, (_, c) =>
    Array.from(
      { length: rows },
      (_, r) => of[r]! * (turned ? value(name, c, r) : value(name, r, c)),
    ).reduce((a, b) => a + b),
  );
};
const rowsOf = (f: (row: readonly number[]) => number[]): number[] =>
  Array.from({ length: 10 }, (_, i) => f([...x.subarray(20 * i, 20 * i + 20)])).flat();

async function checkOn(device: Device): Promise<void> {
  const { target, capabilities } = device;
  const plan = compile(graph, { target, profile: deviceProfile(capabilities) });
  const session = await createSession(plan, device, { weights: await weightsOf(shapes) });
  const y = await session.run({ x });
  expect([...y.turned!]).toEqual(rowsOf((row) => times(row, "turned", true)));
  expect([...y.straight!]).toEqual(rowsOf((row) => times(row, "straight", false)));
  const both = rowsOf((row) => times(times(row, "both", false), "both", true));
  expect([...y.both!]).toEqual(both.map(Math.fround));
  expect([...y.added!]).toEqual(rowsOf((row) => times(row, "added", false)));
  expect([...y.odd!]).toEqual(rowsOf((row) => times(row, "odd", false)));
  expect([...y.padded!]).toEqual(
    rowsOf((row) => [...times(row, "padded", false), ...Array<number>(48).fill(0)]),
  );
  expect([...y.cut!]).toEqual(rowsOf((row) => times(row, "cut", false).slice(0, 96)));
  expect(y.sum![95]).toBe(3 * 96);
  await session.close();
  device.destroy();
}

describe("on the processor", () => {
  let plan: Plan;
  beforeAll(() => {
    const { target, capabilities } = cpuDevice({ threads: 1 });
    plan = compile(graph, { target, profile: deviceProfile(capabilities) });
  });

  const found = (name: Name) => plan.parameters.find((p) => p.name === name)!;

  test("what one side of products alone reads lies in panels, and takes no more memory", () => {
    expect(found("turned").panels).toEqual({ width: 12, turned: true });
    expect(found("straight").panels).toEqual({ width: 12, turned: false });
    for (const name of ["both", "added", "odd", "padded"] as const)
      expect(found(name).panels, name).toBeUndefined();
    expect(found("turned").bytes).toBe(4 * 96 * 20);
  });

  test("its values are those of products", () => checkOn(cpuDevice({ threads: 1 })));

  test("E516: panels that do not divide the columns", async () => {
    const device = cpuDevice({ threads: 1 });
    const forged = (panels: unknown) =>
      ({
        ...plan,
        parameters: plan.parameters.map((p) => (p.name === "turned" ? { ...p, panels } : p)),
      }) as Plan;
    const weights = await weightsOf(shapes);
    const place = (panels: unknown) => createSession(forged(panels), device, { weights });
    for (const panels of [
      { width: 12, turned: false },
      { width: 0, turned: true },
      { width: 4 },
      7,
    ])
      expect((await refusal(() => place(panels))).code).toBe("E516");
    await (await place({ width: 4, turned: true })).close();
    device.destroy();
  });
});

test("as wide as a processor's blocks", () => {
  for (const [lanes, registers] of [
    [8, 16],
    [16, 32],
  ] as const) {
    const profile = deviceProfile(nativeCapabilities({ lanes, registers }));
    const { panels } = compile(graph, { target: "c", profile }).parameters[0]!;
    expect(panels!.width % lanes).toBe(0);
    expect(panels!.width).toBeGreaterThan(lanes);
  }
});

test("no GPU is given panels", () => {
  const { parameters } = compile(graph, { target: "wgsl" });
  expect(parameters.every(({ panels }) => panels === undefined)).toBe(true);
});

describeNative("in C", () => {
  test("its values are those of products", async () => checkOn((await openQuickDevice())!));
});
