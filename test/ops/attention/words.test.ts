/** What attention is asked for beside its operands: the same as what spells it out, gradients too. */
import { describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { deviceProfile, graphOf, input } from "../../../compiler/index.ts";
import { type DType, elements, gradient, type Tensor } from "../../../compiler/op-kit.ts";
import { defaultProfile, type Profile } from "../../../compiler/profile.ts";
import {
  add,
  and,
  attention,
  attentionWithStatistics,
  broadcastTo,
  eq,
  full,
  gt,
  iota,
  le,
  lt,
  or,
  reshape,
  where,
} from "../../../ops/index.ts";
import { createSession } from "../../../runtime/index.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import {
  type Arrays,
  evaluate,
  type Results,
  randomNumbers,
  relativeError,
  runOnReference,
} from "../../../verify/ops/evaluate.ts";
import { runs } from "../../../verify/ops/op.ts";
import { deviceTest } from "../../support/device.ts";

type Tensors = Readonly<Record<string, Tensor>>;
type Shapes = Readonly<Record<string, readonly number[]>>;
type Call = (x: Tensors) => Tensor | readonly Tensor[];

const dtypes: Readonly<Record<string, DType>> = { mask: "bool", lengths: "i32", unsigned: "u32" };

/** The results of a call, and the gradients of all floats that it reads for random cotangents. */
function withGradients(shapes: Shapes, call: Call) {
  const x = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      input(name, dtypes[name] ?? "f32", shape) as Tensor,
    ]),
  );
  const found = call(x);
  const ys: readonly Tensor[] = Array.isArray(found) ? found : [found];
  const gs = ys.map((y, i) => input(`g${i}`, "f32", y.shape) as Tensor);
  const names = Object.keys(shapes).filter((name) => !dtypes[name]);
  const gradients = gradient(
    ys,
    gs,
    names.map((name) => x[name]!),
  );
  const keys = shapes.k![2]!;
  const arrays = Object.fromEntries(
    [...Object.values(x), ...gs].map(({ node, shape }, i) => {
      const { name } = node.attrs as { readonly name: string };
      const range = name === "mask" ? [0, 2] : dtypes[name] ? [1, keys + 1] : [-1, 1];
      const values = randomNumbers(elements(shape), 70 + i, range as [number, number]);
      return [name, dtypes[name] ? values.map(Math.floor) : values];
    }),
  );
  const results = [
    ...ys.map((tensor, i) => ({ name: `y${i}`, tensor })),
    ...gradients.map((tensor, i) => ({ name: `d${names[i]}`, tensor: tensor! })),
  ];
  return { graph: graphOf(results), arrays };
}

async function expectSame(shapes: Shapes, short: Call, long: Call): Promise<void> {
  const wanted = withGradients(shapes, long);
  const results = await evaluate(wanted.graph, wanted.arrays);
  const { graph, arrays } = withGradients(shapes, short);
  for (const [run, policy, profile] of [runs[0]!, runs.at(-1)!]) {
    const got = await runOnReference(graph, arrays, { policy, profile });
    for (const [name, values] of Object.entries(results))
      expect(relativeError(got[name]!, values), `${run}: ${name}`).toBeLessThan(3e-6);
  }
}

/** [batch, shared, tokens, depth], each head so often in memory that there are `heads`. */
function repeated(x: Tensor, heads: number): Tensor {
  const [batch, shared, tokens, depth] = x.shape as [number, number, number, number];
  const wide = broadcastTo(reshape(x, [batch, shared, 1, tokens, depth]) as Tensor, [
    ...[batch, shared, heads / shared, tokens, depth],
  ]);
  return reshape(wide, [batch, heads, tokens, depth]) as Tensor;
}

const grid = [3, 5] as const;
const tables = { height: [5, 4], width: [9, 4] };

const relativeOf = ({ height, width }: Tensors) =>
  height ? { relative: { height, width: width!, grid } } : {};

/** No row of a mask hides all keys: the first is always seen. */
const opened = (mask: Tensor): Tensor =>
  or(mask, eq(iota([mask.shape.at(-1)!]) as Tensor, 0) as Tensor);

/** Attention with the words that its inputs and `causal` stand for. */
const inWords =
  (causal: boolean | number): Call =>
  (x) => {
    const lengths = x.lengths ?? x.unsigned;
    const { out, statistics } = attentionWithStatistics(x.q!, x.k!, x.v!, {
      ...{ causal, ...relativeOf(x) },
      ...(x.bias && { bias: x.bias }),
      ...(x.mask && { mask: opened(x.mask) }),
      ...(lengths && { lengths }),
    });
    return [out, statistics];
  };

