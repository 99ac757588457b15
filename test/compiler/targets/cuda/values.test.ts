/**
 * Printed CUDA on a processor, compiled by g++: every op's samples and every kernel of a training step have
 * the values of the reference, in whatever order the threads run, and a barrier that is left out is missed.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Case } from "../../../../bench/cuda/cases.ts";
import { caseOf } from "../../../../bench/cuda/plans.ts";
import { sampleCases } from "../../../../bench/cuda/samples.ts";
import { stepCases } from "../../../../bench/cuda/steps.ts";
import { smallTimings, timedCase } from "../../../../bench/cuda/timings.ts";
import { compile, graphOf, input, type Tensor } from "../../../../compiler/index.ts";
import { Builder } from "../../../../compiler/kernel/builder.ts";
import type { Buffer, Kernel } from "../../../../compiler/kernel/ir.ts";
import { defaultProfile } from "../../../../compiler/profile.ts";
import { targetNamed, usualProfile } from "../../../../compiler/targets/find.ts";
import { PlanKernels } from "../../../../compiler/targets/plan-kernels.ts";
import { neg } from "../../../../ops/index.ts";
import { kernelText } from "../../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../../runtime/devices/reference.ts";
import { runKernel } from "../../../support/one-kernel.ts";
import { type Outcome, runPrinted } from "../../../support/printed-cuda.ts";

const profile = usualProfile(targetNamed("cuda"));
const tolerance = 1e-6;

describe("every op's samples", () => {
  let cases: readonly Case[];
  let outcome: Outcome;
  beforeAll(async () => {
    cases = await sampleCases([
      { name: "fused", tolerance },
      { name: "unfused, for any device", policy: "unfused", profile: defaultProfile, tolerance },
    ]);
    outcome = await runPrinted(cases, { units: 2, flags: ["--barriers"] });
  });

  test("have the oracles' values", () => {
    expect(outcome.faults).toEqual({});
    expect(outcome.passed).toBe(cases.length);
  });

  test("show that a barrier is missing, where the numbers of a sample depend on it", () => {
    expect(outcome.barriers).toBeGreaterThan(600);
    // The others keep padding apart, or what cannot be the largest of a line.
    expect(outcome.unmissed / outcome.barriers).toBeLessThan(0.07);
  });
});

describe("every kernel of a training step", () => {
  let cases: readonly Case[];
  let outcome: Outcome;
  beforeAll(async () => {
    cases = await stepCases(profile, 1e-5);
    outcome = await runPrinted(cases, { units: 2, flags: ["--barriers"] });
  });

  test("gives what the reference device gives", () => {
    expect(outcome.faults).toEqual({});
    expect(outcome.passed).toBe(cases.length);
  });

  test("misses every one of its barriers", () => {
    expect(outcome.barriers).toBeGreaterThan(150);
    expect(outcome.unmissed).toBe(0);
  });
});

test("what is timed has the values that the processor device computes", async () => {
  const cases: Case[] = [];
  for (const timing of smallTimings) cases.push(await timedCase(timing));
  const { faults, timed } = await runPrinted(cases, { units: 1, flags: ["--seconds", "0.01"] });
  expect(faults).toEqual({});
  expect(timed).toHaveLength(cases.length);
});

/** A printed kernel of four floats, with other statements: two threads write y. */
function written(name: string, statements: string): Case {
  const tensor = neg(input("x", "f32", [4])) as Tensor;
  const plan = compile(graphOf([{ name: "y", tensor }]), { target: "cuda" });
  const [kernel] = plan.kernels;
  const text = kernelText(kernel!);
  const head = text.slice(0, text.indexOf("{"));
  const source = `${head}{ float* y = neg; ${statements} }`;
  return {
    ...caseOf({ name, plan, given: { x: [0, 0, 0, 0] }, wanted: { y: [1, 2] }, tolerance: 1e-6 }),
    kernels: [{ ...kernel!, source, threads: [2, 1, 1] }],
  };
}

