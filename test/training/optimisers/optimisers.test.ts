/** Updates of packed parameters: equal to PyTorch's optimisers, vetoed whole, and few dispatches. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { type Graph, graphOf, inputsOf, statesOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { adam, adamW, type Optimiser, sgd } from "../../../training/optimisers/index.ts";
import { biasCorrection } from "../../../training/optimisers/optimiser.ts";
import {
  accumulateGraph,
  chunkSize,
  type Sources,
  type UpdateSpec,
  updateGraph,
} from "../../../training/update.ts";
import { randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { describeOnDevice } from "../../support/device.ts";
import { type Method, plainStep, plainTensor } from "../../support/plain-optimisers.ts";

/** Every state is an input, so that a test sees and sets all of them. */
const open: Sources = { state: input, input };

type Values = Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>;

/** A graph on a device: what it returns becomes its input where the names agree. */
async function opened(graph: Graph, device: Device, start: Values) {
  const session = await createSession(compile(graph, { target: device.target }), device);
  const now: Values = { ...start };
  return {
    now,
    async run(given: Values = {}) {
      Object.assign(now, given);
      const inputs = inputsOf(graph).map(({ name }) => [name, now[name]!] as const);
      Object.assign(now, await session.run(Object.fromEntries(inputs)));
    },
    close: () => session.close(),
  };
}

const sizes = [70, 5, 64, 130, 1];
const groupOf = [0, 1, 0, 1, 1];
const rates = [0.02, 0.005];
const decays = [0.1, 0];
const owners = sizes.flatMap((size, i) =>
  Array.from({ length: Math.ceil(size / chunkSize) }, () => i),
);
const chunks = owners.length;

const pack = (tensors: readonly (readonly number[])[]): Float32Array<ArrayBuffer> =>
  Float32Array.from(
    tensors.flatMap((t) => [
      ...t,
      ...new Array((chunkSize - (t.length % chunkSize)) % chunkSize).fill(0),
    ]),
  );

function unpack(arena: Float32Array | Int32Array): { tensors: number[][]; padding: number[] } {
  let chunk = 0;
  const padding: number[] = [];
  const tensors = sizes.map((size) => {
    const start = chunk * chunkSize;
    chunk += Math.ceil(size / chunkSize);
    padding.push(...arena.slice(start + size, chunk * chunkSize));
    return [...arena.slice(start, start + size)];
  });
  return { tensors, padding };
}

const spec = (optimiser: Optimiser, more: Partial<UpdateSpec> = {}): UpdateSpec => ({
  parts: [chunks],
  tensors: sizes.length,
  optimiser,
  accumulate: 1,
  ...more,
});

const numbers = (seed: number) =>
  sizes.map((size, i) => randomNumbers(size, 10 * seed + i).map(Math.fround));

const begin = (optimiser: Optimiser): Values => ({
  parameters: pack(numbers(1)),
  ...Object.fromEntries(
    optimiser.moments.map((name) => [`moment.${name}`, new Float32Array(chunks * chunkSize)]),
  ),
  steps: new Float32Array(sizes.length),
  scale: new Float32Array(4),
  loss: Float32Array.of(0.5),
  chunk_tensor: Int32Array.from(owners),
  rates: Float32Array.from(groupOf, (g) => rates[g]!),
  decays: Float32Array.from(groupOf, (g) => decays[g]!),
});

const bits = (x: Float32Array | Int32Array) => [...new Uint32Array(x.slice().buffer)];

interface Run {
  readonly claim: string;
  readonly optimiser: Optimiser;
  readonly method: Method;
  readonly clip?: number;
}

const runs: readonly Run[] = [
  {
    claim: "AdamW with clipping",
    optimiser: adamW(),
    method: { kind: "adamW", betas: [0.9, 0.999] },
    clip: 3,
  },
  {
    claim: "AdamW without momentum",
    optimiser: adamW({ betas: [0, 0.95] }),
    method: { kind: "adamW", betas: [0, 0.95] },
  },
  {
    claim: "Adam with coupled decay",
    optimiser: adam(),
    method: { kind: "adam", betas: [0.9, 0.999] },
  },
  {
    claim: "gradient descent with momentum and clipping",
    optimiser: sgd({ momentum: 0.9 }),
    method: { kind: "sgd", momentum: 0.9 },
    clip: 1,
  },
  {
    claim: "plain gradient descent",
    optimiser: sgd(),
    method: { kind: "sgd", momentum: 0 },
  },
];

