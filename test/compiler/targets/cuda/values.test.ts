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
import { defaultProfile } from "../../../../compiler/profile.ts";
import { targetNamed, usualProfile } from "../../../../compiler/targets/find.ts";
import { neg } from "../../../../ops/index.ts";
import { kernelText } from "../../../../runtime/devices/device.ts";
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
