/** The comparison with peers: its statistics, its reports, and a small comparison of ours with ours. */
import { describe, expect, test } from "vitest";
import type { Comparison, Contestant } from "../../bench/measure/comparison.ts";
import { openHere } from "../../bench/measure/local.ts";
import { type Place, placesAsked } from "../../bench/measure/place.ts";
import { largestDifference, type Measured, measure, twinOf } from "../../bench/measure/rounds.ts";
import { medianInterval, medianOf, ratios } from "../../bench/measure/statistics.ts";
import { comparisons } from "../../bench/problems/index.ts";
import { product } from "../../bench/problems/matmul.ts";
import type { Machine } from "../../bench/report/machine.ts";
import { asSvg } from "../../bench/report/picture.ts";
import { faults, type Results, summarise, timesAsCsv } from "../../bench/report/results.ts";
import { asMarkdown } from "../../bench/report/table.ts";
import { encodeFile, list } from "../../bench/systems/onnx-file.ts";
import { decodeModel } from "../support/onnx-file.ts";

const oneTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("medians", () => {
  test("of odd and even counts, in any order", () => {
    expect(medianOf([3, 1, 2])).toBe(2);
    expect(medianOf([4, 1, 3, 2])).toBe(2.5);
  });

  // Ranks and coverages of the binomial distribution, as in tables of the sign test.
  test.each([
    { n: 41, low: 14, high: 28, coverage: 0.9725 },
    { n: 20, low: 6, high: 15, coverage: 0.9586 },
    { n: 6, low: 1, high: 6, coverage: 0.96875 },
    { n: 5, low: 1, high: 5, coverage: 0.9375 },
    { n: 1, low: 1, high: 1, coverage: 0 },
  ])("of $n values lie between the $low. and the $high.", ({ n, low, high, coverage }) => {
    const found = medianInterval(oneTo(n).reverse());
    expect([found.low, found.high]).toEqual([low, high]);
    expect(found.coverage).toBeCloseTo(coverage, 4);
  });

  test("ratios are taken pair by pair", () => {
    expect(ratios([2, 9], [1, 3])).toEqual([2, 3]);
  });

  test("a NaN anywhere is a difference", () => {
    expect(largestDifference(Float32Array.of(1, 2), Float32Array.of(1, 2.5))).toBe(0.5);
    expect(largestDifference(Float32Array.of(NaN, 2), Float32Array.of(NaN, 2))).toBeNaN();
    expect(largestDifference(Float32Array.of(1), Float32Array.of(1, 2))).toBe(Infinity);
  });
});

/** A contestant that returns one number. */
const returning = (name: string, value: number): Contestant => ({
  name,
  process: "here",
  open: async () => ({ run: async () => Float32Array.of(value), close: () => {} }),
});

const failing: Contestant = {
  name: "broken",
  process: "here",
  open: async () => {
    throw new TypeError("no such device");
  },
};

const against = (first: Contestant, ...others: readonly Contestant[]): Comparison => ({
  name: "numbers",
  group: "matmul",
  contestants: [first, ...others],
  pairs: others.map(({ name }) => ({ of: name, to: first.name })),
  agreements: others.map(({ name }) => ({ of: name, to: first.name, tolerance: 0.1 })),
});

const options = {
  open: (_: Comparison, contestant: Contestant) => openHere(contestant),
  progress: { note: () => {}, report: () => {} },
  pairs: 3,
};

describe("rounds", () => {
  test("time every contestant in each, the first of them twice", async () => {
    const { times } = await measure(against(returning("a", 1), returning("b", 1.05)), options);
    expect(Object.keys(times)).toEqual(["a", "b", twinOf("a")]);
    expect(Object.values(times).map((t) => t.length)).toEqual([3, 3, 3]);
  });

  test("go on without a contestant that fails, and say why", async () => {
    const measured = await measure(against(returning("a", 1), failing), options);
    expect(measured.failures).toEqual([{ name: "broken", reason: "no such device" }]);
    const compared = summarise(measured);
    expect([compared.rows, compared.same?.of]).toEqual([[], "a, again"]);
    expect(faults({ machine, comparisons: [compared] })).toEqual([]);
  });

  test("results that disagree fail the run", async () => {
    const measured = await measure(against(returning("a", 1), returning("b", 1.5)), options);
    expect(faults({ machine, comparisons: [summarise(measured)] })).toEqual([
      "numbers: b and a differ by 0.5, and 0.1 is allowed",
    ]);
  });

  test("what is ours and gives no result fails the run", async () => {
    const measured = await measure(against(failing, returning("b", 1)), options);
    expect(faults({ machine, comparisons: [summarise(measured)] })).toEqual([
      "numbers: broken gave no result: no such device",
      "numbers: broken, again gave no result: no such device",
    ]);
  });

  test("compare a program of ours with itself on a device", async () => {
    const { contestants, ...rest } = product(8, 12, 16, { kind: "cpu", threads: 2 });
    const [first] = contestants;
    const other = { ...first, name: "the same" };
    const pairs = [{ of: other.name, to: first.name }];
    const agreements = [{ ...pairs[0]!, tolerance: 0 }];
    const comparison: Comparison = { ...rest, contestants: [first, other], pairs, agreements };
    const compared = summarise(await measure(comparison, options));
    expect(compared.failures).toEqual([]);
    expect(compared.agreements).toMatchObject([{ difference: 0, agrees: true }]);
    expect(compared.rows[0]!.median).toBeGreaterThan(0);
    expect(compared.facts).toMatchObject({ inarch: "dispatches: 1" });
  });
});

