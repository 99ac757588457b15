/** Where tunings are kept: files that are shipped, and one of the user's own. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  emptyFile,
  parseTuning,
  type TuningFile,
  tuningFor,
  writeTuning,
} from "../compiler/tuning/file.ts";
import { noTuning, type Tuning } from "../compiler/tuning/tuning.ts";
import { diagnose } from "../diagnostics/index.ts";
import { makeFolder } from "../runtime/node/files.ts";
import { cacheFolder } from "../runtime/node/kept-files.ts";
import { saveTo } from "../runtime/node/save.ts";

/** `$XDG_CACHE_HOME/inarch/tuning.json`, by default in `~/.cache`. */
export const cachePath = (environment: NodeJS.ProcessEnv = process.env): string =>
  join(cacheFolder(environment), "tuning.json");

/** The path that the flag's value stands for. */
export const pathOf = (given: string): string => (given === "cache" ? cachePath() : given);

/**
 * What a file holds; nothing where there is none yet.
 * @throws E820 for what is no tuning file.
 */
export async function readTuningFile(path: string): Promise<TuningFile> {
  return existsSync(path) ? parseTuning(await readFile(path, "utf8"), path) : emptyFile;
}

/** Writes the file, all of it or nothing. Errors: E241. */
export async function writeTuningFile(path: string, file: TuningFile): Promise<void> {
  await makeFolder(dirname(path));
  await saveTo(path, writeTuning(file));
}

/**
 * The tuning that `--tuning` asks for, of the device that is compiled for. A file of one device
 * alone serves where no device is known.
 * @throws E200 where there is no file, E820 and E822 for what does not fit.
 */
export async function tuningOf(
  given: string | undefined,
  device: string | undefined,
): Promise<Tuning> {
  if (given === undefined) return noTuning;
  const path = pathOf(given);
  if (!existsSync(path))
    throw diagnose("E200", {
      message: `there is no tuning file ${path}`,
      where: "--tuning",
      help: `make it: inarch tune MODEL${given === "cache" ? "" : ` --output ${given}`}`,
    });
  const file = await readTuningFile(path);
  const devices = Object.keys(file.devices);
  const only = devices.length === 1 ? devices[0] : undefined;
  return tuningFor(file, device ?? only ?? "unknown", path);
}
