/** Laws of algebra: the graph that is computed equals the one that was written, and costs less. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileStages } from "../../../compiler/compile.ts";
import { workOf } from "../../../compiler/grad/work.ts";
import { type Graph, graphOf, parametersOf } from "../../../compiler/graph/graph.ts";
import { Parameters } from "../../../compiler/graph/parameters.ts";
import { elements } from "../../../compiler/graph/tensor.ts";
import { gradient, input, type Tensor } from "../../../compiler/index.ts";
import { rewrite } from "../../../compiler/rewrite/rewrite.ts";
import { finish } from "../../../compiler/turns.ts";
import {
  add,
  concat,
  conv2d,
  full,
  gelu,
  matmul,
  mul,
  permute,
  resample,
  reshape,
  slice,
  softmax,
} from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { createSession } from "../../../runtime/session.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";

type F = Tensor<"f32">;

const given = (name: string, ...shape: number[]): F => input(name, "f32", shape) as F;
const graphOfOne = (y: Tensor): Graph => graphOf([{ name: "y", tensor: y }]);

const numbersFor = (graph: Graph) =>
  Object.fromEntries(
    graph.nodes
      .filter((n) => n.op.kind === "input")
      .map((n, i) => {
        const { name, type } = n.attrs as { name: string; type: { shape: number[] } };
        return [
          name,
          randomNumbers(
            type.shape.reduce((a, b) => a * b, 1),
            i + 7,
          ),
        ];
      }),
  );

/** Both graphs node by node in double precision, and the rewritten one fused, in single. */
async function expectSame(graph: Graph, rounding = 1e-12): Promise<void> {
  const { graph: rewritten } = finish(rewrite(graph));
  const numbers = numbersFor(graph);
  const [before, after, fused] = await Promise.all([
    evaluate(graph, numbers),
    evaluate(rewritten, numbers),
    runOnReference(graph, numbers),
  ]);
  for (const { name } of graph.outputs) {
    expect(relativeError(after[name]!, before[name]!)).toBeLessThan(rounding);
    expect(relativeError(fused[name]!, before[name]!)).toBeLessThan(1e-5);
  }
}

const products = (graph: Graph) => graph.nodes.filter((n) => n.op.name === "matmul");
const lawsOf = (graph: Graph) => new Set(finish(rewrite(graph)).rules.values());

const t = <A extends Tensor>(x: A) => permute(x as Tensor, [1, 0]) as F;

const parameterNumbers = (graph: Graph) =>
  Object.fromEntries(
    parametersOf(graph).map(({ name, type }, i) => [
      name,
      randomNumbers(elements(type.shape), i + 3, [-0.2, 0.2]).map(Math.fround),
    ]),
  );

const weightsOf = (graph: Graph, numbers: Readonly<Record<string, readonly number[]>>) => ({
  source: "numbers of this test",
  tensors: new Map(
    parametersOf(graph).map(({ name, type: { shape } }) => [
      name,
      { dtype: "f32" as const, shape, bytes: 4 * elements(shape) },
    ]),
  ),
  async *chunks(name: string) {
    yield Float32Array.from(numbers[name]!);
  },
});

interface Law {
  readonly name: string;
  readonly graph: (size: () => number) => Graph;
}

/** The layer that most adapters begin with: a frozen product, a bias, and a thin product beside it. */
function lowRank([rows, inputs, outputs, rank]: readonly number[], scale = 0.5) {
  const [x, w] = [given("x", rows!, inputs!), given("w", outputs!, inputs!)];
  const [a, b] = [given("a", rank!, inputs!), given("b", outputs!, rank!)];
  const bias = given("bias", outputs!);
  const base = add(matmul(x, w, { transpose: "right" }), bias) as F;
  const z = matmul(x, a, { transpose: "right" });
  const delta = mul(matmul(z, b, { transpose: "right" }), scale) as F;
  return { x, w, a, b, bias, y: add(base, delta) as F };
}

