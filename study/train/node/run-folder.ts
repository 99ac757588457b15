/**
 * A run's folder: `run.json` (settings, classes and items), `log.jsonl` (a line for each step and each validation, up
 * to the checkpoint), `last.safetensors` (the checkpoint), `adapter.safetensors` (what was best on validation) and
 * `result.json`. A run that was killed goes on from its checkpoint: what the log says of later steps is forgotten.
 */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { diagnose } from "../../../diagnostics/index.ts";
import { makeFolder } from "../../../runtime/node/files.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { checkSame, type RunIdentity } from "../settings.ts";

export interface StepLine {
  /** How many steps there are with this one. */
  readonly step: number;
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly norm: number;
  readonly rate: number;
  /** The trained tensor whose gradient is not finite, or "loss": the step changed nothing. */
  readonly vetoed?: string | undefined;
}

export interface ValidationLine {
  /** After so many steps. */
  readonly step: number;
  readonly validation: Validation;
  /** The kind of device that the run began on, in its first line. */
  readonly device?: string;
}

export interface Validation {
  readonly loss: number;
  /** IoU of what is looked for, or the mean of the classes'; null where no pixel counts. */
  readonly score: number | null;
  /** IoU by class; null for one that is neither there nor found. */
  readonly iou: Readonly<Record<string, number | null>>;
  readonly accuracy: number | null;
}

export type LogLine = StepLine | ValidationLine;

export interface RunFolder {
  /** The log up to the checkpoint. */
  readonly log: readonly LogLine[];
  /** Steps that are done. */
  readonly steps: number;
  /** The checkpoint that was found, if one was. */
  readonly checkpoint: Awaited<ReturnType<typeof openWeightsFile>> | undefined;
  /** Adds a line to the log, which is written with the checkpoint. */
  tell(line: LogLine): void;
  /** Writes the log, and then what says how far the run has come. */
  saveCheckpoint(content: Uint8Array): Promise<void>;
  save(name: "adapter.safetensors" | "result.json", content: Uint8Array | string): Promise<void>;
}

/**
 * Makes the folder, or opens it where a run is under way.
 * @throws E1102 for a run of other settings, E1103 for a folder of something else, E2xx for a damaged checkpoint.
 */
export async function openRun(path: string, identity: RunIdentity): Promise<RunFolder> {
  await makeFolder(path);
  const [known, last, logged] = ["run.json", "last.safetensors", "log.jsonl"].map((name) =>
    join(path, name),
  ) as [string, string, string];
  if (existsSync(known)) checkSame(await readIdentity(known), identity, known);
  else {
    const others = (await readdir(path)).filter((name) => !name.startsWith("."));
    if (others.length > 0)
      throw diagnose("E1103", {
        message: `the folder holds ${others[0]} and no run`,
        where: path,
        help: "give an empty folder, or one that does not exist: --out FOLDER",
      });
    await saveTo(known, `${JSON.stringify(identity, null, 2)}\n`);
  }
  const checkpoint = existsSync(last) ? await openWeightsFile(last) : undefined;
  const steps = Number(checkpoint?.metadata.step ?? 0);
  const log = checkpoint ? (await linesIn(logged)).filter((line) => line.step <= steps) : [];
  return {
    ...{ log: [...log], steps, checkpoint },
    tell: (line) => log.push(line),
    async saveCheckpoint(content) {
      await saveTo(logged, log.map((line) => `${JSON.stringify(line)}\n`).join(""));
      await saveTo(last, content);
    },
    save: (name, content) => saveTo(join(path, name), content),
  };
}

/** The settings, classes and items of a run. @throws E1103 for a folder that is no run's. */
export const readRun = (path: string): Promise<RunIdentity> => readIdentity(join(path, "run.json"));

async function readIdentity(file: string): Promise<RunIdentity> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as RunIdentity;
  } catch (cause) {
    throw diagnose("E1103", {
      message: "the run's settings cannot be read",
      where: file,
      help: "give the folder of a run that inarch train has made",
      cause,
    });
  }
}

async function linesIn(file: string): Promise<LogLine[]> {
  const texts = (await readFile(file, "utf8")).split("\n");
  return texts.slice(0, -1).map((text) => JSON.parse(text) as LogLine);
}
