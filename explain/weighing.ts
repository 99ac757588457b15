/** What bars and colours show: measured times where there are any, else counted work. */
import type { ProgramFacts } from "./facts.ts";
import type { Measured } from "./measure.ts";
import { formatCount, formatTime } from "./quantities.ts";

export interface Weighing {
  /** By step. */
  readonly weights: readonly number[];
  readonly largest: number;
  /** Of a block's sum. */
  readonly largestBlock: number;
  format(weight: number): string;
  /** The class that colours an op: `h0` for the one that weighs most. */
  hueOf(op: string): string;
  /** Ops from the heaviest on, with their part of the whole. */
  readonly ops: readonly { readonly op: string; readonly weight: number }[];
}

/** How many colours the style has; all further ops share the last. */
const hues = 8;

export function weighingOf(facts: ProgramFacts, measured: Measured | undefined): Weighing {
  const { regions, blocks, work } = facts;
  const weights = measured?.steps ?? work.regions.map((r) => r.multiplications);
  const sums = new Map<string, number>();
  for (const { op, step } of regions) sums.set(op, (sums.get(op) ?? 0) + weights[step]!);
  const ops = [...sums].map(([op, weight]) => ({ op, weight })).sort((a, b) => b.weight - a.weight);
  const numbers = new Map(ops.map(({ op }, i) => [op, Math.min(i, hues - 1)]));
  return {
    weights,
    largest: Math.max(...weights),
    largestBlock: Math.max(
      ...blocks.map(({ first, end }) => weights.slice(first, end).reduce((a, b) => a + b, 0)),
    ),
    format: measured ? formatTime : formatCount,
    hueOf: (op) => `h${numbers.get(op) ?? hues - 1}`,
    ops,
  };
}
