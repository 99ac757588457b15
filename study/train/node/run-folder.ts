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
import { checkFolder, makeFolder } from "../../../runtime/node/files.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import type { Task } from "../../data/sample.ts";
import { csvOf, eventsOf, type LogLine, type ValidationLine } from "../log.ts";
import { settingsFrom } from "../resolve.ts";
import {
  checkSame,
  type RunIdentity,
  type RunSettings,
  settingWants,
  usualSettings,
} from "../settings.ts";
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
 * that does not say its tasks, E1116 for one of a later inarch, E1115 and E2xx for what is damaged.
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
  if (checkpoint) checkWhole(path, log, steps);
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

/** What was written before the checkpoint is there. @throws E1115. */
function checkWhole(path: string, log: readonly LogLine[], steps: number): void {
  const hasScores = log.some((line) => "validation" in line);
  if (!hasScores || log.at(-1)!.step !== steps)
    throw damaged(join(path, "log.jsonl"), `it does not reach step ${steps}, which was saved`);
  const adapter = join(path, "adapter.safetensors");
  if (!existsSync(adapter)) throw damaged(adapter, "the best adapter is not there");
}

const damaged = (where: string, message: string, cause?: unknown) =>
  diagnose("E1115", {
    message: `the run's folder is damaged: ${message}`,
    where,
    help: "copy the whole folder again, or train anew in another: --out FOLDER",
    cause,
  });

/**
 * Checks that a run can be made in the folder, or goes on in it, and writes nothing. The run that is under way, if one is.
 * @throws E241 for a folder that cannot be made or written, and as `openRun`.
 */
export async function checkRunFolder(path: string): Promise<RunIdentity | undefined> {
  await checkFolder(path);
  if (existsSync(join(path, "run.json"))) return readRun(path);
  if (existsSync(path)) await checkEmpty(path);
  return undefined;
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
  const starts = existsSync(times) ? parsed(await readFile(times, "utf8"), times) : [];
  if (Array.isArray(starts)) return starts as Start[];
  throw damaged(times, "it holds no list");
}

/** The kind of device that a run with a checkpoint began on. */
export async function deviceOf(path: string): Promise<string | undefined> {
  if (!existsSync(join(path, "last.safetensors"))) return undefined;
  return (await validationsIn(path))[0]?.device;
}

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
  const isTask = (task: unknown) =>
    isObject(task) &&
    (["depth", "normals"].includes((task as Task).kind) ||
      ((task as Task).kind === "labels" && isNames((task as Task).classes)));
  if (Object.keys(tasks!).length === 0 || !Object.values(tasks!).every(isTask))
    throw unreadable(file, "are of tasks that there are not");
  return {
    settings: settingsIn(settings, file),
    tasks: tasks as unknown as Tasks,
    train: train!,
    validation: validation!,
  };
}

/**
 * The settings of a run, each as it may be. What a run from before a setting does not name was as usual.
 * @throws E1116 for a setting that there is not, E465, E720 and E1106 for values that cannot be.
 */
function settingsIn(found: RunSettings, file: string): RunSettings {
  const { ranks = 1, ...settings } = found;
  const strange = Object.keys(settings).find((name) => !Object.hasOwn(settingWants, name));
  if (strange !== undefined)
    throw diagnose("E1116", {
      message: `the run has the setting ${strange}, which this inarch does not know: a later one has made it`,
      where: file,
      help: "use the inarch that made it, or the latest: npm install inarch@latest",
    });
  settingsFrom(settings, `the run in ${file}`);
  return { ...usualSettings, ...settings, ranks };
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
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw damaged(file, "the log cannot be read", cause);
  });
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => parsed(line, file) as LogLine);
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(file, "a line of it is no JSON", cause);
  }
}
