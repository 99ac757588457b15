/** Decisions of fusion: what a kernel stores on its way, when it runs, and what its text repeats. */
import { describe, expect, test } from "vitest";
import type { DeviceClass } from "../../../compiler/capabilities.ts";
import { compileStages } from "../../../compiler/compile.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input, type Source } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { takeOut } from "../../../compiler/tuning/alone.ts";
import {
  add,
  exp,
  gelu,
  matmul,
  mul,
  permute,
  relu,
  softmax,
  transpose,
} from "../../../ops/index.ts";
import { expectedOf } from "../../../tuning/expected.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";

const [x, w, b, v] = [
  input("x", "f32", [40, 24]) as Tensor,
  input("w", "f32", [24, 36]) as Tensor,
  input("b", "f32", [36]) as Tensor,
  input("v", "f32", [36, 20]) as Tensor,
];
const sizes = { x: 40 * 24, w: 24 * 36, b: 36, v: 36 * 20 };
const values = Object.fromEntries(
  Object.entries(sizes).map(([name, size], i) => [name, randomNumbers(size, i + 1)]),
);

const regionsOf = (results: Readonly<Record<string, Tensor>>, profile = defaultProfile) => {
  const graph = graphOf(Object.entries(results).map(([name, tensor]) => ({ name, tensor })));
  const { regions } = compileStages(graph, { profile }).fusion;
  const names = regions.map(({ anchor, chain, writes }) =>
    [...[anchor, ...chain.map((l) => l.node)].map((n) => n.op.name), writes.length].join(" "),
  );
  return { graph, names };
};

async function expectRight(results: Readonly<Record<string, Tensor>>, profile = defaultProfile) {
  const { graph } = regionsOf(results, profile);
  const [expected, fused] = [
    await evaluate(graph, values),
    await runOnReference(graph, values, { profile }),
  ];
  for (const name of Object.keys(results))
    expect(relativeError(fused[name]!, expected[name]!), name).toBeLessThan(1e-5);
}

describe("an activation whose input is needed as well", () => {
  const before = add(matmul(x, w), b);
  const after = gelu(before);
  const results = { before, after, next: matmul(after, v) };

  test("is computed by the kernel that stores its input", () => {
    expect(regionsOf(results).names).toEqual(["matmul add gelu 2", "matmul 1"]);
  });

  test.each([0, 4])("has the values of its definition, with subgroups of %s", async (subgroup) => {
    await expectRight(results, { ...defaultProfile, subgroup });
  });

  test("follows the product alone", async () => {
    const product = matmul(x, w);
    const made = { product, active: relu(product) };
    expect(regionsOf(made).names).toEqual(["matmul relu 2"]);
    await expectRight(made);
  });

  test("is expected of the kernel by whoever measures it alone", async () => {
    const product = matmul(x, w);
    for (const made of [results, { product, active: relu(product) }]) {
      const graph = graphOf(Object.entries(made).map(([name, tensor]) => ({ name, tensor })));
      const region = compileStages(graph).fusion.regions[0]!;
      const given = region.reads.map((t) => values[(t.node.attrs as Source).name]!);
      const found = await expectedOf(
        takeOut(region),
        given.map((numbers) => Float64Array.from(numbers)),
      );
      const wanted = await evaluate(graph, values);
      region.writes.forEach((t, i) => {
        const { name } = graph.outputs.find((o) => o.tensor === t)!;
        expect(relativeError(found[i]!, wanted[name]!), name).toBeLessThan(1e-12);
      });
    }
  });

  test("keeps its own kernel where another comes between", () => {
    const active = gelu(before);
    const made = { between: softmax(before), active, before };
    expect(regionsOf(made).names).toEqual(["matmul add 1", "softmax 1", "gelu 1"]);
  });

  test("keeps its own kernel where it reads the input at other places too", async () => {
    const square = matmul(w, w, { transpose: "right" }) as Tensor;
    const results = { square, symmetric: add(square, permute(square, [1, 0])) };
    expect(regionsOf(results).names).toEqual(["matmul 1", "add 1"]);
    await expectRight(results);
  });

  test("keeps its own kernel where one would bind too much", () => {
    const narrow = { ...defaultProfile, maxBindings: 4 };
    expect(regionsOf(results, narrow).names).toEqual(["matmul add 1", "gelu 1", "matmul 1"]);
  });
});

test("what melts is computed again at every read where that takes less time than a dispatch", () => {
  // Every row of workgroups computes 16384 exponentials: a software device should not repeat that.
  const [wide, tall] = [input("x", "f32", [2048, 128]), input("w", "f32", [128, 128])];
  const results = { y: matmul(wide as Tensor, exp(tall as Tensor)) };
  const on = (deviceClass: DeviceClass) =>
    regionsOf(results, { ...defaultProfile, deviceClass }).names;
  expect(on("software")).toEqual(["exp 1", "matmul 1"]);
  expect(on("discrete")).toEqual(["matmul 1"]);
});

test("a kernel runs as soon as its inputs are there, however late what melted behind it was written", () => {
  const first = softmax(x);
  const product = matmul(transpose(first), x);
  const second = softmax(mul(first, 2));
  const results = { second, turned: transpose(product) };
  const graph = graphOf(
    Object.entries(results).map(([name, tensor]) => ({ name, tensor })),
    "as written",
  );
  const anchors = compileStages(graph).fusion.regions.map((r) => r.anchor.op.name);
  expect(anchors).toEqual(["softmax", "matmul", "softmax"]);
});

describe("what is read twice where it is read", () => {
  test("is written once in a kernel, however often it doubles", async () => {
    let y: Tensor = input("x", "f32", [8]);
    const x = y;
    for (let i = 0; i < 40; i++) y = mul(add(y, y), 0.5);
    const graph = graphOf([{ name: "y", tensor: mul(y, x) }]);
    const { fusion, plan } = compileStages(graph);
    expect(fusion.regions.length).toBeLessThanOrEqual(4);
    for (const { source } of plan.kernels) expect(source.length).toBeLessThan(5000);
    const x8 = [1, 2, 3, 4, 5, 6, 7, 8];
    const found = await runOnReference(graph, { x: x8 });
    expect(found.y).toEqual(x8.map((v) => v * v));
  });
});