/** Tensor 3 is first reached in step 6, tensor 1 in odd steps only, tensor 4 never. */
const isPresent = (tensor: number, step: number) =>
  tensor === 3 ? step >= 6 : tensor === 1 ? step % 2 === 1 : tensor !== 4;

/** Steps whose gradients break: they must leave no trace but their counters. */
const vetoed = [7, 8, 15];

async function checkRun(run: Run, device: Device): Promise<void> {
  const scaling = { initial: 1024, growth: 2, backoff: 0.5, interval: 5 };
  const more = run.clip === undefined ? {} : { clip: run.clip };
  const graph = updateGraph(spec(run.optimiser, { scaling, ...more }), open);
  const packed = await opened(graph, device, begin(run.optimiser));
  const plain = numbers(1).map((values, i) =>
    plainTensor(values, Math.fround(rates[groupOf[i]!]!), Math.fround(decays[groupOf[i]!]!)),
  );
  const start = plain.map((t) => [...t.values]);
  for (let step = 1; step <= 20; step++) {
    const scale = packed.now.scale![0] || scaling.initial;
    const gradients = numbers(100 + step).map((g, i) => (isPresent(i, step) ? g : undefined));
    // What lies in the arena where there is no gradient is of no concern.
    const scaled = gradients.map((g, i) => g?.map((v) => v * scale) ?? sizeOf(i).fill(Number.NaN));
    if (vetoed.includes(step)) scaled[2]![63] = Number.POSITIVE_INFINITY;
    const present = Float32Array.from(gradients.map((g) => Number(g !== undefined)));
    await packed.run({ gradients: pack(scaled), present });
    expect(packed.now.broken![0], `step ${step}`).toBe(vetoed.includes(step) ? 2 : -1);
    if (vetoed.includes(step)) continue;
    const norm = plainStep(run.method, plain, gradients, run.clip);
    expect(Math.abs(packed.now.norm![0]! / norm - 1)).toBeLessThan(1e-6);
  }
  const { tensors, padding } = unpack(packed.now.parameters!);
  expect(padding.every((v) => Object.is(v, 0))).toBe(true);
  expect([...packed.now.steps!]).toEqual(plain.map((t) => t.steps));
  expect(tensors[4]).toEqual(start[4]);
  for (const [i, { values }] of plain.entries()) {
    const moved = values.map((v, j) => v - start[i]![j]!);
    const got = tensors[i]!.map((v, j) => v - start[i]![j]!);
    expect(relativeError(got, moved), `tensor ${i}`).toBeLessThan(1e-5);
  }
  for (const [i, name] of run.optimiser.moments.entries()) {
    const moment = unpack(packed.now[`moment.${name}`]!);
    expect(moment.padding.every((v) => Object.is(v, 0))).toBe(true);
    for (const [j, t] of plain.entries())
      expect(relativeError(moment.tensors[j]!, t.moments[i]!), name).toBeLessThan(1e-5);
  }
  // Doubled after steps 5, 13 and 20, halved after 7, 8 and 15.
  expect([...packed.now.scale!]).toEqual([1024, 0, vetoed.length, 20 - vetoed.length]);
  packed.close();
}

const sizeOf = (tensor: number) => new Array<number>(sizes[tensor]!);

