/**
 * Products by the matrix instructions of PTX, interpreted: they have the values of the oracle, and no barrier can be
 * left out. ptxas says what they take of a GPU.
 */
import { describe, expect, test } from "vitest";
import { architectures } from "../../../../build/cuda-module.ts";
import { compileStages } from "../../../../compiler/compile.ts";
import { candidatesOf } from "../../../../compiler/forms/pick.ts";
import { gradient } from "../../../../compiler/grad/backward.ts";
import { type Graph, graphOf } from "../../../../compiler/graph/graph.ts";
import { input } from "../../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../../compiler/graph/tensor.ts";
import type { Tile } from "../../../../compiler/op.ts";
import type { Plan } from "../../../../compiler/plan.ts";
import { deviceProfile } from "../../../../compiler/profile.ts";
import type { Precision } from "../../../../compiler/storage/formats.ts";
import { capabilities } from "../../../../compiler/targets/cuda/capabilities.ts";
import { kernelKey } from "../../../../compiler/tuning/kernel-key.ts";
import { attention, matmul, permute, softmax } from "../../../../ops/index.ts";
import { givenBytes } from "../../../../runtime/devices/cuda.ts";
import { kernelText } from "../../../../runtime/devices/device.ts";
import { evaluate } from "../../../../verify/ops/evaluate.ts";
import { oddProducts } from "../../../../verify/ops/products.ts";
import { assembled, hasPtxas } from "../../../support/nvcc.ts";
import { productGraph, storedArrays } from "../../../support/odd-products.ts";
import { ptxDevice } from "../../../support/ptx-device.ts";
import { runPlan } from "../../../support/run-plan.ts";

const profile = deviceProfile(capabilities);
const f32 = (name: string, shape: readonly number[]) => input(name, "f32", shape) as Tensor;
/** The program with so many of the tiles of fragments that its one product can have, from the best on. */
function withTiles(
  graph: Graph,
  count: number,
  { isMeant = (_tile: Tile): boolean => true, precision = "mixed" as Precision } = {},
): readonly { readonly plan: Plan; readonly words: string }[] {
  const options = { target: "ptx", profile, precision } as const;
  const compiled = compileStages(graph, options);
  const region = compiled.fusion.regions.find((r) => r.variant)!;
  const key = kernelKey(region, compiled.profile);
  const { variants } = candidatesOf(region.anchor, compiled.profile);
  const all = variants.filter(({ form, tile }) => form === "fragments" && isMeant(tile));
  const apart = Math.ceil(all.length / count);
  return all
    .filter((_, i) => i % apart === 0)
    .map(({ tile }) => ({
      ...compileStages(graph, { ...options, tuning: { [key]: { tile, gain: 1 } } }),
      words: JSON.stringify(tile),
    }));
}

const errorOf = (got: ArrayLike<number>, wanted: ArrayLike<number>): number => {
  const of = Array.from(wanted);
  const largest = Math.max(...of.map(Math.abs));
  return Math.max(...of.map((v, i) => Math.abs(v - got[i]!))) / largest;
};

/** Products of what kernels before them stored as halves: it is copied as it lies. */
const copiedProducts: Readonly<Record<string, () => Graph>> = {
  "rows and rows": () => {
    const [a, b] = [softmax(f32("a", [40, 48])), softmax(f32("b", [48, 56]))];
    return graphOf([{ name: "y", tensor: softmax(matmul(a, b)) }]);
  },
  "rows, and a right operand by columns": () => {
    const w = softmax(f32("w", [48, 56]));
    const x = softmax(matmul(softmax(f32("a", [40, 48])), w));
    return graphOf([{ name: "y", tensor: softmax(matmul(x, w, { transpose: "right" })) }]);
  },
  "a left operand by columns": () => {
    const w = softmax(f32("w", [48, 56]));
    const x = softmax(matmul(softmax(f32("a", [40, 48])), w));
    const turned = softmax(matmul(permute(w, [1, 0]), softmax(f32("b", [48, 40]))));
    return graphOf([{ name: "y", tensor: matmul(x, turned) }]);
  },
};

const instructionOf = {
  mixed: /mma\.sync.*\.f32\.f16\.f16\.f32/,
  bf16: /mma\.sync.*\.f32\.bf16\.bf16\.f32/,
};
/** What a store rounds by at most, relative to the number. */
const rounding = { mixed: 2 ** -11, bf16: 2 ** -8 };
const narrow = ["mixed", "bf16"] as const;

const thorough = "a base, a low-rank segment, a bias, GELU and a residual";

test.each([
  ...Object.keys(oddProducts).map((name) => [name, "mixed"] as const),
  ...[thorough, "whole tiles"].map((name) => [name, "bf16"] as const),
])("%s, %s", async (name, precision) => {
  const graph = productGraph(name);
  const all = withTiles(graph, name === thorough ? 3 : 1, { precision });
  expect(all.length).toBeGreaterThan(0);
  const arrays = storedArrays(all[0]!.plan, precision);
  const wanted = (await evaluate(graph, arrays)).y!;
  for (const { plan, words } of all) {
    expect(plan.kernels.map(kernelText).join(), words).toMatch(instructionOf[precision]);
    const got = await runPlan(plan, arrays, ptxDevice("backwards"));
    expect(errorOf(got.y!, wanted), words).toBeLessThan(2e-6);
  }
});

