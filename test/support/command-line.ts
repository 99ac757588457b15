/** Runs the built command line as a user does: in a process of its own. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export const repository = dirname(dirname(import.meta.dirname));
const script = join(repository, "dist", "cli", "main.js");

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Builds dist once where it is older than the sources: before tests that start processes. Files of
 * tests run side by side, and none may rebuild what another is running.
 */
export async function buildPackage(): Promise<void> {
  const load = (name: string) => import(pathToFileURL(join(repository, "scripts", name)).href);
  const { alone } = (await load("lock.mjs")) as {
    alone(work: () => Promise<void>, lock: string): Promise<void>;
  };
  const { build } = (await load("build.mjs")) as { build(): Promise<unknown> };
  const stamp = join(repository, "out", "built-for-tests");
  await alone(async () => {
    const started = new Date();
    if (existsSync(stamp) && existsSync(script) && newestSource() < statSync(stamp).mtimeMs) return;
    // What does not compile fails the check of types; the tests here run what was written.
    await build();
    writeFileSync(stamp, "");
    utimesSync(stamp, started, started);
  }, `${stamp}.lock`);
}

/** When a source was last changed, in milliseconds. */
function newestSource(): number {
  const settings = readFileSync(join(repository, "tsconfig.build.json"), "utf8");
  const folders = (JSON.parse(settings) as { include: string[] }).include;
  const times = folders.flatMap((folder) =>
    readdirSync(join(repository, folder), { recursive: true, withFileTypes: true }).map(
      (entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs,
    ),
  );
  return Math.max(...times);
}

/**
 * Makes of a folder a project in which `inarch` is the runtime alone: compiler, ops and models are absent, so
 * whatever runs there has no use for them.
 */
export function installRuntime(folder: string): void {
  file(folder, "package.json", '{ "name": "app", "type": "module" }');
  // Without it bundlers find that of the repository, and there the sources.
  file(folder, "tsconfig.json", "{}");
  const installed = join(folder, "node_modules", "inarch");
  for (const part of ["diagnostics", "entries", "formats", "predict", "runtime"])
    cpSync(join(repository, "dist", part), join(installed, "dist", part), { recursive: true });
  cpSync(join(repository, "package.json"), join(installed, "package.json"));
}

/** `inarch ARGS` in `cwd`. */
export const inarch = (
  args: readonly string[],
  cwd = repository,
  env: Record<string, string> = {},
) => node([script, ...args], cwd, env);

/** `node ARGS` in `cwd`. A process that does not end by itself within three minutes is a failure. */
export function node(
  args: readonly string[],
  cwd = repository,
  env: Record<string, string> = {},
): Promise<Outcome> {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args],
      { cwd, env: { ...inherited, ...env }, timeout: 600_000, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 128;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/**
 * A folder for generated files. It lies in the checkout, so that `inarch` resolves as it does for
 * whoever has installed the package; git ignores it.
 */
export function scratchFolder(name: string): string {
  const out = join(repository, "out");
  mkdirSync(out, { recursive: true });
  return mkdtempSync(join(out, `${name}-`));
}

/** Writes a file and returns its path. */
export function file(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
