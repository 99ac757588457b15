/** Graphs of any depth and width compile, in a time that grows as they do. */
import { describe, expect, test } from "vitest";
import { compile, compileStages } from "../../compiler/compile.ts";
import { gradient } from "../../compiler/grad/backward.ts";
import { type Graph, graphOf, type Output } from "../../compiler/graph/graph.ts";
import { input } from "../../compiler/graph/sources.ts";
import { apply, type Tensor } from "../../compiler/graph/tensor.ts";
import { always } from "../../compiler/kernel/builder.ts";
import type { ElementOp } from "../../compiler/op-kit.ts";
import {
  add,
  exp,
  full,
  matmul,
  mean,
  mul,
  neg,
  pad,
  permute,
  relu,
  reshape,
  slice,
  softmax,
  sub,
  sum,
} from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createSession } from "../../runtime/session.ts";

type Floats = Tensor<"f32">;

const f32 = (name: string, shape: readonly number[]): Floats => input(name, "f32", shape) as Floats;

/** Applies `step` so often. */
function chain(length: number, x: Floats, step: (x: Floats, i: number) => Tensor): Floats {
  let y = x;
  for (let i = 0; i < length; i++) y = step(y, i) as Floats;
  return y;
}

/** A result, and its gradients, when its own is one everywhere. */
function withGradients(y: Floats, wrt: readonly Floats[]): Graph {
  const found = gradient([y], [full(1, y.shape)], wrt);
  const outputs: Output[] = [{ name: "y", tensor: y }];
  for (const [i, g] of found.entries()) outputs.push({ name: `g${i}`, tensor: g! });
  return graphOf(outputs, "as written");
}

async function run(graph: Graph, inputs: Readonly<Record<string, readonly number[]>>) {
  const plan = compile(graph, { target: "reference" });
  const session = await createSession(plan, referenceDevice());
  const results = await session.run(
    Object.fromEntries(plan.inputs.map(({ name }) => [name, inputs[name]!])),
  );
  session.close();
  return { plan, results };
}

const count = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("graphs of any depth compile and run, forwards and backwards", () => {
  test("20,000 reshapes are none: nothing is copied but the input into the output", async () => {
    const x = f32("x", [4, 6]);
    const y = chain(20_000, x, (t, i) => reshape(t, i % 2 ? [4, 6] : [6, 4]));
    const { plan, results } = await run(withGradients(y, [x]), { x: count(24) });
    expect([...results.y!]).toEqual(count(24));
    expect([...results.g0!]).toEqual(new Array(24).fill(1));
    expect(plan.steps).toHaveLength(2);
  });

  test("of 20,000 reshapes to ever other shapes few are left", () => {
    const shapes = [[24], [2, 12], [3, 8], [4, 6], [6, 4], [8, 3], [12, 2], [2, 3, 4], [4, 3, 2]];
    const y = chain(20_000, f32("x", [24]), (t, i) => reshape(t, shapes[i % 9]!));
    const { plan } = compileStages(graphOf([{ name: "y", tensor: y }]));
    expect(plan.steps).toHaveLength(1);
  });

  test("10,000 additions of different inputs", async () => {
    const terms = count(10_000).map((i) => f32(`${i}.x`, [4]));
    const y = chain(9_999, terms[0]!, (t, i) => add(t, terms[i + 1]!));
    const values = Object.fromEntries(count(10_000).map((i) => [`${i}.x`, [i % 8, 1, 0, -1]]));
    const { plan, results } = await run(graphOf([{ name: "y", tensor: y }]), values);
    expect([...results.y!]).toEqual([35_000, 10_000, 0, -10_000]);
    // Each kernel adds as many as it can bind.
    expect(plan.steps.length).toBeLessThan(10_000 / 5);
    const back = compile(withGradients(y, terms), { target: "reference" });
    expect(back.outputs).toHaveLength(10_001);
  });

  const views: readonly (readonly [string, (x: Floats, i: number) => Tensor])[] = [
    ["transposes", (x) => permute(x, [1, 0])],
    ["slices of padded tensors", (x) => slice(pad(x, [[1, 0], []]) as Floats, [[1, 5], []])],
    ["signs", (x) => neg(x)],
    ["products with one", (x) => mul(x, 1)],
    ["residuals", (x) => sub(add(x, exp(x)), exp(x))],
  ];
  test.each(views)("5,000 %s", async (_name, step) => {
    const x = f32("x", [4, 4]);
    const values = count(16).map((i) => i / 64);
    const { results } = await run(withGradients(chain(5000, x, step), [x]), { x: values });
    expect(results.y!).toHaveLength(16);
    for (const [i, v] of results.y!.entries()) expect(v).toBeCloseTo(values[i]!, 3);
  });

  test("ops behind a kernel, one after another and beside each other", async () => {
    const x = f32("x", [2, 3]);
    const product = matmul(x as Tensor, f32("w", [3, 2]) as Tensor) as Floats;
    const behind = chain(3000, product, (t) => relu(t));
    // What leads into the last sum leads into it by a long way, too.
    const beside = add(
      product,
      chain(3000, product, (t) => neg(t)),
    ) as Floats;
    const outputs = [behind, beside].map((tensor, i) => ({ name: `y${i}`, tensor }));
    const { results } = await run(graphOf(outputs), { x: count(6), w: [1, 0, 0, 1, 1, 1] });
    expect([...results.y0!]).toEqual([4, 5, 10, 11]);
    expect([...results.y1!]).toEqual([8, 10, 20, 22]);
  });

  test("sums of products, and products of products", () => {
    const product = (x: Tensor, i: number) => matmul(x, f32(`${i}.w`, [8, 8]) as Tensor) as Floats;
    const x = f32("x", [8, 8]);
    const sums = chain(1000, x, (t, i) => add(t, product(x as Tensor, i)));
    const products = chain(1000, x, (t, i) => product(t as Tensor, i));
    for (const y of [sums, products])
      expect(compile(withGradients(y, [x])).steps.length).toBeGreaterThan(0);
  });

  test("sums that are added up, one after another, to what a thousand ops and more make", async () => {
    const [rows, z] = [f32("rows", [4, 400]), f32("z", [4])];
    const long = chain(600, z, (t) => relu(add(t, 1)));
    const y = chain(20, long, (t, i) => add(t, sum(mul(rows, i + 1), 1)));
    const graph = graphOf([{ name: "y", tensor: y }]);
    const { results } = await run(graph, { rows: count(1600).map(() => 1), z: count(4) });
    expect([...results.y!]).toEqual(count(4).map((v) => v + 600 + 400 * 210));
  });

  test("equal work on parameters below equal work on parameters", () => {
    const layers = count(3).map((layer) => {
      const w = (i: number) => f32(`${layer}.${i}.w`, [4, 4]);
      return mean(chain(1000, w(0), (t, i) => softmax(matmul(t as Tensor, w(i + 1) as Tensor))));
    });
    const y = layers.reduce((a, b) => add(a, b) as Floats);
    expect(compile(graphOf([{ name: "y", tensor: y }])).steps.length).toBeGreaterThan(1000);
  });
});