test("a launch gives more shared memory than a kernel has by itself", async () => {
  const graph = productGraph("whole tiles");
  const isLarge = ({ m, n, k, stages }: Tile) => 2 * stages! * (m! + n!) * k! > 48 * 1024;
  const { plan } = withTiles(graph, 1, { isMeant: isLarge })[0]!;
  expect(givenBytes(plan.kernels[0]!)).toBeGreaterThan(48 * 1024);
  const arrays = storedArrays(plan);
  const wanted = (await evaluate(graph, arrays)).y!;
  const got = await runPlan(plan, arrays, ptxDevice());
  expect(errorOf(got.y!, wanted)).toBeLessThan(2e-6);
  expect(assembled(plan.kernels.map(kernelText), "sm_80")).toHaveLength(hasPtxas ? 1 : 0);
});

/** The plan once for each of some instructions of its kernels, without that one. */
function* without(plan: Plan, instruction: RegExp): Generator<Plan> {
  for (const [number, kernel] of plan.kernels.entries()) {
    const lines = kernelText(kernel).split("\n");
    for (const [n, line] of lines.entries()) {
      if (!instruction.test(line)) continue;
      const source = lines.toSpliced(n, 1).join("\n");
      yield { ...plan, kernels: plan.kernels.with(number, { ...kernel, source }) };
    }
  }
}

const copiedIn = (make: () => Graph, precision: Precision) => {
  const graph = make();
  const options = { target: "ptx", profile, precision, halveFrom: 1 } as const;
  const { plan } = compileStages(graph, options);
  return { graph, plan, arrays: storedArrays(plan, precision) };
};

describe.each(Object.entries(copiedProducts))("%s", (_, make) => {
  test.each(narrow)("are copied, each operand in every step: %s", async (precision) => {
    const { graph, plan, arrays } = copiedIn(make, precision);
    const products = plan.kernels.filter(({ name }) => name === "matmul").map(kernelText);
    for (const text of products) expect(text.match(/cp\.async\.cg/g)?.length).toBeGreaterThan(3);
    const wanted = (await evaluate(graph, arrays)).y!;
    const got = await runPlan(plan, arrays, ptxDevice("backwards"));
    expect(errorOf(got.y!, wanted)).toBeLessThan(2 * rounding[precision]);
  });

  test("no wait for a copy can be left out, and no end of a group", async () => {
    const { plan, arrays } = copiedIn(make, "mixed");
    for (const broken of without(plan, /cp\.async\.(?:wait|commit)_group/)) {
      const found = await runPlan(broken, arrays, ptxDevice()).then(
        ({ y }) => (y!.some((v) => Number.isNaN(v)) ? "what has not arrived" : "nothing"),
        ({ message }: Error) => message,
      );
      expect(found).toMatch(/what has not arrived|race/);
    }
  });
});

test.each(narrow)("attention and its gradients multiply fragments: %s", async (precision) => {
  const shape = [1, 2, 40, 16];
  const [q, k, v] = ["q", "k", "v"].map((name) => f32(name, shape)) as [Tensor, Tensor, Tensor];
  const y = attention(q, k, v);
  const found = gradient([y], [f32("g", y.shape)], [q, k, v]);
  const named = found.map((tensor, i) => ({ name: `d${i}`, tensor: tensor! }));
  const graph = graphOf([{ name: "y", tensor: y }, ...named]);
  const { plan } = compileStages(graph, { target: "ptx", profile, precision });
  const texts = plan.kernels.map(kernelText);
  const multiplying = texts.filter((text) => instructionOf[precision].test(text));
  expect(multiplying.length).toBeGreaterThan(2);
  const arrays = storedArrays(plan, precision);
  const wanted = await evaluate(graph, arrays);
  const got = await runPlan(plan, arrays, ptxDevice("backwards"));
  for (const name of ["y", "d0", "d1", "d2"])
    expect(errorOf(got[name]!, wanted[name]!), name).toBeLessThan(4 * rounding[precision]);
});

test("no barrier can be left out", async () => {
  const { plan } = withTiles(productGraph(thorough), 1)[0]!;
  const arrays = storedArrays(plan);
  for (const broken of without(plan, /bar\.sync/)) {
    const run = runPlan(broken, arrays, ptxDevice("backwards"));
    await expect(run).rejects.toThrow(/race/);
  }
});

describe("ptxas accepts tiles, and spills nothing", () => {
  const texts = narrow
    .flatMap((precision) => withTiles(productGraph("whole tiles"), 4, { precision }))
    .map(({ plan }, i) => kernelText(plan.kernels[0]!).replace(/entry \w+/, `entry tile_${i}`));
  test.each(architectures)("for %s", (arch) => {
    const found = assembled(texts, arch);
    expect(found).toHaveLength(hasPtxas ? texts.length : 0);
    for (const { name, stack, spilled, registers } of found) {
      expect([stack, spilled]).toEqual([0, 0]);
      // Of the first tile three blocks of 128 threads have room in a multiprocessor.
      if (name === "tile_0" || name === "tile_4") expect(registers).toBeLessThanOrEqual(168);
    }
  });
});