/** A veto for each of its causes; what must stay includes signed zeros, and numbers below normal. */
async function checkVeto(device: Device): Promise<void> {
  const optimiser = adamW();
  const start = begin(optimiser);
  start.parameters!.set([-0, 1e-40, -1e-45, 3e38]);
  start["moment.mean"]!.set([-0, 1e-40]);
  start.steps!.fill(3);
  start.gradients = pack(numbers(2));
  start.present = Float32Array.of(1, 1, 1, 0, 1);
  const run = await opened(updateGraph(spec(optimiser, { clip: 1 }), open), device, start);
  const kept = ["parameters", "moment.mean", "moment.square", "steps"];
  const before = kept.map((name) => bits(start[name]!));
  const norm = (broken: number) =>
    Math.hypot(...numbers(2).flatMap((g, i) => (i === broken || i === 3 ? [] : g)));
  const attempt = async (broken: number, change: (gradients: Float32Array) => void, loss = 1) => {
    const gradients = pack(numbers(2));
    change(gradients);
    await run.run({ gradients, loss: Float32Array.of(loss) });
    expect(run.now.broken![0]).toBe(broken);
    expect(kept.map((name) => bits(run.now[name]!))).toEqual(before);
  };
  await attempt(1, (g) => g.set([Number.NaN], 2 * chunkSize + 4));
  expect(run.now.norm![0]! / norm(1)).toBeCloseTo(1, 6);
  await attempt(0, (g) => g.set([Number.NEGATIVE_INFINITY], 69));
  await attempt(2, (g) => g.set([Number.NaN, Number.NaN], 4 * chunkSize - 1));
  await attempt(5, () => {}, Number.NaN);
  await attempt(5, () => {}, Number.POSITIVE_INFINITY);
  expect([...run.now.scale!]).toEqual([1, 0, 5, 0]);
  // Tensor 3 has no gradient: what lies there breaks nothing.
  const gradients = pack(numbers(2)).fill(Number.NaN, 4 * chunkSize, 5 * chunkSize);
  await run.run({ gradients, loss: Float32Array.of(1) });
  expect(run.now.broken![0]).toBe(-1);
  expect([...run.now.steps!]).toEqual([4, 4, 4, 4, 4]);
  expect([...run.now.scale!]).toEqual([1, 1, 5, 1]);
  expect(run.now.parameters!.every(Number.isFinite)).toBe(true);
  run.close();
}

/** Three steps' gradients accumulate to one update with their mean. */
async function checkAccumulation(device: Device): Promise<void> {
  const optimiser = sgd();
  const accumulate = 3;
  const state = {
    accumulated: new Float32Array(chunks * chunkSize),
    "accumulated.present": new Float32Array(sizes.length),
    "accumulated.loss": new Float32Array(1),
  };
  const [adding, updating] = [
    await opened(accumulateGraph(spec(optimiser, { accumulate }), open), device, {
      ...begin(optimiser),
      ...state,
    }),
    await opened(updateGraph(spec(optimiser, { accumulate }), open), device, begin(optimiser)),
  ];
  const add = async (change: (gradients: Float32Array) => void) => {
    for (const k of [0, 1, 2]) {
      const gradients = pack(numbers(30 + k));
      if (k === 1) change(gradients);
      // Tensor 3 is reached once, tensor 4 never.
      const present = Float32Array.of(1, 1, 1, Number(k === 2), 0);
      await adding.run({ gradients, present, loss: Float32Array.of(k) });
    }
    const named = Object.keys(state).map((name) => [name, adding.now[name]!] as const);
    await updating.run(Object.fromEntries(named));
    for (const name of Object.keys(state)) {
      expect(
        updating.now[name]!.every((v) => v === 0),
        name,
      ).toBe(true);
      adding.now[name] = updating.now[name]!;
    }
  };
  const before = unpack(updating.now.parameters!).tensors;
  await add((g) => g.set([Number.NaN], 0));
  expect(updating.now.broken![0]).toBe(0);
  expect(unpack(updating.now.parameters!).tensors).toEqual(before);
  await add(() => {});
  expect(updating.now.broken![0]).toBe(-1);
  expect([...updating.now.steps!]).toEqual([1, 1, 1, 1, 0]);
  const after = unpack(updating.now.parameters!).tensors;
  const [a, b, c] = [30, 31, 32].map(numbers) as [number[][], number[][], number[][]];
  for (const [i, rest] of before.entries()) {
    const rate = rates[groupOf[i]!]!;
    const decay = decays[groupOf[i]!]!;
    const expected = rest.map((p, j) => {
      const sum = i === 3 ? c[i]![j]! : a[i]![j]! + b[i]![j]! + c[i]![j]!;
      return i === 4 ? p : p - rate * (sum / 3 + decay * p);
    });
    expect(relativeError(after[i]!, expected), `tensor ${i}`).toBeLessThan(1e-6);
  }
  adding.close();
  updating.close();
}

async function checkBias(device: Device): Promise<void> {
  const counts = [1, 2, 3, 10, 57, 100, 693, 999, 1001, 6931, 30_000, 1e6];
  const betas = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.999999];
  const steps = input("steps", "f32", [counts.length, 1]);
  const graph = graphOf(
    betas.map((beta, i) => ({ name: `y${i}`, tensor: biasCorrection(beta, steps) })),
  );
  const session = await createSession(compile(graph, { target: device.target }), device);
  const results = await session.run({ steps: counts });
  for (const [i, beta] of betas.entries())
    for (const [j, t] of counts.entries()) {
      const exact = -Math.expm1(t * Math.log(beta));
      expect(Math.abs(results[`y${i}`]![j]! / exact - 1), `1 - ${beta}^${t}`).toBeLessThan(3e-7);
    }
  session.close();
}

