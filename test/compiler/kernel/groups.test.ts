/** Kernels with more workgroups than an axis takes: of every op, in every form, on devices as they are. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { resultsOf } from "../../../compiler/graph/tensor.ts";
import { gradient, type Tensor } from "../../../compiler/op-kit.ts";
import type { MatrixUnits } from "../../../compiler/plan.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../../compiler/profile.ts";
import * as ops from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { runOnReference } from "../../../verify/ops/evaluate.ts";
import { type Example, findOps } from "../../../verify/ops/programs.ts";
import { describeOnDevice } from "../../support/device.ts";

const { subjects } = await findOps();

const matrices: MatrixUnits = {
  ...{ width: 32, widths: "fixed" },
  products: [{ operand: "f32", rows: 8, columns: 8, depth: 8 }],
};

/** Devices with few workgroups along an axis: of many examples all three axes are needed. */
const narrow: readonly Profile[] = [
  { ...defaultProfile, name: "workgroups", maxGroups: 5 },
  { ...defaultProfile, name: "subgroups", maxGroups: 3, subgroup: 8 },
  { ...defaultProfile, name: "reducing", maxGroups: 5, slowBarriers: false, reduces: true },
  { ...defaultProfile, name: "fragments", maxGroups: 2, rolled: false, matrices },
];

/** Whether it has more workgroups than one axis takes, and not more than three do. */
function isFolded({ graph }: Example, profile: Profile): boolean {
  const plan = compile(graph, { target: "reference", policy: "unfused", profile: wide(profile) });
  const most = Math.max(...plan.steps.map(({ groups }) => groups.reduce((a, b) => a * b)));
  return most > profile.maxGroups && most <= profile.maxGroups ** 3;
}

const wide = (profile: Profile): Profile => ({
  ...profile,
  maxGroups: defaultProfile.maxGroups,
});

describe.each(subjects.filter(({ op }) => op?.kind === "kernel"))("$name", ({ examples }) => {
  test.each(narrow)("$name: the same to the bit", async (profile) => {
    const folded = examples.map((make) => make()).filter((example) => isFolded(example, profile));
    for (const { graph, arrays } of folded.slice(0, 1)) {
      const run = (p: Profile) => runOnReference(graph, arrays, { policy: "unfused", profile: p });
      expect(await run(profile)).toEqual(await run(wide(profile)));
    }
  });
});

describeOnDevice("on a device, beyond its 65535 workgroups", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device.destroy());

  const many = 70_000;
  const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => (i % 97) / 97);
  const profiles = (): readonly Profile[] => [defaultProfile, deviceProfile(device.capabilities)];

  /** The results of a program whose inputs are all `ramp`s, and the most workgroups of a kernel. */
  async function run(tensors: Readonly<Record<string, Tensor>>, profile: Profile) {
    const graph = graphOf(Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })));
    const plan = compile(graph, { profile });
    const most = Math.max(...plan.steps.map(({ groups }) => groups.reduce((a, b) => a * b)));
    const session = await createSession(plan, device);
    const given = plan.inputs.map((t) => [t.name, ramp(elements(t.shape))] as const);
    const results = await session.run(Object.fromEntries(given));
    session.close();
    return {
      ...(results as Record<"y" | "da" | "db" | "dq" | "dk" | "dv", Float32Array>),
      most,
    };
  }

  const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const sum = (count: number, term: (i: number) => number) =>
    Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b);
  const places = [0, 1, 65535, 65536, many - 1];

  test("a batch of 70,000 products, and their gradients", async () => {
    const [a, b] = [x("a", many, 2, 9), x("b", many, 9, 2)];
    const y = ops.matmul(a, b) as Tensor;
    const [da, db] = gradient([y], [y], [a, b]) as [Tensor, Tensor];
    const all = ramp(many * 18);
    for (const profile of profiles()) {
      const found = await run({ y, da, db }, profile);
      expect(found.most).toBeGreaterThan(65535);
      for (const i of places) {
        const at = all.subarray(18 * i, 18 * i + 18);
        const product = (r: number, c: number) => sum(9, (k) => at[9 * r + k]! * at[2 * k + c]!);
        const to = [product(0, 0), product(0, 1), product(1, 0), product(1, 1)] as const;
        expect(found.y[4 * i + 3]).toBeCloseTo(to[3], 4);
        expect(found.da[18 * i + 17]).toBeCloseTo(to[2] * at[16]! + to[3] * at[17]!, 4);
        expect(found.db[18 * i]).toBeCloseTo(to[0] * at[0]! + to[2] * at[9]!, 4);
      }
    }
  });

  test("70,000 attentions, and their gradients", async () => {
    const [q, k, v] = ["q", "k", "v"].map((name) => x(name, many, 1, 2, 2)) as Three;
    const y = ops.attention(q, k, v);
    const [dq, dk, dv] = gradient([y], [y], [q, k, v]) as Three;
    const all = ramp(many * 4);
    for (const profile of profiles()) {
      const found = await run({ y, dq, dk, dv }, profile);
      expect(found.most).toBeGreaterThan(65535);
      for (const i of places) {
        const at = all.subarray(4 * i, 4 * i + 4);
        const row = (of: ArrayLike<number>, r: number) => [of[2 * r]!, of[2 * r + 1]!] as const;
        const dot = (a: Pair, b: Pair) => a[0] * b[0] + a[1] * b[1];
        // The weights of the second key in each row, and the results.
        const share = [0, 1].map((r) => {
          const [s, t] = [0, 1].map((j) => dot(row(at, r), row(at, j)) / Math.SQRT2) as [
            number,
            number,
          ];
          return 1 / (1 + Math.exp(s - t));
        });
        const to = share.flatMap((p) => [0, 1].map((d) => (1 - p) * at[d]! + p * at[2 + d]!));
        for (const [j, value] of to.entries()) expect(found.y[4 * i + j]).toBeCloseTo(value, 5);
        for (const d of [0, 1])
          expect(found.dv[4 * i + 2 + d]).toBeCloseTo(
            sum(2, (r) => share[r]! * to[2 * r + d]!),
            5,
          );
        const slope = [0, 1].map((r) => {
          const [a, b] = [0, 1].map((j) => dot(row(to, r), row(at, j))) as [number, number];
          return (share[r]! * (1 - share[r]!) * (b - a)) / Math.SQRT2;
        });
        expect(found.dq[4 * i]).toBeCloseTo(slope[0]! * (at[2]! - at[0]!), 5);
        expect(found.dk[4 * i + 2]).toBeCloseTo(
          sum(2, (r) => slope[r]! * at[2 * r]!),
          5,
        );
      }
    }
  });
});

