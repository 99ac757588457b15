/** The folder in which compiled libraries are kept. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheFolder, findKept, keepFile, keptName } from "./kept-files.ts";
import { writeFileAtOnce } from "./save.ts";

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
  const bytes = await make();
  try {
    return staying(await keepFile(librariesIn(env), libraryName(key, bytes), bytes, mostBytes));
  } catch {
    return inNoFolder(bytes);
  }
}

const staying = (path: string): LibraryFile => ({ path, release: async () => {} });

/** The file of a key with this content. */
export const libraryName = (key: string, bytes: Uint8Array): string => keptName(key, bytes, ".so");

/** Of the files of a key the one whose content is what its name says; others may be removed. */
export async function findLibrary(
  folder: string,
  key: string,
  others: "keep" | "remove",
): Promise<LibraryFile | undefined> {
  const found = await findKept(folder, key, ".so", others);
  return found && staying(found.path);
}

/** Where nothing can be kept the file lives until it is loaded. */
async function inNoFolder(bytes: Uint8Array): Promise<LibraryFile> {
  const folder = await mkdtemp(join(tmpdir(), "inarch-native-"));
  const path = join(folder, "kernels.so");
  await writeFileAtOnce(path, (sink) => sink.write(bytes));
  return { path, release: () => rm(folder, { recursive: true, force: true }) };
}
