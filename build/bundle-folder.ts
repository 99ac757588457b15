/** Writes a bundle's folder: whole or not at all, and never over files of somebody else. */
import { randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { diagnose } from "../diagnostics/index.ts";
import { parseManifest } from "../runtime/bundle/manifest.ts";
import { makeFolder } from "../runtime/node/files.ts";

/** Writes what is not in memory, such as weights, into the folder it is given. */
export type WriteMore = (folder: string) => Promise<void>;

/**
 * Writes the files, by path inside the folder. The folder may be absent, empty, or hold an earlier
 * bundle, which is replaced when all is written.
 * @throws E600 when it holds anything else.
 */
export async function writeBundleFolder(
  out: string,
  files: ReadonlyMap<string, string | Uint8Array>,
  writeMore: WriteMore,
): Promise<void> {
  await checkFolder(out);
  const folder = resolve(out);
  await makeFolder(dirname(folder));
  // Beside its place, so that the last step is a rename on one disk.
  const aside = (what: string) =>
    join(dirname(folder), `.${basename(folder)}.${randomUUID().slice(0, 8)}.${what}`);
  const [made, old] = [aside("new"), aside("old")];
  try {
    for (const [path, content] of files) {
      await makeFolder(dirname(join(made, path)));
      await writeFile(join(made, path), content);
    }
    await writeMore(made);
    const replaced = await rename(folder, old).then(
      () => true,
      () => false,
    );
    await rename(made, folder).catch(async (cause: unknown) => {
      if (replaced) await rename(old, folder);
      throw cause;
    });
  } finally {
    await rm(made, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

/** Errors: E600 when the folder holds what no bundle has. */
export async function checkFolder(out: string): Promise<void> {
  const present = await list(out);
  if (present.length === 0) return;
  const own = await filesOfBundle(out);
  const foreign = present.filter((path) => !own(path));
  if (foreign.length === 0) return;
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

/** Which files an earlier build wrote, by its manifest; none without one. */
async function filesOfBundle(out: string): Promise<(path: string) => boolean> {
  try {
    const manifest = parseManifest(await readFile(join(out, "manifest.json")), out);
    const { name, files, weights } = manifest;
    const own = new Set(["manifest.json", `${name}.js`, `${name}.d.ts`, ...Object.keys(files)]);
    if (weights) own.add(weights.file);
    return (path) => own.has(path);
  } catch {
    return () => false;
  }
}