const laws: readonly Law[] = [
  {
    name: "products that are added share one sum",
    graph: (n) => graphOfOne(lowRank([n(), n(), n(), n()]).y),
  },
  {
    name: "a chain of products in its cheapest order",
    graph: (n) => {
      const [a, b] = [given("a", 40 + n(), 2), given("b", 2, 50)];
      const c = given("c", 3, 50);
      return graphOfOne(matmul(matmul(a, b), t(matmul(c, given("d", 50, 50)) as F) as F));
    },
  },
  {
    name: "a product with a sum of which one term is thin",
    graph: (n) => {
      const [inputs, outputs] = [30 + n(), 30 + n()];
      const [x, w] = [given("x", 5, inputs), given("w", outputs, inputs)];
      const dense = add(w, matmul(given("b", outputs, 2), given("a", 2, inputs))) as F;
      return graphOfOne(matmul(x, dense, { transpose: "right" }));
    },
  },
  {
    name: "products side by side are one",
    graph: (n) => {
      const rows = n();
      const [x, z] = [given("x", rows, 3), given("z", rows, 2)];
      const none = full(0, [rows, 4]) as F;
      const pieces = [matmul(x, given("b", 3, n())), none, matmul(z, given("c", 2, n()))];
      return graphOfOne(concat(pieces as F[], 1));
    },
  },
];

describe("resampling", () => {
  const chain = (scale: number, size: readonly [number, number], channels = 2) => {
    const x = given("x", 2, channels, ...size);
    const large = resample(x, { scale, mode: "bicubic" });
    const weight = given("w", channels, channels, 3, 3);
    const wide = gelu(conv2d(large, weight, { bias: given("b", channels), padding: 1 }));
    return graphOfOne(resample(wide, { size: [...size], mode: "bicubic" }));
  };

  test.each([3, 5, 6, 7, 8])("at scale %i folds into the convolution between", async (scale) => {
    const graph = chain(scale, [3, 4]);
    const { graph: rewritten } = finish(rewrite(graph));
    expect(rewritten.nodes.map((n) => n.op.name)).toContain("scaledConvolution");
    expect(rewritten.nodes.map((n) => n.op.name)).not.toContain("resample");
    // An oracle's GELU is exact, an element's is good to single precision.
    await expectSame(graph, 1e-7);
  });

  test("stays at scale 2, where few samples are not read", () => {
    expect(lawsOf(chain(2, [3, 4])).size).toBe(0);
  });

  test("stays where corners are aligned, or where others read what is between", () => {
    const x = given("x", 1, 2, 3, 4);
    const weight = given("w", 2, 2, 3, 3);
    const aligned = resample(x, { scale: 3, mode: "bicubic", alignCorners: true });
    const wide = gelu(conv2d(aligned, weight, { padding: 1 }));
    const back = resample(wide, { size: [3, 4], mode: "bicubic" });
    expect(lawsOf(graphOfOne(back)).size).toBe(0);
    const large = resample(x, { scale: 3, mode: "bicubic" });
    const seen = gelu(conv2d(large, weight, { padding: 1 }));
    const both = graphOf([
      { name: "y", tensor: resample(seen, { size: [3, 4], mode: "bicubic" }) },
      { name: "seen", tensor: seen },
    ]);
    expect(lawsOf(both).size).toBe(0);
  });
});

describe("laws", () => {
  test.each(laws)("$name: the same values, no more work", async ({ name, graph }) => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(sizes, async (list) => {
        let i = 0;
        const drawn = graph(() => list[i++ % list.length]!);
        expect(lawsOf(drawn)).toContain(name);
        const thin = name === "products side by side are one" ? 1000 : 0;
        expect(workOf(finish(rewrite(drawn)).graph.nodes)).toBeLessThanOrEqual(
          workOf(drawn.nodes) + thin,
        );
        await expectSame(drawn);
      }),
      { numRuns: 6, seed: 5 },
    );
  });

  test("LoRA is one longer product, forwards and backwards", async () => {
    const { x, a, b, y } = lowRank([24, 40, 48, 4]);
    const forward = graphOfOne(y);
    const { graph } = finish(rewrite(forward));
    expect(products(graph).map((n) => n.inputs.length)).toEqual([2, 4]);
    const g = given("g", 24, 48);
    const [dx, da, db] = gradient([y], [g], [x, a, b]);
    const backward = graphOf([
      { name: "dx", tensor: dx! },
      { name: "da", tensor: da! },
      { name: "db", tensor: db! },
    ]);
    const back = finish(rewrite(backward)).graph;
    // g b and x a, the two thin gradients, and g w with the way back through a as its second segment.
    expect(products(back).map((n) => n.inputs.length)).toEqual([2, 4, 2, 2, 2]);
    await expectSame(backward);
  });

  test("the segments of nested adapters stop where a kernel binds no more", async () => {
    const [x, w] = [given("x", 9, 8), given("w", 8, 8)];
    const thin = (i: number) => matmul(matmul(x, given(`a${i}`, 8, 2)), given(`b${i}`, 2, 8)) as F;
    const y = [0, 1, 2, 3].map(thin).reduce((s, d) => add(s, d) as F, matmul(x, w) as F);
    const { graph } = finish(rewrite(graphOfOne(y)));
    expect(Math.max(...products(graph).map((n) => n.inputs.length))).toBe(6);
    await expectSame(graphOfOne(y));
  });

  test("what is read elsewhere is not computed twice", () => {
    const [x, w] = [given("x", 9, 8), given("w", 8, 8)];
    const base = matmul(x, w) as F;
    const y = add(base, matmul(given("z", 9, 2), given("b", 2, 8))) as F;
    const graph = graphOf([
      { name: "y", tensor: y },
      { name: "base", tensor: gelu(base) },
    ]);
    expect(products(finish(rewrite(graph)).graph)).toHaveLength(2);
    expect(lawsOf(graph).size).toBe(0);
  });

  test("reshapes between products and sums hide nothing", async () => {
    const x = given("x", 2, 3, 8);
    const [w, a, b] = [given("w", 8, 8), given("a", 8, 2), given("b", 2, 8)];
    const y = add(add(matmul(x, w), given("bias", 8)), matmul(matmul(x, a), b)) as F;
    expect(products(finish(rewrite(graphOfOne(y))).graph).map((n) => n.inputs.length)).toEqual([
      2, 4,
    ]);
    await expectSame(graphOfOne(y));
  });
});

