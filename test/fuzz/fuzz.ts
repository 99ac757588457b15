/** Tries cases until time is up, and says what was found, as seeds and a few lines each. */
import type { Kind } from "./kind.ts";
import { randomOf } from "./random.ts";
import { shrink } from "./shrink.ts";

export interface Finding {
  readonly kind: string;
  readonly seed: number;
  /** How many cases had been tried, this one included. */
  readonly after: number;
  readonly words: string;
  readonly lines: string;
}

export interface Outcome {
  readonly cases: number;
  readonly findings: readonly Finding[];
  /** By what is counted: how often each of it was tried. */
  readonly covered: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface Limits {
  readonly seed: number;
  /** Milliseconds, and how many cases at most. */
  readonly time: number;
  readonly cases?: number;
  /** Stops after so many findings; all that are there unless given. */
  readonly findings?: number;
  readonly patience?: number;
  /** Cases that do not try all of this are passed over, though counted: `["ops=pow"]`. */
  readonly trying?: readonly string[];
  readonly onFinding?: (finding: Finding) => void;
}

/** A case that takes longer hangs. */
const tooLong = 120_000;

export async function fuzz<C>(kind: Kind<C>, limits: Limits): Promise<Outcome> {
  const random = randomOf(limits.seed);
  const end = performance.now() + limits.time;
  const covered = new Map<string, Map<string, number>>();
  const findings: Finding[] = [];
  const known = new Set<string>();
  let cases = 0;
  while (performance.now() < end && cases < (limits.cases ?? Number.POSITIVE_INFINITY)) {
    const seed = cases === 0 && limits.cases === 1 ? limits.seed : random.seed();
    cases++;
    const failed = await one(kind, seed, { covered, known, limits });
    if (!failed) continue;
    const found = { ...failed, after: cases };
    findings.push(found);
    limits.onFinding?.(found);
    if (findings.length >= (limits.findings ?? Number.POSITIVE_INFINITY)) break;
  }
  return { cases, findings, covered };
}

interface Run {
  readonly covered: Map<string, Map<string, number>>;
  readonly known: Set<string>;
  readonly limits: Limits;
}

async function one<C>(
  kind: Kind<C>,
  seed: number,
  { covered, known, limits: { trying = [], patience = 20_000 } }: Run,
): Promise<Omit<Finding, "after"> | undefined> {
  const drawn = kind.draw(seed);
  const tried = Object.entries(kind.covered(drawn));
  const all = tried.flatMap(([what, names]) => names.map((name) => `${what}=${name}`));
  if (!trying.every((one) => all.includes(one))) return undefined;
  for (const [what, names] of tried) {
    const counts = covered.get(what) ?? new Map<string, number>();
    covered.set(what, counts);
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const failure = (of: C) => within(kind.fault(of));
  const words = await failure(drawn);
  if (words === undefined) return undefined;
  // The same failure of many cases is shrunk and told once.
  const same = kind.sameness(words);
  if (known.has(same)) return undefined;
  known.add(same);
  const { least, words: said } = await shrink(drawn, words, {
    smaller: kind.smaller,
    failure,
    sameness: kind.sameness,
    patience,
  });
  return { kind: kind.name, seed, words: said, lines: kind.show(least) };
}

async function within(work: Promise<string | undefined>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it has not ended after ${tooLong / 1000} s`), tooLong);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The share of what there is that was tried, a line for each. */
export function coverage<C>(kind: Kind<C>, { covered }: Pick<Outcome, "covered">): string[] {
  return Object.entries(kind.all).map(([what, all]) => {
    const counts = covered.get(what) ?? new Map();
    const never = all.filter((name) => !counts.has(name));
    const share = `${all.length - never.length} of ${all.length}`;
    // Of few things it is said how often each was tried.
    const each =
      all.length > 8 ? "" : ` (${all.map((n) => `${n} ${counts.get(n) ?? 0}`).join(", ")})`;
    return `${kind.name}: ${what}: ${share}${each}${never.length > 0 ? `, never: ${never.join(", ")}` : ""}`;
  });
}