/** The same by keys and values that are repeated, and by a bias of -1e30 where a key is hidden. */
const inBiases =
  (causal: boolean | number): Call =>
  (x) => {
    const [batch, heads, queries] = x.q!.shape as [number, number, number];
    const keys = x.k!.shape[2]!;
    const own = iota([1, 1, queries, 1], 2) as Tensor;
    const other = iota([1, 1, 1, keys], 3) as Tensor;
    const seen: Tensor[] = [];
    if (x.mask) seen.push(opened(x.mask));
    if (x.lengths) seen.push(lt(other, reshape(x.lengths, [batch, 1, 1, 1])) as Tensor);
    if (x.unsigned) seen.push(gt(reshape(x.unsigned, [batch, 1, 1, 1]), other as never) as Tensor);
    if (causal !== false) seen.push(le(other, add(own, Number(causal === true ? 0 : causal))));
    const bias = x.bias ?? (full(0, [keys]) as Tensor);
    const hidden: Tensor =
      seen.length > 0
        ? where(
            seen.reduce((a, b) => and(a, b)),
            bias,
            -1e30,
          )
        : bias;
    const { out, statistics } = attentionWithStatistics(
      x.q!,
      repeated(x.k!, heads),
      repeated(x.v!, heads),
      { bias: hidden, ...relativeOf(x) },
    );
    return [out, statistics];
  };

/** Of queries and keys, with others beside. */
const shapesOf = (
  heads: readonly [number, number],
  queries: number,
  keys: number,
  others: Shapes = {},
): Shapes => ({
  q: [2, heads[0], queries, 4],
  k: [2, heads[1], keys, 4],
  v: [2, heads[1], keys, 3],
  ...others,
});

const wide = { q: [1, 4, 35, 2], k: [1, 2, 41, 2], v: [1, 2, 41, 3] };
const all = { bias: [6, 1, 15], mask: [2, 1, 15, 15], lengths: [2] };

const cases: [claim: string, shapes: Shapes, causal?: boolean | number][] = [
  ["six heads over two, with a bias of their own", shapesOf([6, 2], 5, 7, { bias: [6, 1, 7] })],
  ["four heads over one, on a grid", shapesOf([4, 1], 15, 15, tables)],
  ["causal", shapesOf([2, 2], 7, 7), true],
  ["causal, with keys in front of the queries", shapesOf([6, 2], 3, 8, {}), 4],
  ["causal, with keys that no query sees", shapesOf([2, 1], 3, 9, { bias: [9] }), 2],
  ["lengths", shapesOf([6, 2], 5, 7, { lengths: [2] })],
  ["a mask of keys", shapesOf([6, 2], 5, 7, { mask: [2, 1, 1, 7] })],
  ["a mask of keys for each head", shapesOf([3, 3], 5, 7, { mask: [3, 1, 7] })],
  ["a mask of keys for each of six heads over two", shapesOf([6, 2], 5, 7, { mask: [6, 1, 7] })],
  ["a mask of pairs", shapesOf([6, 2], 5, 7, { mask: [5, 7] })],
  ["a mask and lengths", shapesOf([2, 2], 5, 7, { mask: [2, 2, 5, 7], lengths: [2] })],
  ["lengths on a grid, causal", shapesOf([4, 2], 15, 15, { lengths: [2], ...tables }), true],
  [
    "a mask beside a bias on a grid",
    shapesOf([2, 2], 15, 15, { ...tables, bias: [15], mask: [15] }),
  ],
  ["everything", shapesOf([6, 2], 15, 15, { ...tables, ...all }), 3],
  ["six heads over two, no scores stored", { ...wide, bias: [1, 41] }],
  ["causal, no scores stored", wide, true],
  ["lengths, no scores stored", { ...wide, lengths: [1] }],
  ["a mask and causal, no scores stored", { ...wide, mask: [4, 35, 41] }, 6],
];

describe("attention with words is attention with a bias and a copy of keys for each head", () => {
  test.each(cases)("%s", async (_claim, shapes, causal = false) => {
    await expectSame(shapes, inWords(causal), inBiases(causal));
  });
});

const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];

/** What a session of a device gives: with what the device has, or with what every device has. */
async function onDevice(
  graph: ReturnType<typeof graphOf>,
  arrays: Arrays,
  given?: Profile,
): Promise<Results> {
  const { device } = await openDevice({ kind: "webgpu" });
  const profile = given ?? deviceProfile(device.capabilities);
  const plan = compile(graph, { profile });
  const session = await createSession(plan, device);
  const inputs = plan.inputs.map(({ name, dtype }) => {
    const values = [...arrays[name]!];
    return [name, dtype === "f32" ? Float32Array.from(values) : values] as const;
  });
  const got = await session.run(Object.fromEntries(inputs));
  session.close();
  device.destroy();
  return Object.fromEntries(Object.entries(got).map(([name, values]) => [name, [...values]]));
}

function expectNear(got: Results, wanted: Results): void {
  for (const [name, values] of Object.entries(wanted))
    expect(relativeError(got[name]!, values), name).toBeLessThan(3e-6);
}

