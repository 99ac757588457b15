/**
 * Measures a comparison in rounds. In each round every contestant runs once, in random order, so that
 * what disturbs the machine disturbs all alike; only one works at a time. Ratios are taken within
 * rounds.
 */
import type { ProgressDisplay } from "../../runtime/node/progress.ts";
import type { Agreement, Comparison, Contestant } from "./comparison.ts";

/** A contestant, opened somewhere. */
export interface Handle {
  /** Runs once. */
  run(): Promise<Timing>;
  /** What the last run returned. */
  result(): Promise<Float32Array>;
  /** As the runner tells. */
  readonly facts?: string | undefined;
  close(): Promise<void>;
}

export interface Timing {
  readonly milliseconds: number;
  /** Since its process's last run: milliseconds that passed, and those of a core that it used. */
  readonly idle: { readonly elapsed: number; readonly used: number };
}

/** Opens the contestant of this name of a comparison. */
export type Opener = (comparison: Comparison, contestant: Contestant) => Promise<Handle>;

export interface Measured {
  readonly comparison: Comparison;
  /** Milliseconds by contestant, one for each round; the twin's under `twinOf(first)`. */
  readonly times: Readonly<Record<string, readonly number[]>>;
  /** Cores that the busiest process used while others were measured: ought to be near zero. */
  readonly idleCores: number;
  readonly agreed: readonly Agreed[];
  /** Contestants that gave no result, with the reason. */
  readonly failures: readonly Failure[];
  /** What contestants tell of themselves, by name. */
  readonly facts: Readonly<Record<string, string>>;
}

export interface Agreed extends Agreement {
  /** The largest difference of two elements; not finite where there is something else than numbers. */
  readonly difference: number;
}

export interface Failure {
  readonly name: string;
  readonly reason: string;
}

export interface MeasureOptions {
  readonly open: Opener;
  /** Rounds, unless a run takes too long; the rule unless given. */
  readonly pairs?: number;
  readonly progress: Pick<ProgressDisplay, "note" | "report">;
  readonly seed?: number;
}

const usualPairs = 41;
const fewPairs = 5;
/** Milliseconds from which on a run is so long that few must do. */
const long = 10_000;
/** Milliseconds between runs, unless a comparison says how many. */
const usualPause = 10;

export const twinOf = (name: string): string => `${name}, again`;

/** Never throws for a contestant that fails: the others are measured without it. */
export async function measure(comparison: Comparison, options: MeasureOptions): Promise<Measured> {
  const { open, progress, seed = 1 } = options;
  const { pause = usualPause } = comparison;
  const onProgress = (words: string) => progress.note(`  ${words}`);
  const failures: Failure[] = [];
  const field = await openAll(comparison, open, failures, onProgress);
  const facts = Object.fromEntries(
    [...field].flatMap(([name, handle]) => (handle.facts ? [[name, handle.facts]] : [])),
  );
  try {
    const results = new Map<string, Float32Array>();
    const slowest = await warmUp(field, results, failures, onProgress);
    await runChecks(comparison, open, results, failures, onProgress);
    const agreed = comparison.agreements.flatMap((a) => agreement(a, results));
    const rounds = options.pairs ?? (slowest > long ? fewPairs : usualPairs);
    const times = new Map([...field.keys()].map((name) => [name, [] as number[]]));
    const random = generator(seed);
    const idle = new Map<string, Timing["idle"][]>();
    for (let round = 0; round < rounds; round++) {
      for (const name of shuffled([...field.keys()], random)) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        const timing = await attempt(name, failures, () => field.get(name)!.run());
        if (!timing) {
          field.delete(name);
          times.delete(name);
          continue;
        }
        times.get(name)!.push(timing.milliseconds);
        idle.set(name, [...(idle.get(name) ?? []), timing.idle]);
      }
      progress.report(round + 1, rounds, "rounds");
    }
    const idleCores = Math.max(0, ...[...idle.values()].map(coresOf));
    return { comparison, times: Object.fromEntries(times), idleCores, agreed, failures, facts };
  } finally {
    for (const handle of field.values()) await handle.close();
  }
}

function coresOf(idle: readonly Timing["idle"][]): number {
  const sum = (of: (t: Timing["idle"]) => number) => idle.reduce((a, t) => a + of(t), 0);
  return (
    sum((t) => t.used) /
    Math.max(
      1,
      sum((t) => t.elapsed),
    )
  );
}

type Field = Map<string, Handle>;

async function openAll(
  comparison: Comparison,
  open: Opener,
  failures: Failure[],
  onProgress: (words: string) => void,
): Promise<Field> {
  const [first] = comparison.contestants;
  const field: Field = new Map();
  for (const [name, contestant] of [
    ...comparison.contestants.map((c) => [c.name, c] as const),
    [twinOf(first.name), first] as const,
  ]) {
    onProgress(`opening ${name}`);
    const handle = await attempt(name, failures, () => open(comparison, contestant));
    if (handle) field.set(name, handle);
  }
  return field;
}

/** Two runs each, the second of which tells how long one takes. */
async function warmUp(
  field: Field,
  results: Map<string, Float32Array>,
  failures: Failure[],
  onProgress: (words: string) => void,
): Promise<number> {
  let slowest = 0;
  for (const [name, handle] of [...field]) {
    onProgress(`warming up ${name}`);
    const timing = await attempt(name, failures, async () => {
      const first = await handle.run();
      results.set(name, await handle.result());
      return first.milliseconds > 2 * long ? first : await handle.run();
    });
    if (timing) slowest = Math.max(slowest, timing.milliseconds);
    else field.delete(name);
  }
  return slowest;
}

async function runChecks(
  comparison: Comparison,
  open: Opener,
  results: Map<string, Float32Array>,
  failures: Failure[],
  onProgress: (words: string) => void,
): Promise<void> {
  for (const contestant of comparison.checks ?? []) {
    onProgress(`checking against ${contestant.name}`);
    await attempt(contestant.name, failures, async () => {
      const handle = await open(comparison, contestant);
      await handle.run();
      results.set(contestant.name, await handle.result());
      await handle.close();
    });
  }
}

async function attempt<T>(
  name: string,
  failures: Failure[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    failures.push({ name, reason: reason.split("\n")[0]! });
    return undefined;
  }
}

function agreement(asked: Agreement, results: ReadonlyMap<string, Float32Array>): Agreed[] {
  const [a, b] = [results.get(asked.of), results.get(asked.to)];
  return a && b ? [{ ...asked, difference: largestDifference(a, b) }] : [];
}

/** Infinite for results of different lengths, NaN where one of them has a NaN. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    // Written so that a NaN is kept.
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) return largest;
  }
  return largest;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(values: T[], random: () => number): T[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}