describe("equal work on parameters alone", () => {
  test("is one kernel for all layers", async () => {
    let x: F = given("x", 200, 40);
    const factors = [0, 1, 2, 3].map((i) => {
      const p = new Parameters(`layers.${i}`);
      const core = reshape(slice(p.f32("core", [24, 40]), [[4]]), [40, 20]) as F;
      return [p.f32("left", [40, 40]), core, p.f32("right", [40, 20])] as const;
    });
    for (const [left, core, right] of factors) {
      const middle = matmul(matmul(left, core), t(right)) as F;
      x = gelu(matmul(x, middle)) as F;
    }
    const graph = graphOfOne(x);
    const { plan } = compileStages(graph);
    expect(plan.steps.map((s) => plan.kernels[s.kernel]!.name)).toEqual([
      "matmul",
      ...factors.flatMap(() => ["matmul", "matmul_gelu"]),
    ]);
    const numbers = { x: randomNumbers(8000, 1), ...parameterNumbers(graph) };
    const session = await createSession(
      compileStages(graph, { target: "reference" }).plan,
      referenceDevice({ precision: "double" }),
      { weights: weightsOf(graph, numbers) },
    );
    const found = await session.run({ x: numbers.x });
    const wanted = await evaluate(graph, numbers);
    expect(relativeError(found.y!, wanted.y!)).toBeLessThan(1e-6);
  });
});

describe("small kernels", () => {
  test("a gate of few experts is computed where it is read", async () => {
    const pooled = given("pooled", 3, 4);
    const gates = softmax(matmul(pooled, given("w", 4, 5))) as F;
    const y = mul(given("x", 3, 5, 40), reshape(gates, [3, 5, 1])) as F;
    const graph = graphOfOne(y);
    const { plan } = compileStages(graph);
    expect(plan.steps).toHaveLength(1);
    await expectSame(graph);
  });

  test("a chain of small sums does not grow into a kernel without end", async () => {
    let x: F = given("x", 8, 8);
    const w = given("w", 8, 8);
    for (let i = 0; i < 6; i++) x = softmax(matmul(x, w)) as F;
    const graph = graphOfOne(x);
    const { kernels } = compileStages(graph);
    expect(kernels.length).toBeGreaterThan(3);
    await expectSame(graph);
  });

  test("equal gates are equal small forms, and what reads them is one kernel", () => {
    const outputs = ["a", "b"].map((name) => {
      const own = (part: string, ...shape: number[]) => given(`${name}.${part}`, ...shape);
      const gates = softmax(matmul(own("pooled", 3, 4), own("w", 4, 5)));
      return { name, tensor: mul(own("x", 3, 5, 40), reshape(gates, [3, 5, 1])) as Tensor };
    });
    const { steps } = compileStages(graphOf(outputs)).plan;
    expect(steps).toHaveLength(2);
    expect(steps[1]!.kernel).toBe(steps[0]!.kernel);
  });
});