describe("on a device", () => {
  deviceTest.each<[string, Shapes, boolean | number, Profile | undefined]>([
    [
      "with what it has: everything",
      shapesOf([4, 2], 15, 15, { ...tables, ...all, bias: [4, 1, 15] }),
      3,
      undefined,
    ],
    [
      "with what all have: a mask, lengths and causal",
      { q: [1, 2, 12, 2], k: [1, 1, 13, 2], v: [1, 1, 13, 3], mask: [12, 13], lengths: [1] },
      6,
      defaultProfile,
    ],
  ])("%s, gradients too", async (_, shapes, causal, profile) => {
    const { graph, arrays } = withGradients(shapes, inWords(causal));
    expectNear(await onDevice(graph, arrays, profile), await evaluate(graph, arrays));
  });
});

/** The first query has no key in front of it, and the second batch has none at all. */
function expectNone(got: Results, keys: number): void {
  const expectRows = (name: string, size: number, none: number) => {
    const inner = got[name]!.slice(size, size * keys);
    const outer = [...got[name]!.slice(0, size), ...got[name]!.slice(size * keys)];
    expect(outer, name).toEqual(outer.map(() => none));
    expect(
      inner.filter((x) => !Number.isFinite(x) || x === 0),
      name,
    ).toEqual([]);
  };
  expectRows("y0", 2, nan);
  expectRows("y1", 1, -inf);
  expectRows("dq", 2, 0);
  for (const name of ["dk", "dv"]) {
    const [first, second] = [got[name]!.slice(0, 2 * keys), got[name]!.slice(2 * keys)];
    expect(second, name).toEqual(second.map(() => 0));
    // No query sees the last key.
    expect(first.slice(-2), name).toEqual([0, 0]);
    expect(
      first.slice(0, -2).filter((x) => !Number.isFinite(x) || x === 0),
      name,
    ).toEqual([]);
  }
}

const unseen = (keys: number) => {
  const shapes = { q: [2, 1, keys, 2], k: [2, 1, keys, 2], v: [2, 1, keys, 2], lengths: [2] };
  const { graph, arrays } = withGradients(shapes, inWords(-1));
  return [graph, { ...arrays, lengths: [keys, 0] }] as const;
};

describe("a query that sees no key gets NaN, and no gradient comes of it", () => {
  // Of few keys scores are stored for the gradients.
  test.each([5, 40])("%i keys", async (keys) => {
    const [graph, arrays] = unseen(keys);
    for (const [, policy, profile] of runs)
      expectNone(await runOnReference(graph, arrays, { policy, profile }), keys);
  });
  deviceTest("on a device", async () => expectNone(await onDevice(...unseen(40)), 40));
});

/** Of 40 keys the last ten are hidden from all queries: without and with numbers that are none there. */
function poisoned(others: Shapes, given: Arrays, causal: boolean) {
  const shapes = { q: [1, 2, 30, 4], k: [1, 1, 40, 4], v: [1, 1, 40, 3], ...others };
  const { graph, arrays } = withGradients(shapes, inWords(causal));
  const clean = { ...arrays, ...given };
  const spoilt = (name: string, depth: number) =>
    [...clean[name]!].map((x, i) => (i < 30 * depth ? x : i % 2 ? nan : inf));
  return { graph, clean, spoilt: { ...clean, k: spoilt("k", 4), v: spoilt("v", 3) } };
}

describe("what no query may see may be NaN", () => {
  const first = Array.from({ length: 40 }, (_, j) => Number(j < 30));
  const more = { lengths: [1], mask: [30, 40], bias: [40] };
  const hidden: [string, Shapes, Arrays, boolean][] = [
    ["behind lengths", { lengths: [1] }, { lengths: [30] }, false],
    ["hidden by a mask of keys", { mask: [40] }, { mask: first }, false],
    ["behind lengths, beside a mask and a bias", more, { lengths: [30] }, false],
    ["behind the last query", {}, {}, true],
  ];
  test.each(hidden)("%s", async (_, others, given, causal) => {
    const { graph, clean, spoilt } = poisoned(others, given, causal);
    expectNear(await runOnReference(graph, spoilt), await evaluate(graph, clean));
  });
  deviceTest("on a device", async () => {
    const { graph, clean, spoilt } = poisoned({ mask: [40] }, { mask: first }, false);
    expectNear(await onDevice(graph, spoilt), await evaluate(graph, clean));
  });
});

describe("what words are computed of", () => {
  test("melts into the kernel", () => {
    const x = Object.fromEntries(
      ["q", "k", "v"].map((name) => [name, input(name, "f32", [1, 2, 9, 4]) as Tensor]),
    );
    const marks = input("marks", "f32", [9, 9]) as Tensor;
    const count = input("count", "i32", [1]) as Tensor;
    const y = attention(x.q!, x.k!, x.v!, {
      ...{ mask: gt(marks, 0) as Tensor, lengths: add(count, 1), causal: true },
    });
    const { kernels } = compileStages(graphOf([{ name: "y", tensor: y }]));
    expect(kernels.map(({ kernel }) => kernel.name)).toEqual(["attention"]);
  });
});
