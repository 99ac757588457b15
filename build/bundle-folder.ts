/**
 * Writes a bundle's folder: whole or not at all, and never over files of somebody else. Files that are named
 * by their content are written beside those of the bundle before; then come the files that people open, each
 * of which leads to files of one build alone; then what nothing leads to any more is removed.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { diagnose } from "../diagnostics/index.ts";
import type { Manifest } from "../runtime/bundle/manifest.ts";
import { makeFolder } from "../runtime/node/files.ts";
import { saveTo, syncFolder } from "../runtime/node/save.ts";
import { isAbandoned, isTemporary, temporaryFor } from "../runtime/node/temporary.ts";
import { ownManifest } from "./bundle-files.ts";

type Files = ReadonlyMap<string, string | Uint8Array>;

/** Writes what is not in memory, such as weights, into the folder it is given. */
export type WriteMore = (folder: string) => Promise<void>;

export interface BundleContent {
  readonly manifest: Manifest;
  /** By path inside the folder, `manifest.json` among them. */
  readonly files: Files;
}

/**
 * Writes the files. The folder may be absent, empty, or hold an earlier bundle, which is replaced when all is
 * written, or what a killed build has left. Returns all that was written but for `writeMore`.
 * @throws E600 when it holds anything else, E515 while another build writes there, E241.
 */
export async function writeBundleFolder(
  out: string,
  { manifest, files }: BundleContent,
  writeMore: WriteMore,
): Promise<Files> {
  const folder = resolve(out);
  const isNew = !existsSync(folder);
  await makeFolder(folder);
  const leave = await enter(folder, out);
  try {
    const earlier = await checkFolder(out);
    const opened = ["manifest.json", `${manifest.name}.js`, `${manifest.name}.d.ts`];
    // First, as it lists the others: what a kill leaves is known to be of a bundle.
    const own = new Map([[ownManifest(manifest), files.get("manifest.json")!], ...files]);
    const built = new Set([...own.keys(), ...(manifest.weights ? [manifest.weights.file] : [])]);
    let isOpen = false;
    try {
      for (const [path, content] of own)
        if (!opened.includes(path)) await save(folder, path, content);
      await writeMore(folder);
      await syncFolder(folder);
      isOpen = true;
      for (const path of opened.toReversed()) await save(folder, path, own.get(path)!);
    } catch (error) {
      // What the new wrapper leads to stays, for the next build to remove.
      if (!isOpen) await remove(folder, (path) => built.has(path) && !earlier.includes(path));
      throw error;
    }
    await remove(folder, (path) => !built.has(path) && (earlier.includes(path) || isLeft(path)));
    await syncFolder(dirname(folder));
    return own;
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

const isManifest = (path: string): boolean => /^manifest(?:-[0-9a-f]{12})?\.json$/.test(path);

/**
 * Files, and folders that become empty. Manifests go last: they tell the next build whose the others are, if
 * this one is killed here. What the system refuses to remove goes with the next build.
 */
async function remove(folder: string, unwanted: (path: string) => boolean): Promise<void> {
  const gone = (await list(folder))
    .filter(unwanted)
    .sort((a, b) => Number(isManifest(a)) - Number(isManifest(b)));
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
  const own = await filesOfBundles(out, present);
  const foreign = present.filter((path) => !own.has(path));
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

/** Which files earlier builds wrote, whole or not, by their manifests, whatever their format. */
async function filesOfBundles(out: string, present: readonly string[]): Promise<Set<string>> {
  const own = new Set<string>();
  for (const path of present) {
    if (!isManifest(path)) continue;
    try {
      const manifest = JSON.parse(await readFile(join(out, path), "utf8"));
      const { format, name, programs, files, weights } = manifest;
      if (typeof format !== "number" || typeof programs !== "object") continue;
      for (const one of [path, `${name}.js`, `${name}.d.ts`, ...Object.keys(files)]) own.add(one);
      if (weights) own.add(weights.file);
    } catch {
      // It lists nothing, and is not a manifest.
    }
  }
  return own;
}