test("the script tells what is wrong with a kernel", async () => {
  const { faults, passed } = await runPrinted(
    [
      written("right", "y[threadIdx.x] = threadIdx.x + 1.0f;"),
      written("wrong", "y[threadIdx.x] = threadIdx.x + 1.1f;"),
      written("nan", "y[threadIdx.x] = __uint_as_float(0x7fc00000u);"),
      written("outside", "y[threadIdx.x] = threadIdx.x + 1.0f; y[4] = 0.0f;"),
      written("before", "y[threadIdx.x] = threadIdx.x + 1.0f; y[-1] = 0.0f;"),
      written("divergent", "if (threadIdx.x == 0u) __syncthreads();"),
      written("alone", "if (threadIdx.x == 0u) y[0] = __shfl_sync(3u, 1.0f, 1u);"),
      written("racing", "y[0] = threadIdx.x + 0.0f; y[1] = 2.0f;"),
    ],
    { units: 1 },
  );
  expect(passed).toBe(1);
  expect(faults).toEqual({
    wrong: expect.stringMatching(/^y, element 0: 1.1\d* instead of 1, and 2.0e-06 is allowed/),
    nan: expect.stringMatching(/^y, element 0: nan instead of 1/),
    outside: expect.stringMatching(/^something was written before or after a buffer/),
    before: expect.stringMatching(/^something was written before or after a buffer/),
    divergent: expect.stringMatching(/not all threads of a block reach a barrier/),
    alone: expect.stringMatching(/a warp exchanges values, and a thread of it is elsewhere/),
    racing: expect.stringMatching(/^y, element 0: 0 instead of 1.*order 1/),
  });
});

test("where texts cannot be compiled the script says so", async () => {
  const { faults } = await runPrinted([written("broken", "y[0] = nothing;")], { units: 1 });
  expect(faults).toEqual({ "cases-00": "it does not compile" });
});

/** The quotients and remainders of two lists of numbers. */
function division(type: "u32" | "i32", size: number): Kernel {
  const k = new Builder();
  const [x, y] = ["x", "y"].map((name) => k.param(name, type, size, "read")) as [Buffer, Buffer];
  const [q, r] = ["q", "r"].map((name) => k.param(name, type, size, "write")) as [Buffer, Buffer];
  const i = k.let("i", k.group(0).mul(32).add(k.thread(0, 32)));
  k.if(i.lt(size), () => {
    const [a, b] = [k.let("a", k.load(x, i)), k.let("b", k.load(y, i))];
    k.store(q, i, a.div(b));
    k.store(r, i, a.mod(b));
  });
  return k.finish("division", [32, 1, 1], [Math.ceil(size / 32), 1, 1]);
}

test.each(["u32", "i32"] as const)("%s divided by 0 and -1 is what IR says", async (type) => {
  const ends = [0, 1, 7, 2147483647, -2147483648, -1, -7];
  const pairs = ends.flatMap((a) => ends.map((b) => [a, b] as const));
  const Numbers = { u32: Uint32Array, i32: Int32Array }[type];
  const numbers = (i: 0 | 1) => new Numbers(pairs.map((pair) => pair[i]));
  const kernel = division(type, pairs.length);
  const given = { x: numbers(0), y: numbers(1) };
  const { q, r } = await runKernel(referenceDevice(), kernel, given);
  const kernels = new PlanKernels(targetNamed("cuda"));
  kernels.add(kernel, ["input", "input", "output", "output"]);
  const bytes = 4 * pairs.length;
  const place = (buffer: number) => ({ buffer, offset: 0, bytes });
  const bindings = [0, 1, 2, 3].map(place);
  const one: Case = {
    ...{ name: type, kernels: kernels.all, commits: [] },
    steps: [{ kernel: 0, groups: kernel.groups, bindings, label: "division" }],
    buffers: [given.x, given.y, undefined, undefined].map((held) => ({
      bytes,
      ...(held ? { holds: new Uint8Array(held.buffer) } : {}),
    })),
    outputs: [q!, r!].map((numbers, i) => ({
      ...{ name: "qr"[i]!, place: place(2 + i), tolerance: 0 },
      wanted: Int32Array.from(numbers, (v) => v | 0),
    })),
  };
  expect(await runPrinted([one], { units: 1 })).toMatchObject({ faults: {}, passed: 1 });
});
