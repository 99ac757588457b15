/** What a run on a GPU writes, a line of JSON each, as soon as it is known. */
import type { KernelTime } from "../report/kernels.ts";

/** What a part finds. Its process prints these. */
export type Finding =
  /** The device, its driver and what it offers. */
  | {
      readonly type: "device";
      readonly name: string;
      readonly kind: "hardware" | "software";
      readonly facts: Readonly<Record<string, unknown>>;
    }
  /** A comparison: whether it holds, by how much, and what is wrong where it does not. */
  | {
      readonly type: "check";
      readonly what: string;
      readonly passed: boolean;
      readonly found: string;
      readonly allowed?: string;
    }
  | ({ readonly type: "time" } & Time)
  /** Where the time of a program goes: the GPU's own clock, the longest first. */
  | { readonly type: "kernels"; readonly what: string; readonly kernels: readonly KernelTime[] }
  /** The fastest tile of a kernel. */
  | {
      readonly type: "tile";
      readonly what: string;
      readonly tile: string;
      readonly gain: number;
      readonly noise: number;
      readonly milliseconds: number;
      readonly lost: readonly string[];
    }
  /** A word on what was found. */
  | { readonly type: "note"; readonly text: string }
  /** What is not done here, and why. */
  | { readonly type: "left out"; readonly what: string; readonly reason: string };

export interface Time {
  /** The problem: equal words stand in one row of the table. */
  readonly what: string;
  /** "inarch", "PyTorch eager", "PyTorch compiled". */
  readonly system: string;
  /** How it computes: "f32", "f16 stored", "bf16". */
  readonly how: string;
  /** The median of several measurements, each of many runs one after another. */
  readonly milliseconds: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** 10^12 additions and multiplications a second, where they can be counted. */
  readonly teraflops?: number;
  /** Milliseconds from inputs on the host to results on the host. */
  readonly latency?: number;
  readonly note?: string;
}

/** What the process that watches a part adds. */
export type Verdict =
  | { readonly type: "failed"; readonly what: string; readonly reason: string }
  | { readonly type: "left out"; readonly what: string; readonly reason: string }
  | { readonly type: "done"; readonly seconds: number };

/** What a part's process prints between its findings: what it will do, and where it is. */
export type Signal =
  | { readonly type: "items"; readonly names: readonly string[] }
  | { readonly type: "begin"; readonly item: string }
  | { readonly type: "end"; readonly item: string };

export type Line = { readonly part: string; readonly item?: string | undefined } & (
  | Finding
  | Verdict
);
