/** What a run of the comparison found, as it is kept: JSON, and a CSV with every single time. */

import { needsPeers } from "../measure/comparison.ts";
import { type Measured, twinOf } from "../measure/rounds.ts";
import { medianInterval, medianOf, ratios } from "../measure/statistics.ts";
import type { Machine } from "./machine.ts";

export interface Results {
  readonly machine: Machine;
  readonly comparisons: readonly Compared[];
}

export interface Compared {
  readonly name: string;
  readonly group: string;
  readonly note?: string;
  /** `peers`: ratios above 1 mean that we are faster. `itself`: how much more than bare it takes. */
  readonly against: "peers" | "itself";
  readonly rounds: number;
  /** Cores that the busiest process used while others were measured. */
  readonly idleCores: number;
  /** The same program twice: how far ratios are from 1 when nothing differs. */
  readonly same?: Ratio;
  readonly rows: readonly Ratio[];
  readonly agreements: readonly CheckedAgreement[];
  /** What contestants told of themselves, by name. */
  readonly facts: Readonly<Record<string, string>>;
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/** The paired ratio of two medians' contestants: its median, and an interval that holds the true one. */
export interface Ratio {
  readonly of: string;
  readonly to: string;
  readonly ofMilliseconds: number;
  readonly toMilliseconds: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly coverage: number;
}

export interface CheckedAgreement {
  readonly of: string;
  readonly to: string;
  readonly tolerance: number;
  /** In words where it is no number: JSON has neither infinity nor NaN. */
  readonly difference: number | string;
  readonly agrees: boolean;
}

export function summarise(measured: Measured): Compared {
  const { comparison, times, idleCores, agreed, failures, facts } = measured;
  const first = comparison.contestants[0].name;
  const pairs = comparison.pairs.flatMap((pair) => ratioOf(times, pair.of, pair.to));
  const [same] = ratioOf(times, twinOf(first), first);
  return {
    name: comparison.name,
    group: comparison.group,
    ...(comparison.note === undefined ? {} : { note: comparison.note }),
    against: needsPeers({ ...comparison, checks: [] }) ? "peers" : "itself",
    rounds: Math.max(0, ...Object.values(times).map((t) => t.length)),
    idleCores: rounded(idleCores),
    ...(same ? { same } : {}),
    rows: pairs,
    agreements: agreed.map(({ of, to, tolerance, difference }) => ({
      of,
      to,
      tolerance,
      difference: Number.isFinite(difference) ? Number(difference.toPrecision(2)) : `${difference}`,
      agrees: difference <= tolerance,
    })),
    facts,
    failures,
  };
}

/** None where one of the two gave no times. */
function ratioOf(times: Measured["times"], of: string, to: string): Ratio[] {
  const [a, b] = [times[of], times[to]];
  if (!a || !b || a.length === 0 || a.length !== b.length) return [];
  const { median, low, high, coverage } = medianInterval(ratios(a, b));
  return [
    {
      of,
      to,
      ofMilliseconds: rounded(medianOf(a)),
      toMilliseconds: rounded(medianOf(b)),
      median: rounded(median),
      low: rounded(low),
      high: rounded(high),
      coverage: rounded(coverage),
    },
  ];
}

/** To four digits: no clock here knows more. */
const rounded = (value: number) => Number(value.toPrecision(4));

/** Why the run as a whole fails: results that disagree, or a program of ours that gave none. */
export function faults({ comparisons }: Results): string[] {
  return comparisons.flatMap(({ name, against, same, agreements, failures }) => [
    ...agreements
      .filter((a) => !a.agrees)
      .map(
        (a) =>
          `${name}: ${a.of} and ${a.to} differ by ${a.difference}, and ${a.tolerance} is allowed`,
      ),
    ...failures
      .filter(() => same === undefined || against === "itself")
      .map((f) => `${name}: ${f.name} gave no result: ${f.reason}`),
  ]);
}

/** Every time in milliseconds: a line for each round of a comparison and contestant, behind those of other runs. */
export function timesAsCsv(all: readonly Measured[], before: readonly string[] = []): string {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = all.flatMap(({ comparison, times }) =>
    Object.entries(times).flatMap(([name, values]) =>
      values.map((value, round) =>
        [quoted(comparison.name), quoted(name), round + 1, value.toFixed(3)].join(","),
      ),
    ),
  );
  return `${["comparison,contestant,round,milliseconds", ...before, ...lines].join("\n")}\n`;
}
