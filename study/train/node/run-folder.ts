/**
 * A run's folder: `run.json` (settings as resolved, tasks and items), `log.jsonl` (a line for each step and each
 * validation, up to the checkpoint), the same as `log.csv` and as events for TensorBoard, `last.safetensors` (the
 * checkpoint), `adapter.safetensors` (what was best on validation), `times.json` (what each start took) and
 * `result.json`. A run that was killed goes on from its checkpoint: what the log says of later steps is forgotten.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { diagnose } from "../../../diagnostics/index.ts";
import { isObject } from "../../../diagnostics/values.ts";
import { makeFolder } from "../../../runtime/node/files.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { csvOf, eventsOf, type LogLine, type ValidationLine } from "../log.ts";
import { checkSame, type RunIdentity, type RunSettings, usualSettings } from "../settings.ts";
import type { Tasks } from "../targets.ts";

/** What a start of a run took, and where. */
export interface Start {
  readonly device: string;
  /** Steps that were done before, and after. */
  readonly from: number;
  readonly to: number;
  /** From the first step on, validations included; and everything before it. */
  readonly seconds: number;
  readonly setUp: number;
  /** The most memory that the process has had, in bytes. */
  readonly memory: number;
}

export interface RunFolder {
  readonly path: string;
  /** Whether this process writes it; of several that share the steps one does. */
  readonly isOurs: boolean;
  /** The log up to the checkpoint, and every line that was told since. */
  readonly log: readonly LogLine[];
  /** Steps that are done. */
  readonly steps: number;
  /** The checkpoint that was found, if one was. */
  readonly checkpoint: Awaited<ReturnType<typeof openWeightsFile>> | undefined;
  /** What earlier starts took. */
  readonly starts: readonly Start[];
  /** Adds a line to the log, which is written with the checkpoint. */
  tell(line: LogLine): void;
  /** Writes the log, and then what says how far the run has come. */
  saveCheckpoint(content: Uint8Array, start: Start): Promise<void>;
  save(
    name: "adapter.safetensors" | "result.json" | "report.html",
    content: Uint8Array | string,
  ): Promise<void>;
}

/**
 * Makes the folder, or opens it where a run is under way.
 * @throws E1102 for a run of other settings, E1103 for a folder of something else, E1112 for a run of an earlier inarch
 * that does not say its tasks, E2xx for a damaged checkpoint.
 */
export async function openRun(
  path: string,
  identity: RunIdentity,
  isOurs = true,
): Promise<RunFolder> {
  if (isOurs) await makeFolder(path);
  const [known, last, logged, times] = [
    "run.json",
    "last.safetensors",
    "log.jsonl",
    "times.json",
  ].map((name) => join(path, name)) as [string, string, string, string];
  if (existsSync(known)) checkSame(await readIdentity(known), identity, known);
  else if (isOurs) {
    await checkEmpty(path);
    await saveTo(known, `${JSON.stringify(identity, null, 2)}\n`);
  }
  const checkpoint = existsSync(last) ? await openWeightsFile(last) : undefined;
  const steps = Number(checkpoint?.metadata.step ?? 0);
  const log = checkpoint ? (await linesIn(logged)).filter((line) => line.step <= steps) : [];
  const starts = await startsIn(path);
  return {
    ...{ path, isOurs, log, steps, checkpoint, starts },
    tell: (line) => log.push(line),
    async saveCheckpoint(content, start) {
      await saveTo(times, `${JSON.stringify([...starts, start], null, 2)}\n`);
      await saveTo(join(path, "log.csv"), csvOf(log));
      await saveTo(join(path, "events.out.tfevents.0.inarch"), eventsOf(log));
      await saveTo(logged, log.map((line) => `${JSON.stringify(line)}\n`).join(""));
      await saveTo(last, content);
    },
    save: (name, content) => saveTo(join(path, name), content),
  };
}

async function checkEmpty(path: string): Promise<void> {
  const others = (await readdir(path)).filter((name) => !name.startsWith("."));
  if (others.length > 0)
    throw diagnose("E1103", {
      message: `the folder holds ${others[0]} and no run`,
      where: path,
      help: "give an empty folder, or one that does not exist: --out FOLDER",
    });
}

/** The validations of a run that has ended. */
export const validationsIn = async (path: string): Promise<ValidationLine[]> =>
  (await linesIn(join(path, "log.jsonl"))).filter(
    (line): line is ValidationLine => "validation" in line,
  );

/** What each start of a run took. */
export async function startsIn(path: string): Promise<readonly Start[]> {
  const times = join(path, "times.json");
  return existsSync(times) ? (JSON.parse(await readFile(times, "utf8")) as Start[]) : [];
}

/** Whether a run is under way in a folder. */
export const hasRun = (path: string): boolean => existsSync(join(path, "run.json"));

/** The settings, tasks and items of a run. @throws E1103 for a folder that is no run's, E1112 without tasks. */
export const readRun = (path: string): Promise<RunIdentity> => readIdentity(join(path, "run.json"));

/** The adapter of a run. @throws E1103 for a run that was never validated, which has none. */
export function adapterOf(path: string): string {
  const file = join(path, "adapter.safetensors");
  if (existsSync(file)) return file;
  throw diagnose("E1103", {
    message: "the run has no adapter: it ended before its first validation",
    where: path,
    help: "type inarch train as before, with the same --out: the run goes on",
  });
}

async function readIdentity(file: string): Promise<RunIdentity> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw unreadable(file, "cannot be read", cause);
  }
  const { settings, tasks, train, validation, classes } = isObject(content)
    ? (content as unknown as Partial<RunIdentity> & { readonly classes?: unknown })
    : {};
  const isNames = (value: unknown) => Array.isArray(value) && value.every(isText);
  if (
    !settings ||
    !isObject(settings) ||
    !isText(settings.method) ||
    !isNames(train) ||
    !isNames(validation)
  )
    throw unreadable(file, "are not there");
  if (!isObject(tasks)) throw withoutTasks(file, classes);
  // What a run from before a setting does not name was as usual.
  const all = { ...usualSettings, ...{ ranks: 1 }, ...(settings as unknown as RunSettings) };
  return {
    settings: all,
    tasks: tasks as unknown as Tasks,
    train: train!,
    validation: validation!,
  };
}

const isText = (value: unknown) => typeof value === "string";

const unreadable = (where: string, what: string, cause?: unknown) =>
  diagnose("E1103", {
    message: `the run's settings ${what}`,
    where,
    help: "give the folder of a run that inarch train has made",
    cause,
  });

function withoutTasks(where: string, classes: unknown) {
  const task = JSON.stringify({ kind: "labels", classes: classes ?? ["background", "object"] });
  return diagnose("E1112", {
    message: "the run does not say which tasks it has: an earlier inarch has made it",
    where,
    help: `train anew in another folder, or write into the file, with the name that the set has for its masks: "tasks": { "masks": ${task} }`,
  });
}

async function linesIn(file: string): Promise<LogLine[]> {
  const texts = (await readFile(file, "utf8")).split("\n");
  return texts.slice(0, -1).map((text) => JSON.parse(text) as LogLine);
}
