/** Attention and its gradients on matrix fragments: every lowering of theirs that devices have, at odd sizes. */
import { describe, expect, test } from "vitest";
import { type Compilation, compileStages } from "../../../compiler/compile.ts";
import { type Graph, graphOf, input, traceProgram } from "../../../compiler/index.ts";
import { elements, gradient, type Tensor } from "../../../compiler/op-kit.ts";
import type { MatrixUnits, Plan } from "../../../compiler/plan.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import { samModel, samPresets } from "../../../models/index.ts";
import { attention } from "../../../ops/index.ts";
import { type Device, kernelText } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { type Arrays, evaluate, randomNumbers } from "../../../verify/ops/evaluate.ts";
import { matrixTest } from "../../support/matrix-device.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";

const halves = (rows: number, columns: number, depth: number) =>
  ({ operand: "f16", rows, columns, depth }) as const;

const singles: MatrixUnits = {
  ...{ width: 32, widths: "fixed" },
  products: [{ operand: "f32", rows: 8, columns: 8, depth: 8 }],
};

/** Devices as vendors make them. */
const units: Readonly<Record<string, MatrixUnits>> = {
  "8 x 8 x 8 of singles": singles,
  "8 x 8 x 8 in subgroups of 8": { width: 8, widths: "fixed", products: [halves(8, 8, 8)] },
  "16 x 16 x 16 in chosen subgroups": {
    ...{ width: 32, widths: "chosen", products: [halves(16, 16, 16)] },
  },
  "8 x 16 x 16 in subgroups of at most 32": {
    ...{ width: 32, widths: "most", products: [halves(8, 16, 16)] },
  },
};

const profileOf = (matrices: MatrixUnits): Profile => ({
  ...{ ...defaultProfile, name: "matrices", half: true, rolled: false, matrices },
});

/** More scores than are stored for gradients. */
const [queries, keys] = [67, 83];
const f32 = (name: string, shape: readonly number[]): Tensor => input(name, "f32", shape);

function plainGraph(): Graph {
  const [q, k] = [f32("q", [1, 1, queries, 17]), f32("k", [1, 1, keys, 17])];
  const [v, bias] = [f32("v", [1, 1, keys, 18]), f32("bias", [1, 1, 1, keys])];
  return gradientsOf(attention(q, k, v, { bias }), { q, k, v });
}

function gridGraph(): Graph {
  const [q, k, v] = ["q", "k", "v"].map((name) => f32(name, [1, 1, 63, 16])) as Tensor[];
  const [height, width] = [f32("height", [13, 16]), f32("width", [17, 16])];
  const relative = { height, width, grid: [7, 9] as const };
  return gradientsOf(attention(q!, k!, v!, { relative }), { q: q!, k: k!, v: v!, height });
}

/** Two heads over one, with what hides keys. */
function hidingGraph(batch: number, hiding: Parameters<typeof attention>[3]): Graph {
  const q = f32("q", [batch, 2, queries, 17]);
  const [k, v] = [f32("k", [batch, 1, keys, 17]), f32("v", [batch, 1, keys, 18])];
  return gradientsOf(attention(q, k, v, hiding), { q, k, v });
}

const bool = (shape: readonly number[]): Tensor => input("mask", "bool", shape);
const lengths = (): Tensor => input("lengths", "i32", [2]);

/** What attention gives, and all its gradients. */
function gradientsOf(y: Tensor, wrt: Readonly<Record<string, Tensor>>): Graph {
  const found = gradient([y], [f32("g", y.shape)], Object.values(wrt));
  const named = Object.keys(wrt).map((name, i) => ({ name: `d${name}`, tensor: found[i]! }));
  return graphOf([{ name: "y", tensor: y }, ...named]);
}

const programs: Readonly<Record<string, () => Graph>> = {
  "with a bias": plainGraph,
  "with relative positions": gridGraph,
  "of two heads over one, with a mask of pairs": () =>
    hidingGraph(1, { mask: bool([2, queries, keys]) }),
  "of two heads over one, with a mask of keys": () => hidingGraph(1, { mask: bool([keys]) }),
  "of two heads over one, causal": () => hidingGraph(1, { causal: keys - queries }),
  "of two heads over one, with lengths, causal": () =>
    hidingGraph(2, { lengths: lengths(), causal: 30 }),
  "of two heads over one, with a mask, lengths, causal": () =>
    hidingGraph(2, { mask: bool([queries, keys]), lengths: lengths(), causal: 30 }),
};

const made = (graph: Graph, matrices: MatrixUnits, target: Plan["target"], rolled = false) =>
  compileStages(graph, {
    ...{ target, profile: { ...profileOf(matrices), rolled }, precision: "mixed" },
    // Numbers in memory are as they are without halves.
    halveFrom: Number.MAX_SAFE_INTEGER,
  });

/** No row is without a key that it sees. */
const ranges: Readonly<Record<string, [number, number]>> = {
  ...{ bool: [0, 2], i32: [keys / 3, keys + 1], f32: [-1, 1] },
};

const arraysFor = ({ inputs }: Plan): Arrays =>
  Object.fromEntries(
    inputs.map(({ name, shape, dtype }, i) => {
      const values = randomNumbers(elements(shape), 40 + i, ranges[dtype]);
      return [name, dtype === "f32" ? values : values.map(Math.floor)];
    }),
  );