const checks = (device: () => Device) => {
  test.each(runs)("20 steps equal PyTorch's: $claim", async (run) => {
    await checkRun(run, device());
  });
  test("a broken step leaves every bit as it was, and says which tensor broke first", async () => {
    await checkVeto(device());
  });
  test("gradients accumulate, and what broke stays broken until the update", async () => {
    await checkAccumulation(device());
  });
  test("bias corrections hold from one update to a million", async () => {
    await checkBias(device());
  });
};

describe("an update on the reference device", () => checks(() => referenceDevice()));

describeOnDevice("an update on a device", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device?.destroy());
  checks(() => device);
});

describe("an update's plan", () => {
  const dispatches = (graph: Graph) => compileStages(graph).fusion.regions.length;

  test.each(
    [1, 8, 5000, 70_000, 500_000].flatMap((chunks) =>
      ["adamW", "adam", "sgd", "plain sgd"].map((name) => [name, chunks] as const),
    ),
  )("is one dispatch and three for its verdict: %s, %i chunks", (name, chunks) => {
    const [optimiser] = { adamW: [adamW()], adam: [adam()] }[name] ?? [
      sgd(name === "sgd" ? { momentum: 0.9 } : {}),
    ];
    const scaling = { initial: 65_536, growth: 2, backoff: 0.5, interval: 2000 };
    const tensors = Math.min(chunks, 300);
    for (const more of [{}, { clip: 1 }, { clip: 1, scaling }]) {
      const whole = spec(optimiser!, { parts: [chunks], tensors, ...more });
      expect(dispatches(updateGraph(whole))).toBe(4);
      expect(dispatches(updateGraph({ ...whole, accumulate: 4 }))).toBe(5);
    }
  });

  test("takes three more for every further part, and one to judge all of them at once", () => {
    const whole = spec(adamW(), { tensors: 300, clip: 1 });
    expect(dispatches(updateGraph({ ...whole, parts: [400_000, 300_000] }))).toBe(4 + 3 + 1);
    expect(dispatches(updateGraph({ ...whole, parts: [9, 8, 7, 6, 5, 4, 3] }))).toBe(4 + 18 + 1);
  });

  test("accumulating takes three dispatches", () => {
    const whole = spec(adam(), { parts: [70_000], tensors: 300, accumulate: 4 });
    expect(dispatches(accumulateGraph(whole))).toBe(3);
  });

  test("reads and writes states by name", () => {
    const graph = updateGraph(spec(adamW()));
    const states = ["gradients", "loss", "moment.mean", "moment.square", "parameters", "present"];
    expect(
      statesOf(graph)
        .map((s) => s.name)
        .sort(),
    ).toEqual([...states, "scale", "steps"]);
    const written = ["broken", "moment.mean", "moment.square", "norm", "parameters"];
    expect(graph.outputs.map((o) => o.name).sort()).toEqual([...written, "scale", "steps"]);
  });
});

describe("settings out of range are refused by name", () => {
  test.each<[claim: string, make: () => unknown, words: RegExp]>([
    ["a beta of 1", () => adamW({ betas: [0.9, 1] }), /E720.*adamW: betas\[1\] is 1.*but not, 1/s],
    ["a negative decay", () => adam({ decay: -1 }), /E720.*adam: decay is -1.*0 or more/s],
    ["no epsilon", () => adam({ epsilon: 0 }), /E720.*epsilon is 0.*above 0/s],
    ["a momentum that is NaN", () => sgd({ momentum: Number.NaN }), /E720.*momentum is NaN/s],
    ["a norm of 0", () => updateGraph(spec(sgd(), { clip: 0 })), /E720.*clip is 0.*above 0/s],
    [
      "half a step",
      () => accumulateGraph(spec(sgd(), { accumulate: 1.5 })),
      /E720.*accumulate is 1.5.*whole number/s,
    ],
    [
      "a loss scale of 0",
      () =>
        updateGraph(spec(sgd(), { scaling: { initial: 0, growth: 2, backoff: 0.5, interval: 9 } })),
      /E720.*initial is 0/s,
    ],
  ])("%s", (_, make, words) => {
    expect(make).toThrow(words);
  });
});
