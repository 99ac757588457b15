/** Common subexpressions are computed once, and what memory holds is not copied. */
import { describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import { again, isSource, newTurn, type Tensor } from "../../../compiler/graph/tensor.ts";
import { gradient } from "../../../compiler/op-kit.ts";
import { mergeEqual } from "../../../compiler/rewrite/equal.ts";
import { rewrite } from "../../../compiler/rewrite/rewrite.ts";
import { finish } from "../../../compiler/turns.ts";
import {
  add,
  full,
  gelu,
  matmul,
  mean,
  mul,
  permute,
  randomUniform,
  reshape,
  rsqrt,
  sigmoid,
  softmax,
  stopGradient,
  sum,
} from "../../../ops/index.ts";
import { relativeError, runOnReference } from "../../../verify/ops/evaluate.ts";
import { transformerStack, valuesFor } from "../../support/gradient-stack.ts";

const f32 = (name: string, shape: readonly number[]) => input(name, "f32", shape) as Tensor;

const graph = (outputs: Readonly<Record<string, Tensor>>): Graph =>
  graphOf(Object.entries(outputs).map(([name, tensor]) => ({ name, tensor })));

const labels = (of: Graph): readonly string[] => compile(of).steps.map((step) => step.label);

const computed = (of: Graph) => of.nodes.filter((n) => !isSource(n)).map((n) => n.op.name);

/** The values are those of the graph as it stands, node by node. */
async function expectSame(of: Graph): Promise<void> {
  const values = valuesFor(of.outputs);
  const double = { precision: "double" } as const;
  const found = await runOnReference(of, values, double);
  const expected = await runOnReference(of, values, { ...double, policy: "unfused" });
  for (const name of Object.keys(expected))
    expect(relativeError(found[name]!, expected[name]!), name).toBeLessThan(1e-12);
}

describe("what is written twice is computed once", () => {
  const [x, w] = [f32("x", [8, 24]), f32("w", [24, 24])];
  const scores = () => softmax(matmul(x, w)) as Tensor;

  test("a softmax of a product", async () => {
    const twice = graph({ y: add(scores(), gelu(scores())) as Tensor });
    expect(labels(twice)).toEqual(["matmul 8x24", "softmax 8x24"]);
    await expectSame(twice);
  });

  test("down to what several things have in common, however it is nested", async () => {
    const deep = (factor: number) => mul(sum(softmax(matmul(scores(), w)), 1), factor) as Tensor;
    const several = graph({ y: add(deep(2), deep(3)) as Tensor });
    expect(computed(finish(mergeEqual(several))).filter((op) => op === "matmul")).toHaveLength(2);
    expect(labels(several).filter((label) => label.startsWith("matmul"))).toHaveLength(2);
    await expectSame(several);
  });

  test("views, constants and random numbers of one stream", async () => {
    const key = input("key", "u32", [2]);
    const drawn = () => randomUniform(key, 7, [8, 24]) as Tensor;
    const turned = () => permute(reshape(mul(x, full(2, [8, 24])), [24, 8]), [1, 0]) as Tensor;
    const of = graph({ y: add(mul(turned(), drawn()), mul(turned(), drawn())) as Tensor });
    const { nodes } = finish(mergeEqual(of));
    expect(nodes.filter((n) => n.op.name === "random")).toHaveLength(1);
    expect(nodes.filter((n) => n.op.name === "permute")).toHaveLength(1);
    // Another stream has other numbers.
    const other = graph({ y: add(drawn(), randomUniform(key, 8, [8, 24])) as Tensor });
    expect(finish(mergeEqual(other)).nodes).toHaveLength(other.nodes.length);
  });

  test("outputs too: each has memory of its own", async () => {
    const of = graph({
      a: scores(),
      b: scores(),
      c: reshape(reshape(x, [24, 8]), [8, 24]) as Tensor,
    });
    expect(labels(of).filter((label) => !label.startsWith("copy"))).toEqual([
      "matmul 8x24",
      "softmax 8x24",
    ]);
    const { outputs } = compile(of);
    expect(new Set(outputs.map((o) => o.buffer)).size).toBe(3);
    await expectSame(of);
  });

  test("but not what differs in an attribute, an input or their order", () => {
    const of = graph({
      y: add(add(sum(x, 0), sum(mul(x, x), 0)), sum(matmul(x, w), 0)) as Tensor,
      z: add(sum(x, 1), sum(matmul(x, permute(w, [1, 0])), 1)) as Tensor,
    });
    expect(finish(mergeEqual(of)).nodes).toHaveLength(of.nodes.length);
  });
});

describe("what is computed at a time of its own stays so", () => {
  test("a copy is not merged with its original, nor with another copy", () => {
    const y = softmax(f32("x", [4, 40])) as Tensor;
    const copies = [newTurn(), newTurn()].map((turn) => again(y.node, y.node.inputs, turn)[0]!);
    const of = graph({ y: [...copies, y].reduce((a, b) => add(a, b) as Tensor) });
    expect(computed(finish(rewrite(of)).graph).filter((op) => op === "softmax")).toHaveLength(3);
  });

  test("what gradients compute again is computed again in the plan", () => {
    const { loss, trained } = transformerStack({
      blocks: 2,
      tokens: 12,
      width: 8,
      heads: 2,
      adapted: () => true,
    });
    const count = (keep: (t: Tensor) => boolean) => {
      const found = gradient([loss], [full(1, [])], trained, { keep });
      const outputs = found.map((tensor, i) => ({ name: `g${i}`, tensor: tensor! }));
      const of = graphOf([{ name: "loss", tensor: loss }, ...outputs], "as written");
      return finish(rewrite(of)).graph.nodes.filter((n) => n.op.name === "attention").length;
    };
    expect(count(() => true)).toBe(2);
    // Of the last block as well: nothing is kept.
    expect(count((t) => isSource(t.node))).toBe(4);
  });
});

describe("no copy of what memory holds", () => {
  type View = (x: Tensor, rows: number, layer: number) => Tensor;
  const width = 256;
  const views: readonly (readonly [string, View])[] = [
    ["the same reshape", (x, rows) => reshape(x, [rows, width]) as Tensor],
    [
      "ever another reshape",
      (x, rows, layer) =>
        reshape(reshape(x, [2 ** layer, rows, width / 2 ** layer]), [rows, width]) as Tensor,
    ],
    [
      "a reshape through which no gradient passes",
      (x, rows) => reshape(stopGradient(x), [rows, width]) as Tensor,
    ],
  ];

  /** An RMS norm of so many rows that three layers read through a view, and a residual as it is. */
  const layers = (rows: number, outputs: number, view: View) => {
    const x = f32("x", [1, rows, width]);
    const squares = reshape(mean(mul(x, x), 2), [1, rows, 1]) as Tensor;
    const normed = mul(mul(x, rsqrt(add(squares, 1e-6))), f32("g", [width])) as Tensor;
    const [q, k, v] = ["q", "k", "v"].map((name, layer) =>
      matmul(view(normed, rows, layer), f32(name, [width, outputs])),
    ) as [Tensor, Tensor, Tensor];
    return graph({ y: add(mul(q, sigmoid(k)), v) as Tensor, skip: add(normed, x) as Tensor });
  };

  test.each(views)("of an RMS norm that three layers read: %s", async (_name, view) => {
    const { fusion, plan } = compileStages(layers(256, 1024, view));
    const stored = fusion.regions.map(({ anchor }) => anchor.op.name);
    // Once the mean, once the norm, three products; the residual is stored as it is returned.
    expect(stored.filter((op) => op !== "matmul").sort()).toEqual(["add", "mul", "sum"]);
    expect(plan.steps).toHaveLength(6);
    await expectSame(layers(4, 8, view));
  });

  test.each(views)("of a long element that two products read: %s", (_name, view) => {
    const x = f32("x", [1, 256, width]);
    const long = gelu(x) as Tensor;
    const outputs = ["a", "b"].map((name, layer) => {
      const product = matmul(view(long, 256, layer + 1), f32(name, [width, 64])) as Tensor;
      return [name, mul(product, sigmoid(product))];
    });
    const { fusion } = compileStages(graph(Object.fromEntries(outputs)));
    expect(fusion.regions.map(({ anchor }) => anchor.op.name)).toEqual([
      "gelu",
      "matmul",
      "matmul",
    ]);
  });
});
