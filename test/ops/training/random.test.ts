/** Random numbers: published vectors, moments, independence, and the same bits on every device. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile, compileStages } from "../../../compiler/compile.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input, type Source } from "../../../compiler/graph/sources.ts";
import {
  addWrapping,
  apply,
  bitsOf,
  type ElementOp,
  gradient,
  literal,
  rotateLeft,
  shiftLeft,
  shiftRight,
  type Tensor,
  Value,
  xor,
} from "../../../compiler/op-kit.ts";
import { defaultProfile } from "../../../compiler/profile.ts";
import {
  dropout,
  finite,
  randomBits,
  randomNormal,
  randomUniform,
  streamOf,
} from "../../../ops/index.ts";
import { threefry } from "../../../ops/training/random.ts";
import { type Device, kernelText } from "../../../runtime/devices/device.ts";
import { openDevice } from "../../../runtime/node/device.ts";
import { createSession } from "../../../runtime/session.ts";
import { type Arrays, randomNumbers, runOnReference } from "../../../verify/ops/evaluate.ts";
import { describeOnDevice } from "../../support/device.ts";

/** Threefry-2x32-20 of the Random123 library's table of known answers. */
const vectors = [
  { counter: [0, 0], key: [0, 0], words: [0x6b200159, 0x99ba4efe] },
  {
    counter: [0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    words: [0x1cb996fc, 0xbb002be7],
  },
  {
    counter: [0x243f6a88, 0x85a308d3],
    key: [0x13198a2e, 0x03707344],
    words: [0xc4923a9c, 0x483df7a0],
  },
] as const;

/** The bare hash as an op: counters and keys [n, 2] to words [n, 2]. */
const hashOp: ElementOp<null> = {
  name: "hash",
  kind: "element",
  cost: 100,
  type: ([counter]) => [counter!],
  element: ({ k, inputs: [counter, key], at: [row, word] }) => {
    const pair = (x: typeof counter) =>
      [0, 1].map((i) => x!.at(row!, word!.mul(0).add(i))) as unknown as Parameters<
        typeof threefry
      >[1];
    const [a, b] = threefry(k, pair(counter), pair(key));
    return word!.eq(0).select(a, b);
  },
  tests: { samples: [{ inputs: [], call: () => [], outputs: [] }] },
};

const named = (tensors: Record<string, Tensor>) =>
  graphOf(Object.entries(tensors).map(([name, tensor]) => ({ name, tensor })));

const key = () => input("key", "u32", [2]);

const vectorGraph = () => {
  const shape = [vectors.length, 2];
  const pairs = [input("counter", "u32", shape), input("keys", "u32", shape)];
  return named({ words: apply(hashOp, pairs, null)[0]! });
};
const vectorArrays = {
  counter: vectors.flatMap((v) => [...v.counter]),
  keys: vectors.flatMap((v) => [...v.key]),
};
const vectorWords = vectors.flatMap((v) => [...v.words]);

const some = () => {
  const k = key();
  const x = input("x", "f32", [3, 37]);
  return named({
    bits: randomBits(k, streamOf("gate"), [3, 37]),
    uniform: randomUniform(k, streamOf("gate"), [3, 37]),
    // Twice a number is exact, whatever the precision before rounding.
    dropped: dropout(x, 0.5, { key: k, stream: streamOf("gate") }),
    isFinite: finite(x),
    normal: randomNormal(k, streamOf("noise"), [1000]),
  });
};

const someArrays: Arrays = {
  key: [42686693, 4000000000],
  x: [Number.NaN, Infinity, -Infinity, ...randomNumbers(108, 1)],
};

const mean = (x: readonly number[]) => x.reduce((a, b) => a + b, 0) / x.length;
const moment = (x: readonly number[], power: number) => mean(x.map((v) => v ** power));
const correlation = (x: readonly number[], y: readonly number[]) => {
  const [mx, my] = [mean(x), mean(y)];
  const [dx, dy] = [x.map((v) => v - mx), y.map((v) => v - my)];
  return mean(dx.map((v, i) => v * dy[i]!)) / Math.sqrt(moment(dx, 2) * moment(dy, 2));
};

describe("threefry", () => {
  test("gives the published words", async () => {
    const { words } = await runOnReference(vectorGraph(), vectorArrays);
    expect(words).toEqual(vectorWords);
  });

  test("a stream is the FNV-1a hash of its name", () => {
    expect(["", "a", "foobar"].map(streamOf)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
  });
});

describe("random numbers", () => {
  const count = 4096;
  const draws = async (seed: number, step: number, stream: string) => {
    const k = key();
    const graph = named({
      uniform: randomUniform(k, streamOf(stream), [count]),
      normal: randomNormal(k, streamOf(stream), [count]),
    });
    return runOnReference(graph, { key: [seed, step] });
  };

  test("have the moments of their distributions, to five standard errors", async () => {
    const { uniform, normal } = await draws(1, 2, "a");
    const off = (x: number[] | undefined, power: number, value: number, variance: number) =>
      Math.abs(moment(x!, power) - value) / Math.sqrt(variance / count);
    expect(Math.min(...uniform!)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform!)).toBeLessThan(1);
    expect(off(uniform, 1, 1 / 2, 1 / 12)).toBeLessThan(5);
    expect(off(uniform, 2, 1 / 3, 4 / 45)).toBeLessThan(5);
    expect(off(normal, 1, 0, 1)).toBeLessThan(5);
    expect(off(normal, 2, 1, 2)).toBeLessThan(5);
    expect(off(normal, 3, 0, 15)).toBeLessThan(5);
    expect(off(normal, 4, 3, 96)).toBeLessThan(5);
  });

  test("of neighbouring seeds, steps, streams and places are not correlated", async () => {
    const { uniform: one } = await draws(1, 2, "a");
    const others = await Promise.all([draws(2, 2, "a"), draws(1, 3, "a"), draws(1, 2, "b")]);
    const series = [...others.map((o) => o.uniform!), [...one!.slice(1), one![0]!]];
    for (const other of series)
      expect(Math.abs(correlation(one!, other))).toBeLessThan(5 / Math.sqrt(count));
  });

  test("do not depend on the shape: the place in row-major order counts", async () => {
    const k = key();
    const graph = named({
      flat: randomBits(k, 5, [24]),
      deep: randomBits(k, 5, [2, 3, 4]),
    });
    const { flat, deep } = await runOnReference(graph, someArrays);
    expect(deep).toEqual(flat);
  });

  test("of parts, one after another, are those of the whole", async () => {
    const draw = (key: Tensor, rows: number) => ({
      uniform: randomUniform(key, 9, [rows, 3]),
      normal: randomNormal(key, 9, [rows, 3]),
      dropped: dropout(input("x", "f32", [rows, 3]), 0.5, { key, stream: 9 }),
    });
    const drawn = async (parts: number, part: number) => {
      const rows = 6 / parts;
      const made = draw(input("key", "u32", [parts === 1 ? 2 : 3]), rows);
      const outputs = Object.entries(made).map(([name, tensor]) => ({ name, tensor }));
      const key = parts === 1 ? [5, 7] : [5, 7, part];
      const x = new Array<number>(rows * 3).fill(1);
      return runOnReference(graphOf(outputs), { key, x });
    };
    const whole = await drawn(1, 0);
    for (const parts of [2, 3]) {
      const each = await Promise.all(Array.from({ length: parts }, (_, i) => drawn(parts, i)));
      for (const name of ["uniform", "normal", "dropped"])
        expect(each.flatMap((one) => [...one[name]!])).toEqual([...whole[name]!]);
    }
  });

  test("a key of another type is refused", () => {
    for (const wrong of [input("k", "i32", [2]), input("k", "u32", [4])])
      expect(() => randomUniform(wrong, 0, [4])).toThrow(/E101.*u32\[2\]/s);
  });
});

describe("dropout", () => {
  const count = 4096;
  const [x, g] = [input("x", "f32", [count]), input("g", "f32", [count])];
  const rate = 0.1;
  const y = dropout(x, rate, { key: key(), stream: streamOf("dropout") });
  const [dx] = gradient([y], [g], [x]);
  const ones = new Array<number>(count).fill(1);

  test("drops at its rate, keeps the mean, and drops the same from the gradient", async () => {
    const graph = named({ y, dx: dx! });
    const results = await runOnReference(graph, { key: [3, 4], x: ones, g: ones });
    const dropped = results.y!.filter((v) => v === 0).length;
    const deviation = Math.sqrt(count * rate * (1 - rate));
    expect(Math.abs(dropped - count * rate)).toBeLessThan(5 * deviation);
    expect(new Set(results.y)).toEqual(new Set([0, Math.fround(1 / (1 - rate))]));
    expect(results.dx).toEqual(results.y);
  });

  test("keeps no mask for its gradient", () => {
    const { regions } = compileStages(named({ y, dx: dx! })).fusion;
    expect(regions.map((r) => r.reads.map((t) => (t.node.attrs as Source).name).sort())).toEqual([
      ["key", "x"],
      ["g", "key"],
    ]);
  });

  test("a rate of 1 is refused", () => {
    expect(() => dropout(x, 1, { key: key(), stream: 0 })).toThrow(/E101.*the rate is 1/s);
  });
});

describe("arithmetic on bits", () => {
  const lit = (v: number) => literal(v, "u32");

  test("of literals folds as a device computes", () => {
    const folded = [
      addWrapping(lit(0xffffffff), 2),
      xor(lit(0xf0f0f0f0), 0xffffffff),
      shiftLeft(lit(0x80000001), 4),
      shiftRight(lit(0x80000001), 4),
      rotateLeft(lit(0x80000001), 4),
      bitsOf(literal(-2, "f32")),
    ].map(({ expr }) => expr.kind === "lit" && expr.value);
    expect(folded).toEqual([1, 0x0f0f0f0f, 0x10, 0x08000000, 0x18, 0xc0000000]);
  });

  test("is never taken for an index of known size", () => {
    const x = new Value({ kind: "ref", type: "u32", name: "x", mutable: false }, 3);
    for (const v of [addWrapping(x, 1), xor(x, 1), shiftLeft(x, 1), shiftRight(x, 1)])
      expect([v.bound, v.divisor, v.sum]).toEqual([Infinity, 1, undefined]);
    expect(addWrapping(x, 4).mod(4).expr.kind).toBe("call");
  });

  test("nvcc accepts it, where there is one", () => {
    const { kernels } = compile(some(), { target: "cuda" });
    const text = kernels.map((k, i) => kernelText(k).replace(` ${k.entry}(`, ` k${i}_${k.entry}(`));
    expect(text.join("\n")).toContain("__float_as_uint(");
    if (spawnSync("nvcc", ["--version"]).status !== 0) {
      console.warn("nvcc is missing: the CUDA text of random numbers is not compiled");
      return;
    }
    const folder = mkdtempSync(join(tmpdir(), "inarch-random-"));
    writeFileSync(join(folder, "k.cu"), text.join("\n"));
    execFileSync("nvcc", ["-arch=sm_90", "-cubin", "-o", join(folder, "k"), join(folder, "k.cu")], {
      stdio: "pipe",
    });
    rmSync(folder, { recursive: true });
  });
});

describeOnDevice("random numbers on a device", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device?.destroy());

  const run = async (graph: ReturnType<typeof some>, arrays: Arrays) => {
    const session = await createSession(compile(graph, { profile: defaultProfile }), device);
    const results = await session.run(
      Object.fromEntries(Object.entries(arrays).map(([name, v]) => [name, [...v]])),
    );
    session.close();
    return Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
  };

  test("the published words, and bits and fractions equal to the reference device's", async () => {
    expect(await run(vectorGraph(), vectorArrays)).toEqual({ words: vectorWords });
    const [got, wanted] = [await run(some(), someArrays), await runOnReference(some(), someArrays)];
    expect(got.bits).toEqual(wanted.bits);
    expect(got.uniform).toEqual(wanted.uniform);
    expect(got.dropped).toEqual(wanted.dropped);
    expect(got.isFinite).toEqual([0, 0, 0, ...new Array(108).fill(1)]);
    for (const [i, v] of wanted.normal!.entries())
      expect(Math.abs(got.normal![i]! - v), `element ${i}`).toBeLessThan(1e-5);
  });
});
