/**
 * Files that can be made again, in the folder for that. A file is named by what it was made of and by its own content,
 * so whatever lies there, what is used is what was made; it is written whole or not at all, so that any number of
 * processes may share the folder.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { makeFolder } from "./files.ts";
import { writeFileAtOnce } from "./save.ts";

/** Where all that can be made again is kept. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "inarch");

export interface KeptFile {
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The file of a key with this content. */
export const keptName = (key: string, bytes: Uint8Array, ending: string): string =>
  `${digest(key)}-${digest(bytes)}${ending}`;

export const digest = (of: string | Uint8Array): string =>
  createHash("sha256").update(of).digest("hex").slice(0, 40);

/** Of the files of a key the one whose content is what its name says; others may be removed. */
export async function findKept(
  folder: string,
  key: string,
  ending: string,
  others: "keep" | "remove",
): Promise<KeptFile | undefined> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const file of names.filter((n) => n.startsWith(`${digest(key)}-`))) {
    const path = join(folder, file);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes && keptName(key, bytes, ending) === file) {
      const now = new Date();
      await utimes(path, now, now).catch(() => {});
      return { path, bytes };
    }
    if (others === "remove") await rm(path, { force: true }).catch(() => {});
  }
  return undefined;
}

/** Writes a file, and removes those that were used longest ago, up to so many bytes. Throws what writing throws. */
export async function keepFile(
  folder: string,
  name: string,
  bytes: Uint8Array,
  mostBytes: number,
): Promise<string> {
  const path = join(folder, name);
  await makeFolder(dirname(folder));
  await mkdir(folder, { mode: 0o700 }).catch(() => {});
  await writeFileAtOnce(path, (sink) => sink.write(bytes));
  await trim(folder, path, mostBytes);
  return path;
}

/** Removes what was used longest ago, and never what was just written. */
async function trim(folder: string, fresh: string, mostBytes: number): Promise<void> {
  const all = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      return { path, bytes: found?.size ?? 0, used: found?.mtimeMs ?? 0 };
    }),
  );
  let bytes = all.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of all.sort((a, b) => a.used - b.used)) {
    if (bytes <= mostBytes) return;
    if (file.path === fresh) continue;
    await rm(file.path, { force: true }).catch(() => {});
    bytes -= file.bytes;
  }
}