/** An op that notes whenever it is looked at: while melting, pricing and lowering. */
function counted(inputs: number) {
  let looks = 0;
  const look = <T>(value: T): T => {
    looks++;
    return value;
  };
  const op: ElementOp<null> = {
    name: "counted",
    kind: "element",
    cost: () => look(1),
    reads: () => look(1),
    type: ([x]) => look([x!]),
    element: ({ inputs: all, at }) => look(all.map((x) => x.at(...at)).reduce((a, b) => a.add(b))),
    push: ({ at }) => look({ at, where: always }),
    vjp: ([g]) => look(new Array(inputs).fill(g)),
    tests: { samples: [{ inputs: [[1]], call: (x) => x!, outputs: [[1]] }] },
  };
  const of = (...given: readonly Tensor[]) => apply(op, given, null)[0] as Floats;
  const during = (work: () => void) => {
    looks = 0;
    work();
    return looks;
  };
  return { of, during };
}

type Made = ReturnType<typeof counted>["of"];

/** Graphs of a size, of an op of one input or two. */
const families: readonly (readonly [string, 1 | 2, (size: number, of: Made) => Graph])[] = [
  [
    "a chain, and its gradient",
    1,
    (size, of) => {
      const x = f32("x", [2048]);
      return withGradients(
        chain(size, x, (t) => of(t)),
        [x],
      );
    },
  ],
  [
    "a sum of different inputs",
    2,
    (size, of) =>
      graphOf([
        { name: "y", tensor: chain(size, f32("x", [4]), (t, i) => of(t, f32(`${i}.x`, [4]))) },
      ]),
  ],
  [
    "a chain behind a kernel",
    1,
    (size, of) =>
      graphOf([{ name: "y", tensor: chain(size, softmax(f32("x", [2, 40])), (x) => of(x)) }]),
  ],
  [
    "what all read of one kernel, summed",
    2,
    (size, of) => {
      const x = softmax(f32("x", [2, 40]));
      return graphOf([{ name: "y", tensor: chain(size, x, (t, i) => of(t, mul(x, i + 2))) }]);
    },
  ],
  [
    "diamonds",
    2,
    (size, of) =>
      graphOf([{ name: "y", tensor: chain(size, f32("x", [64]), (t) => of(t, relu(t))) }]),
  ],
  [
    "kernels in a row, each with its residual",
    2,
    (size, of) => {
      const x = f32("x", [4, 40]);
      return graphOf([{ name: "y", tensor: chain(size, x, (t) => of(t, softmax(t))) }]);
    },
  ],
  [
    "many outputs of one input",
    1,
    (size, of) => {
      const x = f32("x", [64]);
      return graphOf(count(size).map((i) => ({ name: `y${i}`, tensor: of(mul(x, i)) })));
    },
  ],
];

describe("twice the length is twice the work", () => {
  test.each(families)("%s", (_name, inputs, graph) => {
    const { of, during } = counted(inputs);
    const looks = (size: number) => {
      const made = graph(size, of);
      return during(() => compile(made, { target: "reference" }));
    };
    const [short, long] = [looks(700), looks(1400)];
    expect(short).toBeGreaterThan(700);
    expect(long / short).toBeLessThan(2.4);
  });

  // What no op sees: sets, keys, places. Processor time, so that others on this machine do not count.
  test("and at most 2.4 times the time", () => {
    const sum = (size: number) => {
      const terms = count(size).map((i) => f32(`${i}.x`, [4]));
      return withGradients(
        chain(size - 1, terms[0]!, (t, i) => mul(add(t, terms[i + 1]!), 0.5)),
        terms,
      );
    };
    const time = (graph: Graph) => {
      const start = process.cpuUsage();
      compile(graph, { target: "reference" });
      const { user, system } = process.cpuUsage(start);
      return user + system;
    };
    const [short, long] = [sum(700), sum(1400)];
    const times = count(5).map(() => [time(short), time(long)] as const);
    const median = (of: readonly number[]) => [...of].sort((a, b) => a - b)[2]!;
    const measured = times.slice(1);
    const ratio = median(measured.map(([, t]) => t)) / median(measured.map(([t]) => t));
    expect(ratio).toBeLessThan(2.4);
  });
});
