/**
 * The folder in which compiled libraries are kept. A file is named by what it was made of and by its own
 * content, so whatever lies there, what is loaded is what was compiled; it is written whole or not at all.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { writeFileAtOnce } from "./save.ts";

/** Where all that can be made again is kept. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "inarch");

/** Bytes that are kept; the files that were used last. */
const mostBytes = 256 * 2 ** 20;

export interface LibraryFile {
  readonly path: string;
  /** Once it is loaded, or is not needed: a file that is kept stays. */
  release(): Promise<void>;
}

const librariesIn = (env: NodeJS.ProcessEnv): string => join(cacheFolder(env), "native");

/** The library of a key, where the folder has it whole. */
export const keptLibrary = (
  key: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LibraryFile | undefined> => findLibrary(librariesIn(env), key, "remove");

/** The library of a key: from the folder, or as `make` makes it. */
export async function cachedLibrary(
  key: string,
  make: () => Promise<Uint8Array<ArrayBuffer>>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LibraryFile> {
  const kept = await keptLibrary(key, env);
  if (kept) return kept;
  const folder = librariesIn(env);
  const bytes = await make();
  const path = join(folder, libraryName(key, bytes));
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtOnce(path, (sink) => sink.write(bytes));
    await trim(folder, path);
    return { path, release: async () => {} };
  } catch {
    return inNoFolder(bytes);
  }
}

/** The file of a key with this content. */
export const libraryName = (key: string, bytes: Uint8Array): string =>
  `${digest(key)}-${digest(bytes)}.so`;

const digest = (of: string | Uint8Array): string =>
  createHash("sha256").update(of).digest("hex").slice(0, 40);

/** Of the files of a key the one whose content is what its name says; others may be removed. */
export async function findLibrary(
  folder: string,
  key: string,
  others: "keep" | "remove",
): Promise<LibraryFile | undefined> {
  const names = await readdir(folder).catch((): string[] => []);
  for (const file of names.filter((n) => n.startsWith(`${digest(key)}-`))) {
    const path = join(folder, file);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes && libraryName(key, bytes) === file) {
      const now = new Date();
      await utimes(path, now, now).catch(() => {});
      return { path, release: async () => {} };
    }
    if (others === "remove") await rm(path, { force: true }).catch(() => {});
  }
  return undefined;
}

/** Removes what was used longest ago, and never what was just written. */
async function trim(folder: string, fresh: string): Promise<void> {
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

/** Where nothing can be kept the file lives until it is loaded. */
async function inNoFolder(bytes: Uint8Array): Promise<LibraryFile> {
  const folder = await mkdtemp(join(tmpdir(), "inarch-native-"));
  const path = join(folder, "kernels.so");
  await writeFileAtOnce(path, (sink) => sink.write(bytes));
  return { path, release: () => rm(folder, { recursive: true, force: true }) };
}