/** The same as a session takes them. */
const givenOf = (arrays: Arrays, { inputs }: Plan) =>
  Object.fromEntries(
    inputs.map(({ name, dtype }) => {
      const values = [...arrays[name]!];
      return [name, dtype === "f32" ? Float32Array.from(values) : values];
    }),
  );

async function check(
  { plan }: Compilation,
  graph: Graph,
  device: Device,
  tolerance: number,
): Promise<void> {
  const arrays = arraysFor(plan);
  const wanted = await evaluate(graph, arrays);
  const session = await createSession(plan, device);
  const got = await session.run(givenOf(arrays, plan));
  session.close();
  for (const [name, values] of Object.entries(wanted)) {
    const largest = values.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const worst = values.reduce((m, v, i) => Math.max(m, Math.abs(v - got[name]![i]!)), 0);
    expect(worst / largest, name).toBeLessThan(tolerance);
  }
}

/** Every operand is rounded to a half once; scores of a few units are so to a thousandth or two. */
const toleranceOf = ({ products }: MatrixUnits): number =>
  products[0]!.operand === "f16" ? 4e-3 : 4e-6;

const attends = ({ fusion }: Compilation) =>
  fusion.regions.filter(({ anchor }) => anchor.op.name.startsWith("attention"));

describe.each(Object.entries(units))("on the reference device, %s:", (_, matrices) => {
  test.each(Object.entries(programs))("attention %s and its gradients", async (_, make) => {
    const graph = make();
    const compiled = made(graph, matrices, "reference");
    const names = attends(compiled).map(({ anchor }) => anchor.op.name);
    expect([...new Set(names)].sort()).toEqual([
      ...["attention", "attentionKeyValueGradient", "attentionQueryGradient"],
    ]);
    for (const { variant } of attends(compiled)) expect(variant!.form).toBe("fragments");
    await check(compiled, graph, referenceDevice(), toleranceOf(matrices));
  });
});

test("no barrier can be left out", async () => {
  const { kernels, plan } = made(plainGraph(), singles, "reference");
  const arrays = arraysFor(plan);
  let count = 0;
  for (const [step, { kernel }] of kernels.entries()) {
    if (!kernel.matrices) continue;
    for (const [n, broken] of withoutBarriers(plan, step, kernel).entries()) {
      count++;
      const session = await createSession(broken, referenceDevice());
      const running = session.run(givenOf(arrays, plan));
      await expect(running, `${kernel.name} without barrier ${n}`).rejects.toThrow(/E450/);
    }
  }
  expect(count).toBeGreaterThan(10);
});

test.each(Object.entries(units))("Dawn accepts the text of %s", async (_, matrices) => {
  const gpu = await requestNullGpu();
  for (const make of Object.values(programs))
    for (const source of made(make(), matrices, "wgsl").plan.kernels.map(kernelText)) {
      gpu.device.pushErrorScope("validation");
      gpu.device.createShaderModule({ code: source });
      const error = await gpu.device.popErrorScope();
      expect(error?.message, source).toBe(undefined);
    }
  gpu.destroy();
});

/** An attention of SAM's with ViT-B's heads: queries and keys on a square, with relative positions. */
function samGraph(size: number, heads: number): Graph {
  const [q, k, v] = ["q", "k", "v"].map((n) => f32(n, [1, heads, size * size, 64])) as Tensor[];
  const [height, width] = ["height", "width"].map((n) => f32(n, [2 * size - 1, 64])) as Tensor[];
  const relative = { height: height!, width: width!, grid: [size, size] as const };
  return graphOf([{ name: "y", tensor: attention(q!, k!, v!, { relative }) }]);
}

const ofSam: Readonly<Record<string, () => Graph>> = {
  "a window of 14 x 14": () => samGraph(14, 12),
  "the whole picture, 64 x 64": () => samGraph(64, 1),
};

describe("on the device", () => {
  for (const [name, make] of Object.entries(ofSam))
    matrixTest(`SAM's attention to ${name} is right within rounding`, async (device, matrices) => {
      const graph = make();
      const compiled = made(graph, matrices, "wgsl", true);
      expect(attends(compiled).map(({ variant }) => variant!.form)).toEqual(["fragments"]);
      await check(compiled, graph, device, toleranceOf(matrices));
    });

  matrixTest("all attentions of SAM's encoder are on fragments", async (_, matrices) => {
    const graph = traceProgram(samModel(samPresets.vit_b), "encode");
    const forms = attends(made(graph, matrices, "wgsl", true)).map(({ variant }) => variant!.form);
    expect(forms).toEqual(forms.map(() => "fragments"));
    expect(forms.length).toBe(samPresets.vit_b.depth);
  });

  for (const [name, make] of Object.entries(programs))
    matrixTest(
      `attention ${name} and its gradients are right within rounding`,
      async (device, matrices) => {
        const graph = make();
        const compiled = made(graph, matrices, "wgsl", true);
        for (const { variant } of attends(compiled)) expect(variant!.form).toBe("fragments");
        await check(compiled, graph, device, toleranceOf(matrices));
      },
    );
});
