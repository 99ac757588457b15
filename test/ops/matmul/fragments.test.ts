/** Matrix fragments: products that subgroups multiply together, in half and in single precision. */
import { describe, expect, test } from "vitest";
import { type Compilation, compileStages } from "../../../compiler/compile.ts";
import { candidatesOf } from "../../../compiler/forms/pick.ts";
import type { Graph } from "../../../compiler/graph/graph.ts";
import { defaultProfile, type Plan, type Profile } from "../../../compiler/index.ts";
import { Builder } from "../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import { index, literal } from "../../../compiler/kernel/value.ts";
import { unverified } from "../../../compiler/kernel/verify.ts";
import type { MatrixUnits } from "../../../compiler/plan.ts";
import type { Precision } from "../../../compiler/storage/formats.ts";
import { reference } from "../../../compiler/targets/reference/index.ts";
import { kernelKey } from "../../../compiler/tuning/kernel-key.ts";
import { type Device, kernelText } from "../../../runtime/devices/device.ts";
import { matrixUnits } from "../../../runtime/devices/matrices.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice, requestNullGpu } from "../../../runtime/node/index.ts";
import { createSession } from "../../../runtime/session.ts";
import { floatToHalf, halfToFloat } from "../../../runtime/weights/index.ts";
import { type Arrays, evaluate, randomNumbers } from "../../../verify/ops/evaluate.ts";
import { oddProducts } from "../../../verify/ops/products.ts";
import { deviceTest } from "../../support/device.ts";
import { matrixTest } from "../../support/matrix-device.ts";
import { productGraph, sizeOf, storedArrays } from "../../support/odd-products.ts";
import { refusal } from "../../support/weights-files.ts";
import { withoutBarriers } from "../../support/without-barriers.ts";

const halves = (rows: number, columns: number, depth: number) =>
  ({ operand: "f16", rows, columns, depth }) as const;

/** Devices as vendors make them. */
const units: Readonly<Record<string, MatrixUnits>> = {
  "8 x 8 x 8 in subgroups of 8": { width: 8, widths: "fixed", products: [halves(8, 8, 8)] },
  "16 x 16 x 16 in chosen subgroups": {
    ...{ width: 32, widths: "chosen", products: [halves(16, 16, 16)] },
  },
  "8 x 16 x 16 in subgroups of at most 32": {
    ...{ width: 32, widths: "most", products: [halves(8, 16, 16)] },
  },
  "16 x 16 x 16 with numbered elements": {
    ...{ width: 32, widths: "fixed", numbered: true, products: [halves(16, 16, 16)] },
  },
  "8 x 8 x 8 of singles": {
    ...{ width: 32, widths: "fixed" },
    products: [{ operand: "f32", rows: 8, columns: 8, depth: 8 }],
  },
};

const profileOf = (matrices: MatrixUnits): Profile => ({
  ...{ ...defaultProfile, name: "matrices", half: true, rolled: false, matrices },
});

/** Numbers that are no halves, and the halves that are nearest. */
function unrounded({ inputs }: Plan): { readonly given: Arrays; readonly rounded: Arrays } {
  const pairs = inputs.map((t, i) => {
    const numbers = randomNumbers(sizeOf(t), i);
    return [t.name, numbers, [...halfToFloat(floatToHalf(Float32Array.from(numbers)))]] as const;
  });
  return {
    given: Object.fromEntries(pairs.map(([name, numbers]) => [name, numbers])),
    rounded: Object.fromEntries(pairs.map(([name, , halved]) => [name, halved])),
  };
}

async function run(plan: Plan, device: Device, arrays: Arrays): Promise<ArrayLike<number>> {
  const session = await createSession(plan, device);
  const given = Object.entries(arrays).map(([n, v]) => [n, Float32Array.from(v)] as const);
  const { y } = await session.run(Object.fromEntries(given));
  session.close();
  return y!;
}

function expectClose(got: ArrayLike<number>, wanted: readonly number[], part: number, of: string) {
  const largest = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  expect(got.length).toBe(wanted.length);
  for (const [i, v] of wanted.entries())
    if (!(Math.abs(got[i]! - v) <= part * largest))
      expect.fail(`${of}, element ${i}: ${got[i]} instead of ${v}`);
}

