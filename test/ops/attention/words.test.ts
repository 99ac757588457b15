/** What attention is asked for beside its operands: the same as what spells it out, gradients too. */
import { describe, expect, test } from "vitest";
import { graphOf, input } from "../../../compiler/index.ts";
import { elements, gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { attention, broadcastTo, reshape } from "../../../ops/index.ts";
import {
  evaluate,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { runs } from "../../../verify/ops/op.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;
type Call = (x: Readonly<Record<string, Tensor>>) => Tensor;

/** The result of a call and the gradients of all that it reads, for a random cotangent. */
function withGradients(shapes: Shapes, call: Call) {
  const x = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, input(name, "f32", shape) as Tensor]),
  );
  const y = call(x);
  const g = input("g", "f32", y.shape);
  const names = Object.keys(shapes);
  const gradients = gradient(
    [y],
    [g],
    names.map((name) => x[name]!),
  );
  const arrays = Object.fromEntries(
    Object.entries({ ...shapes, g: y.shape }).map(([name, shape], i) => [
      name,
      randomNumbers(elements(shape), 70 + i),
    ]),
  );
  const outputs = gradients.map((tensor, i) => ({ name: `d${names[i]}`, tensor: tensor! }));
  return { graph: graphOf([{ name: "y", tensor: y }, ...outputs]), arrays };
}

async function expectSame(shapes: Shapes, short: Call, long: Call): Promise<void> {
  const wanted = withGradients(shapes, long);
  const results = await evaluate(wanted.graph, wanted.arrays);
  const { graph, arrays } = withGradients(shapes, short);
  for (const [run, policy, profile] of runs) {
    const got = await runOnReference(graph, arrays, { policy, profile });
    for (const [name, values] of Object.entries(results))
      expect(relativeError(got[name]!, values), `${run}: ${name}`).toBeLessThan(3e-6);
  }
}

/** [batch, shared, tokens, depth], each head `share` times in memory. */
function repeated(x: Tensor, share: number): Tensor {
  const [batch, shared, tokens, depth] = x.shape as [number, number, number, number];
  const wide = broadcastTo(reshape(x, [batch, shared, 1, tokens, depth]) as Tensor, [
    ...[batch, shared, share, tokens, depth],
  ]);
  return reshape(wide, [batch, shared * share, tokens, depth]) as Tensor;
}

describe("heads that share keys and values are as those with a copy each", () => {
  const tables = { height: [5, 4], width: [9, 4] };
  test.each<[string, Shapes, number]>([
    ["alone", { q: [2, 6, 5, 4], k: [2, 2, 7, 4], v: [2, 2, 7, 3] }, 3],
    [
      "with more scores than are stored",
      { q: [1, 6, 35, 2], k: [1, 2, 41, 2], v: [1, 2, 41, 3] },
      3,
    ],
    [
      "with a bias of their own",
      { q: [1, 6, 15, 4], k: [1, 2, 21, 4], v: [1, 2, 21, 4], bias: [1, 6, 1, 21] },
      3,
    ],
    [
      "with relative positions",
      { q: [2, 6, 15, 4], k: [2, 3, 15, 4], v: [2, 3, 15, 4], ...tables },
      2,
    ],
    [
      "with both",
      { q: [1, 4, 15, 4], k: [1, 1, 15, 4], v: [1, 1, 15, 4], bias: [15, 15], ...tables },
      4,
    ],
  ])("%s", async (_, shapes, share) => {
    const options = ({ bias, height, width }: Readonly<Record<string, Tensor>>) => ({
      ...(bias ? { bias } : {}),
      ...(height ? { relative: { height, width: width!, grid: [3, 5] as const } } : {}),
    });
    await expectSame(
      shapes,
      (x) => attention(x.q!, x.k!, x.v!, options(x)),
      (x) => attention(x.q!, repeated(x.k!, share), repeated(x.v!, share), options(x)),
    );
  });
});