/** What a device with enough memory is asked for: compiled, not run. */
const large: Readonly<Record<string, () => Tensor>> = {
  "a 1 x 1 convolution on 2500 x 2500": () =>
    ops.conv2d(x("image", 1, 64, 2500, 2500), x("weight", 2, 64, 1, 1)),
  "a product of ten million rows": () => ops.matmul(x("a", 10 ** 7, 16), x("b", 16, 16)) as Tensor,
  "a product of ten million columns": () =>
    ops.matmul(x("a", 4, 16), x("b", 16, 10 ** 7)) as Tensor,
  "five million queries": () =>
    ops.attention(x("q", 1, 1, 5 * 10 ** 6, 2), x("k", 1, 1, 3, 2), x("v", 1, 1, 3, 2)),
  "a million heads": () =>
    ops.attention(x("q", 1, 10 ** 6, 1, 2), x("k", 1, 10 ** 6, 3, 2), x("v", 1, 10 ** 6, 3, 2)),
  "an image of 20,000 x 20,000": () =>
    ops.resample(x("image", 1, 1, 10 ** 4, 10 ** 4), { scale: 2, mode: "bicubic" }),
};

describe.each(Object.entries(large))("%s", (_name, make) => {
  const huge = { maxBufferBytes: 2 ** 40, maxBindingBytes: 2 ** 40 };
  test.each([
    { ...defaultProfile, ...huge, name: "workgroups" },
    { ...defaultProfile, ...huge, name: "subgroups", subgroup: 8 },
  ])("$name, forwards and backwards", (profile) => {
    const y = make();
    const inputs = inputsIn(y);
    const gradients = gradient([y], [y], inputs).map((g, i) => ({ name: `d${i}`, tensor: g! }));
    const plan = compile(graphOf([{ name: "y", tensor: y }, ...gradients]), { profile });
    const counts = plan.steps.map(({ groups }) => groups);
    expect(Math.max(...counts.map((groups) => groups.reduce((a, b) => a * b)))).toBeGreaterThan(
      65535,
    );
    expect(Math.max(...counts.flat())).toBeLessThanOrEqual(65535);
  });
});

const x = (name: string, ...shape: number[]): Tensor => input(name, "f32", shape) as Tensor;

const inputsIn = (y: Tensor): Tensor[] =>
  graphOf([{ name: "y", tensor: y }])
    .nodes.filter(({ op }) => op.kind === "input")
    .map((node) => resultsOf(node)[0]!);

type Pair = readonly [number, number];
type Three = [Tensor, Tensor, Tensor];

test.each([
  ["exp", (x: Tensor) => ops.exp(x)],
  ["softmax", (x: Tensor) => ops.softmax(x)],
  ["matmul", (x: Tensor) => ops.matmul(x, input("w", "f32", [64, 64]) as Tensor)],
])("E108: %s, with more workgroups than three axes take", (name, call) => {
  const graph = graphOf([{ name: "y", tensor: call(input("x", "f32", [4096, 64]) as Tensor) }]);
  const compiled = (maxGroups: number) =>
    compile(graph, { profile: { ...defaultProfile, name: "narrow", maxGroups } });
  expect(() => compiled(2)).toThrow(
    new RegExp(`E108.*${name} needs \\d+ workgroups.*"narrow" allows 2 along`, "s"),
  );
  expect(compiled(64).steps.length).toBeGreaterThan(0);
});