const multiplies = ({ kernels }: Plan) => kernels.some((k) => k.matrices !== undefined);

interface Compiled extends Compilation {
  readonly words: string;
}

/** Those with tails in every direction, and with all that there is: the others run one tile. */
const thorough = ["odd sizes", "a base, a low-rank segment, a bias, GELU and a residual"];

/** The program with every tile of fragments that its one product can have, if that is asked for. */
function withTiles(name: string, target: Plan["target"], profile: Profile): Compiled[] {
  const compiled = withEveryTile(productGraph(name), target, profile);
  return thorough.includes(name) ? compiled : compiled.slice(0, 1);
}

function withEveryTile(graph: Graph, target: Plan["target"], profile: Profile): Compiled[] {
  const options = { target, profile, precision: "mixed" } as const;
  const { regions } = compileStages(graph, options).fusion;
  const region = regions.find((r) => r.variant)!;
  const key = kernelKey(region, profile);
  const all = candidatesOf(region.anchor, profile).variants.filter((v) => v.form === "fragments");
  // Of those with several stages there are many: some from the best to the worst.
  const apart = profile.matrices?.numbered ? Math.ceil(all.length / 6) : 1;
  return all
    .filter((_, i) => i % apart === 0)
    .map(
      ({ tile }): Compiled => ({
        ...compileStages(graph, { ...options, tuning: { [key]: { tile, gain: 1 } } }),
        words: JSON.stringify(tile),
      }),
    );
}

describe.each(Object.entries(units))("on the reference device, %s:", (_, matrices) => {
  test.each(Object.keys(oddProducts))("%s", async (name) => {
    const graph = productGraph(name);
    const compiled = withTiles(name, "reference", profileOf(matrices));
    expect(compiled.length).toBeGreaterThan(0);
    const arrays = storedArrays(compiled[0]!.plan);
    const wanted = (await evaluate(graph, arrays)).y!;
    for (const { plan, words } of compiled) {
      expect(multiplies(plan)).toBe(true);
      expectClose(await run(plan, referenceDevice(), arrays), wanted, 1e-6, words);
    }
  });

  test("no barrier can be left out", async () => {
    for (const name of thorough) {
      const profile = { ...profileOf(matrices), maxSharedBytes: 16 * 1024 };
      const { plan, kernels } = withEveryTile(productGraph(name), "reference", profile)[0]!;
      const arrays = storedArrays(plan);
      for (const broken of withoutBarriers(plan, 0, kernels[0]!.kernel))
        await expect(run(broken, referenceDevice(), arrays)).rejects.toThrow(/E450.*race|before/);
    }
  });
});

describe("precision decides:", () => {
  const graph = productGraph("odd sizes");
  const compiled = (matrices: MatrixUnits, precision: Precision, target: Plan["target"] = "wgsl") =>
    multiplies(compileStages(graph, { profile: profileOf(matrices), precision, target }).plan);
  const [first, , , , singles] = Object.values(units) as MatrixUnits[];

  test("in f32 nothing is rounded to halves, but fragments of singles are used", () => {
    expect(compiled(first!, "f32")).toBe(false);
    expect(compiled(singles!, "f32")).toBe(true);
    expect(compiled(first!, "mixed", "reference")).toBe(true);
  });

  test("without shader-f16 there are no fragments of halves", () => {
    const x = compileStages(graph, {
      ...{ profile: { ...profileOf(first!), half: false }, precision: "f32" },
    });
    expect(multiplies(x.plan)).toBe(false);
  });

  test("CUDA's kernels have no fragments", () => {
    expect(compiled(singles!, "mixed", "cuda")).toBe(false);
  });

  test("numbers that are no halves are rounded once each", async () => {
    const options = {
      target: "reference",
      profile: profileOf(first!),
      precision: "mixed",
    } as const;
    const { plan } = compileStages(graph, options);
    const { given: arrays, rounded } = unrounded(plan);
    const got = await run(plan, referenceDevice(), arrays);
    expectClose(got, (await evaluate(graph, rounded)).y!, 1e-6, "rounded");
    expectClose(got, (await evaluate(graph, arrays)).y!, 2e-3, "as given");
  });
});

