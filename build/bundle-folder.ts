/**
 * Writes a bundle's folder: whole or not at all, and never over files of somebody else. Files that are named
 * by their content are written beside those of the bundle before; then comes the wrapper, which leads to files of
 * one build alone; then what nothing leads to any more is removed.
 */
import { existsSync } from "node:fs";
import { open, readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { diagnose } from "../diagnostics/index.ts";
import { makeFolder } from "../runtime/node/files.ts";
import { saveTo, syncFolder } from "../runtime/node/save.ts";
import { isAbandoned, isTemporary, temporaryFor } from "../runtime/node/temporary.ts";
import { isAdapterName } from "./bundle-adapters.ts";
import { isWeightsFile } from "./bundle-weights.ts";
import { isOfCudaFolder } from "./cuda-manifest.ts";
import { heading } from "./modules.ts";
import { isLibrary } from "./native-libraries.ts";

/** By path. */
type Files = ReadonlyMap<string, string | Uint8Array>;

/** Writes what is not in memory, such as weights, into the folder it is given. */
export type WriteMore = (folder: string) => Promise<void>;

export interface BundleContent {
  /** All that are in memory, by path. */
  readonly files: Files;
  /** Of those, what people open: they come last, in this order. */
  readonly opened: readonly string[];
  /** The names of what `writeMore` writes. */
  readonly more: readonly string[];
}

/**
 * Writes the files. The folder may be absent, empty, or hold an earlier bundle, which is replaced when all is
 * written, or what a killed build has left.
 * @throws E600 when it holds anything else, E515 while another build writes there, E241.
 */
export async function writeBundleFolder(
  out: string,
  { files, opened, more }: BundleContent,
  writeMore: WriteMore,
): Promise<void> {
  const folder = resolve(out);
  const isNew = !existsSync(folder);
  await makeFolder(folder);
  const leave = await enter(folder, out);
  try {
    const earlier = await checkFolder(out);
    const built = new Set([...files.keys(), ...more]);
    let isOpen = false;
    try {
      for (const [path, content] of files)
        if (!opened.includes(path)) await save(folder, path, content);
      await writeMore(folder);
      await syncFolder(folder);
      isOpen = true;
      for (const name of opened) await saveTo(join(folder, name), files.get(name)!);
    } catch (error) {
      // What the new wrapper leads to stays, for the next build to remove.
      if (!isOpen) await remove(folder, (name) => built.has(name) && !earlier.includes(name));
      throw error;
    }
    await remove(folder, (name) => !built.has(name) && (earlier.includes(name) || isLeft(name)));
    await syncFolder(dirname(folder));
  } finally {
    await leave();
    // It goes where it is empty: nothing was built.
    if (isNew) await rmdir(folder).catch(() => undefined);
  }
}

async function save(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  await makeFolder(dirname(join(folder, path)));
  await saveTo(join(folder, path), content);
}

const isLeft = (path: string): boolean => isTemporary(basename(path));

/** Files, and folders that become empty. What the system refuses to remove goes with the next build. */
async function remove(folder: string, unwanted: (path: string) => boolean): Promise<void> {
  const gone = (await list(folder)).filter(unwanted);
  for (const path of gone) await rm(join(folder, path), { force: true }).catch(() => undefined);
  const folders = new Set(gone.map((path) => dirname(path)).filter((path) => path !== "."));
  for (const path of folders) await rmdir(join(folder, path)).catch(() => undefined);
}

/** How often a build that meets another looks again: the two may have come at the same moment. */
const attempts = 20;

/**
 * Keeps other builds out of a folder until the function that it returns is called. Each build puts up a mark of
 * its own and then looks for others: of two builds at least one sees the other, and gives way.
 */
async function enter(folder: string, out: string): Promise<() => Promise<void>> {
  for (let attempt = 1; ; attempt++) {
    const mark = temporaryFor(join(folder, "build"));
    await makeFolder(mark);
    const leave = () => rm(mark, { recursive: true, force: true });
    if (!(await hasOtherMark(folder, basename(mark)))) return leave;
    await leave();
    if (attempt === attempts)
      throw diagnose("E515", {
        message: "another build is writing into the folder",
        where: out,
        help: "wait until it has ended, or give another folder with --out",
      });
    await new Promise((again) => setTimeout(again, 20 + 80 * Math.random()));
  }
}

async function hasOtherMark(folder: string, own: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    if (name === own || !name.startsWith(".build.") || !isTemporary(name)) continue;
    if (!(await isAbandoned(folder, name))) return true;
    await rm(join(folder, name), { recursive: true, force: true });
  }
  return false;
}

/** The files of an earlier bundle in a folder. Errors: E600 when it holds what no bundle has. */
export async function checkFolder(out: string): Promise<readonly string[]> {
  const present = (await list(out)).filter((path) => !isLeft(path));
  if (present.length === 0) return present;
  const isOwn = await Promise.all(present.map((path) => isOfBundle(out, path)));
  const foreign = present.filter((_, i) => !isOwn[i]);
  if (foreign.length === 0) return present;
  const few = foreign.slice(0, 5).join(", ");
  throw diagnose("E600", {
    message: `the folder holds ${foreign.length === 1 ? "a file that is" : `${foreign.length} files that are`} not of a bundle: ${few}${foreign.length > 5 ? ", …" : ""}`,
    where: out,
    help: "give an empty or a new folder with --out; an earlier bundle of the same model is replaced",
  });
}

async function list(out: string): Promise<string[]> {
  try {
    const entries = await readdir(out, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(out, "x").length - 1))
      .map((path) => path.replaceAll("\\", "/"))
      .sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    if (code !== "ENOTDIR") throw cause;
    throw diagnose("E600", {
      message: "there is a file of this name, a folder was expected",
      where: out,
      help: "give another name with --out",
      cause,
    });
  }
}

/** Whether an earlier build wrote a file: it says so itself, or has the name that weights have. */
async function isOfBundle(out: string, path: string): Promise<boolean> {
  if (isWeightsFile(path) || isAdapterName(path) || isLibrary(path)) return true;
  if (isOfCudaFolder(path)) return true;
  if (!/^(?:[\w.-]+(?:\.mjs|\.d\.mts)|run\.c|manifest\.txt)$/.test(path)) return false;
  const file = await open(join(out, path));
  try {
    const start = Buffer.alloc(heading.length);
    await file.read(start, 0, heading.length, 0);
    return start.toString() === heading;
  } finally {
    await file.close();
  }
}
