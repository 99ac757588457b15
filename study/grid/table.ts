/** What a study found: runs by cell, with means over seeds. */
import { type Interval, intervalOf } from "../metrics/interval.ts";
import type { Validation } from "../train/scores.ts";
import type { Cell } from "./cells.ts";
import { type PublishedScore, publishedOf } from "./published.ts";

/** A run that has ended. */
export interface StudyRun {
  readonly cell: string;
  readonly seed: number;
  /** All that was asked of it, as JSON: a run that is asked for otherwise is another. */
  readonly asked: string;
  /** The best on validation, after so many steps. */
  readonly score: number | null;
  readonly step: number;
  readonly metrics: Validation["metrics"];
  readonly trained: number;
  /** Steps and scores of all validations. */
  readonly curve: readonly (readonly [step: number, score: number | null])[];
}

/** A number that is not defined is null. */
export type KnownInterval = { readonly [Name in keyof Interval]: number | null };

export interface StudyRow {
  readonly cell: string;
  readonly values: Cell["values"];
  readonly method: string;
  /** Parameters that train. */
  readonly trained: number | null;
  readonly seeds: readonly number[];
  /** Of the metric by which the best is chosen. */
  readonly score: KnownInterval;
  readonly metrics: Readonly<Record<string, KnownInterval>>;
  readonly published: readonly PublishedScore[];
  readonly curve: StudyRun["curve"];
}

/** A row for each cell, in the order of the grid; of one without a run numbers are null. */
export function rowsOf(
  cells: readonly Cell[],
  runs: readonly StudyRun[],
  preset: string | undefined,
): StudyRow[] {
  return cells.map(({ name, values, method, settings }) => {
    const own = runs.filter(({ cell }) => cell === name).sort((a, b) => a.seed - b.seed);
    const metrics = [...new Set(own.flatMap((run) => Object.keys(run.metrics)))];
    const interval = (of: (run: StudyRun) => number | null | undefined) =>
      knownInterval(intervalOf(own.map((run) => of(run) ?? undefined)));
    return {
      ...{ cell: name, values, method, trained: own[0]?.trained ?? null },
      seeds: own.map(({ seed }) => seed),
      score: interval(({ score }) => score),
      metrics: Object.fromEntries(
        metrics.map((metric) => [metric, interval((run) => run.metrics[metric])]),
      ),
      published: publishedOf(settings.preset ?? preset, method),
      curve: meanCurve(own),
    };
  });
}

const knownInterval = (interval: Interval): KnownInterval =>
  Object.fromEntries(
    Object.entries(interval).map(([name, value]) => [name, value ?? null]),
  ) as KnownInterval;

/** At the steps that all runs have. */
function meanCurve(runs: readonly StudyRun[]): StudyRun["curve"] {
  const [first] = runs;
  if (!first) return [];
  const curves = runs.map(({ curve }) => new Map(curve));
  return first.curve
    .filter(([step]) => curves.every((curve) => curve.has(step)))
    .map(([step]) => {
      const scores = curves.map((curve) => curve.get(step) ?? undefined);
      return [step, intervalOf(scores).mean ?? null] as const;
    });
}

/** Comma-separated: a row for each cell, with mean, standard error and interval of the score, and means of all metrics. */
export function tableCsv(rows: readonly StudyRow[]): string {
  const axes = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
  const ofScore = ["mean", "error", "low", "high", "of"] as const;
  const cellOf = (value: unknown) => {
    const text = value === undefined || value === null ? "" : wordOf(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (cells: readonly unknown[]) => cells.map(cellOf).join(",");
  return [
    line([...axes, "trained", ...ofScore.map((name) => `score ${name}`), ...metrics]),
    ...rows.map(({ values, trained, score, metrics: own }) =>
      line([
        ...axes.map((name) => values[name]),
        trained,
        ...ofScore.map((name) => score[name]),
        ...metrics.map((name) => own[name]?.mean),
      ]),
    ),
    "",
  ].join("\n");
}

/** A value of the grid as a word. */
export const wordOf = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);
