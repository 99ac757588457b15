/** Which part of the pictures a process takes, where several share them. */
import { diagnose } from "../../diagnostics/index.ts";

export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** What said the index, in words: "SLURM_ARRAY_TASK_ID". */
  readonly by?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The part that is asked for: `"i/n"`, part i of n, from 0; or `"n"`, of which the environment says the part. Unless
 * anything is asked for, Slurm's array says both, by its first task, its step and its count.
 * @throws E1141 for what is no part, and for a count where nothing says the part.
 */
export function shardOf(asked: string | undefined, environment: Environment): Shard {
  const given = /^(?:(\d+)\/)?(\d+)$/.exec(asked?.trim() ?? "");
  if (asked !== undefined && !given) throw wrong(`--shard cannot be "${asked}"`);
  const array = slurmArray(environment);
  const kubernetes = environment.JOB_COMPLETION_INDEX;
  const count = given ? Number(given[2]) : array?.count;
  if (count === undefined) return { index: 0, count: 1 };
  const known: Shard | undefined =
    given?.[1] !== undefined
      ? { index: Number(given[1]), count }
      : array
        ? { index: array.index, count, by: "SLURM_ARRAY_TASK_ID" }
        : kubernetes !== undefined
          ? { index: Number(kubernetes), count, by: "JOB_COMPLETION_INDEX" }
          : undefined;
  if (known === undefined)
    throw wrong(`--shard ${asked} says how many parts there are, and nothing says which this is`);
  const { index, by } = known;
  if (Number.isSafeInteger(index) && count >= 1 && index < count) return known;
  throw wrong(
    `there is no part ${index} of ${count}${by ? ` (${by})` : ""}: they are 0 to ${count - 1}`,
  );
}

/** Every `count`th, from `index` on: parts differ by one picture at most. */
export const partOf = <T>(all: readonly T[], { index, count }: Shard): T[] =>
  all.filter((_, i) => i % count === index);

function slurmArray(environment: Environment) {
  const number = (name: string) => {
    const text = environment[`SLURM_ARRAY_TASK_${name}`];
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const [id, count] = [number("ID"), number("COUNT")];
  if (id === undefined || count === undefined) return undefined;
  return { index: (id - (number("MIN") ?? 0)) / (number("STEP") ?? 1), count };
}

const wrong = (message: string) =>
  diagnose("E1141", {
    message,
    help: "give part and number of parts, from 0: --shard 0/4; or the number alone in a Slurm array or an indexed job of Kubernetes: --shard 4",
  });
