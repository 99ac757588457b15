/** Common subexpressions are computed once. */
import { describe, expect, test } from "vitest";
import { compile } from "../../../compiler/compile.ts";
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
  mul,
  permute,
  randomUniform,
  reshape,
  softmax,
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