describe("Dawn accepts the text of", () => {
  test.each(Object.entries(units).filter(([, { numbered }]) => !numbered))(
    "%s",
    async (_, matrices) => {
      const gpu = await requestNullGpu();
      for (const name of Object.keys(oddProducts))
        for (const { plan } of withTiles(name, "wgsl", profileOf(matrices)))
          for (const source of plan.kernels.map(kernelText)) {
            gpu.device.pushErrorScope("validation");
            gpu.device.createShaderModule({ code: source });
            const error = await gpu.device.popErrorScope();
            expect(error?.message, source).toBe(undefined);
          }
      gpu.destroy();
    },
  );
});

describe("a device's configurations", () => {
  const config = (componentType: string, resultComponentType: string, size: number) => ({
    ...{ componentType, resultComponentType },
    ...{ M: size, N: size, K: size },
  });
  const all = [
    ...[config("f32", "f32", 8), config("f16", "f16", 16), config("f16", "f32", 8)],
    ...[config("u8", "u32", 16), config("f16", "f32", 16)],
  ];
  const device = (least: number, most: number, ...features: string[]) =>
    ({
      features: new Set(features),
      adapterInfo: { subgroupMinSize: least, subgroupMaxSize: most },
    }) as unknown as GPUDevice;
  const feature = "chromium-experimental-subgroup-matrix";

  test("are those with sums in f32, products of halves and large ones first", () => {
    expect(matrixUnits(device(32, 32, feature), all)).toEqual({
      ...{ width: 32, widths: "fixed" },
      products: [halves(16, 16, 16), halves(8, 8, 8), { ...halves(8, 8, 8), operand: "f32" }],
    });
  });

  test("need a width, chosen where the device lets kernels choose", () => {
    const widths = (...f: string[]) => {
      const { width, widths: known } = matrixUnits(device(16, 64, feature, ...f), all)!;
      return [width, known];
    };
    expect(widths("subgroup-size-control")).toEqual([16, "chosen"]);
    expect(widths()).toEqual([64, "most"]);
  });

  test("are none without the feature", () => {
    expect(matrixUnits(device(32, 32), all)).toBe(undefined);
  });
});

