/** Reverse mode: where gradients exist, where they do not, and what arrives at shared tensors. */
import { describe, expect, test } from "vitest";
import { pickVariants } from "../../../compiler/forms/pick.ts";
import { fuse } from "../../../compiler/fuse/fuse.ts";
import { type Graph, graphOf } from "../../../compiler/graph/graph.ts";
import { input, type Source } from "../../../compiler/graph/sources.ts";
import { isSource, type Node, type Tensor } from "../../../compiler/graph/tensor.ts";
import { gradient } from "../../../compiler/op-kit.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import { finish } from "../../../compiler/turns.ts";
import { add, full, matmul, mean, mul, slice, stopGradient, topK } from "../../../ops/index.ts";
import { evaluate, runOnReference } from "../../../verify/ops/evaluate.ts";
import { transformerStack, valuesFor } from "../../support/gradient-stack.ts";

const outputsOf = (gradients: readonly (Tensor | undefined)[]) =>
  gradients.flatMap((tensor, i) => (tensor ? [{ name: `g${i}`, tensor }] : []));

const seed = () => full(1, []) as Tensor;

/** Nodes that only the backward pass has. */
function backwardNodes(graph: Graph, loss: Tensor): Node[] {
  const forward = new Set(graphOf([{ name: "loss", tensor: loss }]).nodes);
  return graph.nodes.filter((n) => !forward.has(n) && !isSource(n));
}

const sourcesBehind = (node: Node): string[] =>
  node.inputs.flatMap((x) => (isSource(x.node) ? [(x.node.attrs as Source).name] : []));

const small = { tokens: 9, width: 4, heads: 2 };

describe("gradients exist only where something trains", () => {
  const stack = transformerStack({ ...small, blocks: 4, adapted: (i) => i === 2 });
  const gradients = gradient([stack.loss], [seed()], stack.trained);
  const graph = graphOf(
    [{ name: "loss", tensor: stack.loss }, ...outputsOf(gradients)],
    "as written",
  );
  const backward = backwardNodes(graph, stack.loss);

  test("nothing of the blocks below the first trained parameter is in the backward pass", () => {
    const read = new Set(backward.flatMap(sourcesBehind));
    expect([...read].filter((name) => /^b[01]\.|^x$/.test(name))).toEqual([]);
    const first = stack.blockInputs[2]!.node.order;
    const below = backward.flatMap((n) => n.inputs).filter((t) => t.node.order < first);
    expect(below.every((t) => isSource(t.node))).toBe(true);
  });

  test("the gradient of what the first adapted block starts from is never computed", () => {
    // Beside the two of LoRA: back through lin2, lin1, proj and qkv of block 3, through lin2, lin1
    // and proj of block 2, and LoRA's own middle.
    const variants = finish(pickVariants(graph, defaultProfile));
    const { regions } = finish(fuse(graph, variants, defaultProfile, "fused"));
    const anchors = regions.map((r) => r.anchor);
    const products = anchors.filter((n) => n.op.name === "matmul" && backward.includes(n));
    expect(products.length).toBe(2 + 4 + 3 + 1);
  });

  test("no product has the shape of a frozen weight", () => {
    const shapes = backward
      .filter((n) => n.op.name === "matmul")
      .map((n) => `${n.types[0]!.shape}`);
    const { width } = small;
    const frozen = [`${[width, 3 * width]}`, `${[width, width]}`, `${[width, 4 * width]}`];
    expect(shapes.filter((s) => frozen.includes(s))).toEqual([]);
  });
});

describe("what arrives", () => {
  const x = () => input("x", "f32", [3]) as Tensor;

  test("cotangents of a tensor with several users are summed", async () => {
    const a = x();
    const y = mean(add(mul(a, a), mul(a, 3)));
    const [g] = gradient([y], [seed()], [a]);
    const results = await evaluate(graphOf([{ name: "g", tensor: g! }]), { x: [1, 2, 3] });
    results.g!.forEach((value, i) => {
      expect(value).toBeCloseTo((2 * (i + 1) + 3) / 3, 12);
    });
  });

  test("what is used but cut away gets zeros, and what is not used gets nothing", async () => {
    const [a, b] = [x(), input("b", "f32", [3]) as Tensor];
    const both = mul(a, b);
    const unused = mul(b, 2);
    const y = mean(add(slice(both, [[0, 1]]), slice(a, [[2, 3]])));
    const [ofB, ofUnused] = gradient([y], [seed()], [b, unused]);
    expect(ofUnused).toBeUndefined();
    const values = { x: [5, 6, 7], b: [1, 1, 1] };
    expect((await evaluate(graphOf([{ name: "g", tensor: ofB! }]), values)).g).toEqual([5, 0, 0]);
  });

  test("nothing passes stopGradient, and the other way around it does", () => {
    const [a, b] = [x(), input("b", "f32", [3]) as Tensor];
    const y = mean(mul(stopGradient(a), b));
    const [ofA, ofB] = gradient([y], [seed()], [a, b]);
    expect([ofA === undefined, ofB === undefined]).toEqual([true, false]);
  });

  test("an intermediate tensor has a gradient too, and passes it on", async () => {
    const a = x();
    const middle = mul(a, a);
    const y = mean(mul(middle, middle));
    const [ofMiddle, ofA] = gradient([y], [seed()], [middle, a]);
    const graph = graphOf([
      { name: "middle", tensor: ofMiddle! },
      { name: "a", tensor: ofA! },
    ]);
    const { middle: m, a: first } = await evaluate(graph, { x: [3, 3, 3] });
    expect([m![0], first![0]]).toEqual([6, 36]);
  });

  test("the second of two results is there for a derivative that only the first one has users for", async () => {
    const a = x();
    const { values } = topK(a as Tensor<"f32">, 2);
    const [g] = gradient([mean(values)], [seed()], [a]);
    const inputs = { x: [3, 1, 2] };
    const graph = graphOf([{ name: "g", tensor: g! }]);
    expect((await runOnReference(graph, inputs)).g).toEqual([0.5, 0, 0.5]);
  });

  test("two gradients of one attention share its statistics", async () => {
    const stack = transformerStack({ ...small, blocks: 1, adapted: () => true });
    const [first] = gradient([stack.loss], [seed()], stack.trained);
    const [, second] = gradient([stack.loss], [seed()], stack.trained);
    const outputs = outputsOf([first, second]);
    const graph = graphOf(outputs);
    expect(graph.nodes.filter((n) => n.op.name === "attention").length).toBe(1);
    const values = valuesFor(outputs);
    const together = await runOnReference(graph, values);
    const alone = await runOnReference(graphOf(outputs.slice(0, 1)), values);
    expect(together.g0).toEqual(alone.g0);
  });

  test("a product's operand that is itself squared is counted twice", async () => {
    const a = input("a", "f32", [2, 2]) as Tensor;
    const y = mean(matmul(a, a));
    const [g] = gradient([y], [seed()], [a]);
    const values = { a: [1, 2, 3, 4] };
    const { g: found } = await evaluate(graphOf([{ name: "g", tensor: g! }]), values);
    expect(found).toEqual([7 / 4, 11 / 4, 9 / 4, 13 / 4]);
  });
});
