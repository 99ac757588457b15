/**
 * What is known of the native device on this machine: how fast it was beside the processor device, and with which
 * compiler. Without it native is not used unasked; with it no compiler has to be asked at a start.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "./files.ts";
import { cacheFolder } from "./kept-files.ts";
import type { Compiler } from "./native-compiler.ts";
import { allLanes, type Lanes, machineKey } from "./native-vectors.ts";
import { saveTo } from "./save.ts";

export interface NativeTiming {
  /** Milliseconds of the same product on both devices. */
  readonly native: number;
  readonly cpu: number;
  readonly lanes: Lanes;
  readonly compiler: Compiler;
}

/** Changes with what a file says. */
const format = 1;

const pathOf = (env: NodeJS.ProcessEnv): string => join(cacheFolder(env), "native.json");

/** Keeps a timing; where nothing can be kept there is none. */
export async function keepTiming(
  timing: NativeTiming,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const path = pathOf(env);
  const text = JSON.stringify({ format, machine: machineKey(), ...timing }, null, 2);
  await makeFolder(cacheFolder(env))
    .then(() => saveTo(path, `${text}\n`))
    .catch(() => undefined);
}

/** The timing of this machine; undefined where there is none, or it is of another. */
export async function keptTiming(
  env: NodeJS.ProcessEnv = process.env,
): Promise<NativeTiming | undefined> {
  const text = await readFile(pathOf(env), "utf8").catch(() => "null");
  let found: Partial<NativeTiming & { format: number; machine: string }> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (found?.format !== format || found.machine !== machineKey()) return undefined;
  const { native, cpu, lanes, compiler } = found;
  const isWhole =
    [native, cpu].every(Number.isFinite) &&
    allLanes.some((one) => one === lanes) &&
    [compiler?.command, compiler?.name, compiler?.id, compiler?.effort].every(
      (of) => typeof of === "string",
    );
  return isWhole ? (found as NativeTiming) : undefined;
}