describe("the reference device objects (E450) to", () => {
  type Body = (k: Builder, memory: ReturnType<Builder["shared"]>) => void;
  const built = (body: Body): Kernel => {
    const k = new Builder();
    k.matrices({ operand: "f32", rows: 8, columns: 8, depth: 8, width: 4, widths: "fixed" });
    const y = k.param("y", "f32", 64, "write");
    const memory = k.shared("memory", 64);
    body(k, memory);
    k.for("i", 16, (i) => k.store(y, i.mul(4).add(k.thread(0, 4)), literal(0, "f32")));
    return k.finish("test", [4, 1, 1], [1, 1, 1]);
  };
  const fill = (k: Builder, memory: ReturnType<Builder["shared"]>) =>
    k.for("i", 16, (i) => k.store(memory, i.mul(4).add(k.thread(0, 4)), literal(1, "f32")));
  const objections: readonly (readonly [claim: string, message: RegExp, body: Body])[] = [
    [
      "a fragment loaded from what others have just written",
      /race: thread -\d+ reads memory\[0\], written by another thread/,
      (k, memory) => {
        fill(k, memory);
        k.loadFragment(k.fragment("left"), memory, index(0), 8);
      },
    ],
    [
      "a fragment loaded from what nobody wrote",
      /read memory\[0\] before any write/,
      (k, memory) => k.loadFragment(k.fragment("left"), memory, index(0), 8),
    ],
    [
      "a fragment that reaches beyond its memory",
      /read memory\[64\] is out of bounds/,
      (k, memory) => {
        fill(k, memory);
        k.barrier();
        k.loadFragment(k.fragment("left"), memory, index(8), 8);
      },
    ],
    [
      "a fragment multiplied before it was loaded",
      /fragment left is used before it was loaded/,
      (k) => k.multiplyFragments(k.fragment("sum"), k.fragment("left"), k.fragment("right")),
    ],
    [
      "lanes that load different places",
      /divergent fragment statement/,
      (k, memory) => k.loadFragment(k.fragment("left"), memory, k.thread(0, 4), 8),
    ],
    [
      "a fragment statement that not all lanes reach",
      /divergent fragment statement/,
      (k, memory) =>
        k.if(k.thread(0, 4).lt(2), () => k.storeFragment(memory, index(0), k.fragment("sum"), 8)),
    ],
    [
      "a stored fragment that is read without a barrier",
      /race: thread \d reads memory\[0\], written by another thread/,
      (k, memory) => {
        k.storeFragment(memory, index(0), k.fragment("sum"), 8);
        k.var("seen", k.load(memory, 0));
      },
    ],
  ];
  test.each(objections)("%s", async (_, message, body) => {
    const kernel = unverified(() => built(body));
    const device = referenceDevice();
    const buffers = await device.allocate([{ role: "output", bytes: 256 }]);
    const plan: Pick<Plan, "name" | "kernels" | "steps" | "commits"> = {
      name: "test",
      kernels: [
        {
          ...{
            name: "test",
            entry: "test",
            threads: kernel.threads,
            sharedBytes: 256,
            subgroup: 0,
          },
          source: reference.print(kernel, () => false),
          params: [{ scalar: "f32", size: 64, access: "read-write", writes: true }],
          matrices: kernel.matrices!,
        },
      ],
      steps: [
        {
          ...{ kernel: 0, groups: [1, 1, 1], label: "test" },
          bindings: [{ buffer: 0, offset: 0, bytes: 256 }],
        },
      ],
      commits: [],
    };
    const program = await device.load(plan, buffers);
    await expect((async () => program.run())()).rejects.toMatchObject({
      ...{ code: "E450", message: expect.stringMatching(message) },
    });
  });
});

describe("on the device", () => {
  deviceTest("E424: fragments that it does not multiply", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    const singles = Object.values(units).at(-1)!;
    const { plan } = compileStages(productGraph("odd sizes"), { profile: profileOf(singles) });
    const { code, details } = await refusal(() => createSession(plan, device));
    expect([code, details.message]).toEqual([
      "E424",
      "kernel matmul of program multiplies fragments of 8 x 8 x 8 (f32) in subgroups of 32, which the device lacks",
    ]);
    device.destroy();
  });

  matrixTest(
    "numbers that are no halves are rounded; beyond them is infinity",
    async (device, matrices) => {
      const graph = productGraph("odd sizes");
      const profile = { ...profileOf(matrices), rolled: true };
      const { plan } = compileStages(graph, { profile, precision: "mixed" });
      const { given, rounded } = unrounded(plan);
      const got = await run(plan, device, given);
      expectClose(got, (await evaluate(graph, rounded)).y!, 2e-6, "rounded");
      const large = { a: given.a!.map((v, i) => (i === 0 ? 70000 : v)), b: given.b!.map(Math.abs) };
      const over = Array.from(await run(plan, device, large));
      expect(over.slice(0, 50).every((v) => v === Number.POSITIVE_INFINITY)).toBe(true);
      expect(over.slice(50).every(Number.isFinite)).toBe(true);
    },
  );

  matrixTest("every program is right, by every tile", async (device, matrices) => {
    for (const name of Object.keys(oddProducts)) {
      const graph = productGraph(name);
      const compiled = withTiles(name, "wgsl", { ...profileOf(matrices), rolled: true });
      expect(compiled.length).toBeGreaterThan(0);
      const arrays = storedArrays(compiled[0]!.plan);
      const wanted = (await evaluate(graph, arrays)).y!;
      for (const { plan, words } of compiled)
        expectClose(await run(plan, device, arrays), wanted, 2e-6, `${name}, ${words}`);
    }
  });
});
