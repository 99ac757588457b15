/** What a run on a GPU found: times, and the table that is made of its lines. */
import { describe, expect, test } from "vitest";
import type { Line } from "../../../bench/gpu/lines.ts";
import { asTable, isGood } from "../../../bench/gpu/table.ts";
import { timeRuns } from "../../../bench/gpu/timing.ts";
import { findTorch } from "../../../bench/gpu/torch.ts";

describe("times", () => {
  test("are of many runs, and every run is waited for", async () => {
    let [submitted, waits] = [0, 0];
    const { milliseconds, low, high, runs } = await timeRuns({
      capabilities: { deviceClass: "software" },
      submit: () => {
        submitted++;
      },
      wait: async () => {
        waits++;
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
    });
    expect(waits).toBe(8);
    expect(submitted).toBe(runs + 1);
    expect(low).toBeLessThanOrEqual(milliseconds);
    expect(high).toBeGreaterThanOrEqual(milliseconds);
  });

  test("of PyTorch need a Python that has it", () => {
    expect(findTorch([], process.env)).toBe("there is no python3");
    for (const computes of ["GPU", "processor"] as const)
      expect(findTorch([process.execPath], process.env, computes)).toMatch(/^\S+: /);
  });
});

describe("the table", () => {
  const time = (system: string, how: string, milliseconds: number): Line => ({
    ...{ part: "matmul", type: "time", what: "matmul 4 x 4 x 4", system, how, milliseconds },
    ...{ low: milliseconds, high: milliseconds, runs: 7, teraflops: 1 / milliseconds },
  });
  const lines: readonly Line[] = [
    { part: "device", type: "device", name: "a GPU", kind: "hardware", facts: {} },
    { part: "samples, f32", item: "exp", type: "check", what: "exp", passed: true, found: "equal" },
    {
      ...{ part: "samples, f32", item: "log", type: "check", what: "log", passed: false },
      ...{ found: "off by 1", allowed: "at most 0.1" },
    },
    { part: "matmul", item: "x", type: "failed", what: "x", reason: "no end after 15 s" },
    time("inarch", "f32", 2),
    time("PyTorch", "tf32", 0.5),
    {
      ...{ part: "tuning", type: "tile", what: "matmul | add", tile: "m=64", gain: 1.25 },
      ...{ noise: 0.01, milliseconds: 3, lost: ["m=32: element 0 is 1 instead of 2"] },
    },
    {
      ...{ part: "encoders", type: "kernels", what: "an encoder" },
      kernels: [{ kernel: "matmul_add 4x4", count: 12, milliseconds: 1.5 }],
    },
    { part: "PyTorch, eager", type: "left out", what: "ViT-B", reason: "no PyTorch" },
    { part: "PyTorch, eager", type: "left out", what: "ViT-H", reason: "no PyTorch" },
  ];
  const table = asTable(lines, { seconds: 61.4 }).split("\n");

  test.each([
    "a GPU (hardware); 61 s in all.",
    "| samples, f32 | 1 | **1** | 0 |",
    "| matmul | 0 | 0 | **1** |",
    "- wrong: samples, f32: log: off by 1 (at most 0.1)",
    "- ended: matmul: x: no end after 15 s",
    "| matmul 4 x 4 x 4 | PyTorch | tf32 | 0.5 ms [0.5, 0.5] | 2 |  | 1.00 x |  |",
    "| matmul 4 x 4 x 4 | inarch | f32 | 2 ms [2, 2] | 0.5 |  | 4.00 x |  |",
    "| matmul \\| add | m=64 | 1.25 | 1.0 % | 3 ms | m=32: element 0 is 1 instead of 2 |",
    "| matmul_add 4x4 | 12 | 1.5 ms |",
    "- PyTorch, eager: no PyTorch: ViT-B; ViT-H",
  ])("says %s", (line) => {
    expect(table).toContain(line);
  });

  test("what is wrong and what ended are faults, what is left out is none", () => {
    expect(isGood(lines)).toBe(false);
    const good = lines.filter((l) => l.type !== "failed" && !(l.type === "check" && !l.passed));
    expect(isGood(good)).toBe(true);
  });
});