const machine: Machine = {
  date: "2026-11-21",
  command: "npm run bench",
  processor: "A processor",
  cores: 2,
  memory: "8 GiB",
  system: "Linux 6",
  device: "a <software> device",
  versions: { inarch: "0.1.0" },
};

/** As `measure` returns it: ours takes 2 ms, one peer twice as long, the other half as long. */
const measured: Measured = {
  comparison: against(returning("inarch", 1), returning("slow", 1), returning("quick", 1)),
  times: {
    inarch: [2, 2, 2, 2, 2, 2],
    slow: [4, 4, 4, 4, 4, 4.2],
    quick: [1, 1, 1, 1, 1, 1.1],
    "inarch, again": [2, 2.02, 1.98, 2, 2, 2],
  },
  idleCores: 0,
  agreed: [{ of: "slow", to: "inarch", tolerance: 0.1, difference: 0.00123 }],
  failures: [],
  facts: { inarch: "dispatches: 1" },
};
const results: Results = { machine, comparisons: [{ ...summarise(measured), against: "peers" }] };

describe("reports", () => {
  test("the table shows losses as plainly as wins", () => {
    const lines = asMarkdown(results).split("\n");
    expect(lines).toContain(
      "| numbers | 2.0 ms | slow | 4.0 ms | 2.00 [2.00, 2.10] | 1.00 [0.99, 1.01] | faster | 0.0012 |",
    );
    expect(lines).toContain(
      "| numbers | 2.0 ms | quick | 1.0 ms | 0.50 [0.50, 0.55] | 1.00 [0.99, 1.01] | **slower** |  |",
    );
    expect(lines).toContain("- numbers: 6 rounds.");
    expect(lines).toContain("  - inarch (dispatches: 1)");
  });

  test("the picture has a bar for every ratio, and its words are escaped", () => {
    const picture = asSvg(results);
    expect(picture.match(/<rect x=/g)).toHaveLength(2);
    expect(picture).toContain("2.00 (4.0 ms)");
    expect(picture).toContain("a &#60;software&#62; device");
    expect(picture).not.toContain("NaN");
  });

  test("every time is kept", () => {
    const lines = timesAsCsv([measured]).trimEnd().split("\n");
    expect(lines).toHaveLength(1 + 24);
    expect(lines[1]).toBe('"numbers","inarch",1,2.000');
  });

  test("survive being stored", () => {
    const stored = JSON.parse(JSON.stringify(results)) as Results;
    expect(asMarkdown(stored)).toBe(asMarkdown(results));
  });
});

describe("the comparisons", () => {
  const places: readonly Place[][] = [
    [{ kind: "webgpu" }],
    [
      { kind: "cpu", threads: 1 },
      { kind: "cpu", threads: 2 },
    ],
  ];
  test.each(places)("have names of their own, and pairs of what they have: %o", (...on) => {
    const all = comparisons(on);
    expect(new Set(all.map((c) => c.name)).size).toBe(all.length);
    for (const { contestants, checks = [], pairs, agreements } of all) {
      const names = [...contestants, ...checks].map((c) => c.name);
      expect(new Set(names).size).toBe(names.length);
      for (const { of, to } of [...pairs, ...agreements])
        expect(names).toEqual(expect.arrayContaining([of, to]));
    }
  });

  test("put a training step on a processor beside ONNX Runtime and PyTorch, on as many threads", () => {
    const stepsOn = (place: Place) => comparisons([place]).filter((c) => c.group === "step");
    expect(stepsOn({ kind: "webgpu" })).toHaveLength(1);
    const [, beside] = stepsOn({ kind: "native", threads: 2 });
    expect(beside!.pairs).toEqual([
      { of: "ONNX Runtime CPU, bare forward pass", to: "training step" },
      { of: "PyTorch, step as published", to: "training step" },
    ]);
  });

  test("are made on the kind of device and the threads that are asked for", () => {
    expect(placesAsked({ INARCH_DEVICE: "webgpu", INARCH_BENCH_THREADS: "2" })).toEqual([
      { kind: "webgpu" },
    ]);
    expect(placesAsked({ INARCH_DEVICE: "cpu", INARCH_BENCH_THREADS: "1,7" })).toEqual([
      { kind: "cpu", threads: 1 },
      { kind: "cpu", threads: 7 },
    ]);
  });

  test("give ONNX Runtime files that read as they were meant", () => {
    const file = encodeFile({
      nodes: [
        { op: "Reshape", inputs: ["x", "shape"], outputs: ["a"] },
        { op: "Softmax", inputs: ["a"], outputs: ["y"], attributes: { axis: -1 } },
      ],
      constants: { shape: list(300, 2) },
      inputs: { x: [600] },
      outputs: { y: [300, 2] },
    });
    const { graph } = decodeModel(file);
    expect(graph.node).toMatchObject([
      { opType: "Reshape", input: ["x", "shape"], output: ["a"] },
      { opType: "Softmax", attribute: [{ name: "axis", i: -1, type: 2 }] },
    ]);
    expect(graph.initializer).toMatchObject([{ name: "shape", dims: [2], dataType: 7 }]);
    const dims = graph.output[0]!.type.tensorType.shape.dim.map((d) => d.dimValue);
    expect(dims).toEqual([300, 2]);
  });
});
