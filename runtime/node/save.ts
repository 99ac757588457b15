/**
 * Files appear whole or not at all: they are written under another name in the same folder, and take their
 * place when all is on the disk. Nothing else in inarch writes files.
 */
import type { Stats } from "node:fs";
import {
  access,
  constants,
  type FileHandle,
  open,
  readlink,
  realpath,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { diagnose } from "../../diagnostics/index.ts";
import type { ByteSink } from "../weights/safetensors-write.ts";
import { removeAbandoned, temporaryFor } from "./temporary.ts";

/** Writes bytes in pieces, in order. */
export type WriteBytes = (sink: ByteSink) => Promise<void>;

/**
 * Saves a file, whole or not at all: whoever opens `path`, also after a kill or a loss of power, finds the old
 * file or the new one. Text is written as UTF-8. Links are followed; an earlier file's permissions stay.
 * Calls with the same path at the same time are safe: the last one wins.
 *
 *     await saveTo("run.safetensors", await session.save());
 *
 * @throws E362 for what is neither bytes nor text, E241 when the place cannot be written to.
 */
export async function saveTo(path: string | URL, content: Uint8Array | string): Promise<void> {
  const place = path instanceof URL ? fileURLToPath(path) : path;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  if (!(bytes instanceof Uint8Array)) throw notBytes(place, content);
  await writeFileAtOnce(place, (sink) => sink.write(bytes));
}

/**
 * As `saveTo`, with bytes that `write` gives in pieces. When it throws, the old file stays.
 * Errors: E241, whatever `write` throws.
 */
export async function writeFileAtOnce(path: string, write: WriteBytes): Promise<void> {
  const { place, earlier } = await placeOf(path);
  if (earlier && !earlier.isFile()) return writeThrough(path, write);
  if (earlier) await ordered(path, access(place, constants.W_OK));
  const folder = dirname(place);
  await removeAbandoned(folder);
  const temporary = temporaryFor(place);
  const mode = earlier ? earlier.mode & 0o777 : 0o666;
  const handle = await ordered(path, open(temporary, "wx", mode));
  try {
    try {
      if (earlier) await keepOwner(handle, earlier);
      await write({ write: (bytes) => writeFully(handle, path, bytes) });
      await ordered(path, handle.sync());
    } finally {
      await handle.close();
    }
    await ordered(path, rename(temporary, place));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await ordered(path, syncFolder(folder));
}

/** A file system may know no owners, and only the superuser gives files away. */
async function keepOwner(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const { uid: own, gid: group } = await handle.stat();
  if (own !== uid || group !== gid) await handle.chown(uid, gid).catch(() => undefined);
  await handle.chmod(mode & 0o7777).catch(() => undefined);
}

/** A device or a pipe has no content that could be kept: it takes the bytes as they come. */
async function writeThrough(path: string, write: WriteBytes): Promise<void> {
  const handle = await ordered(path, open(path, "w"));
  try {
    await write({ write: (bytes) => writeFully(handle, path, bytes) });
  } finally {
    await handle.close();
  }
}

/** The file behind all links, and what is there. */
async function placeOf(path: string): Promise<{ place: string; earlier?: Stats }> {
  const earlier = await stat(path).catch((cause: unknown) => {
    if (systemCode(cause) !== "ENOENT") throw writeError(path, cause);
  });
  if (earlier?.isDirectory()) throw writeError(path, { code: "EISDIR" });
  if (earlier) return { place: earlier.isFile() ? await realpath(path) : path, earlier };
  const link = await readlink(path).catch(() => undefined);
  if (link === undefined) return { place: path };
  return placeOf(resolve(await realpath(dirname(path)), link));
}

/** A rename is on the disk once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and writes its directories by itself.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r").catch(() => undefined);
  try {
    await handle?.sync();
  } catch (error) {
    if (!["EINVAL", "ENOTSUP", "EPERM"].includes(systemCode(error))) throw error;
  } finally {
    await handle?.close();
  }
}

/** One write takes at most this much: the system's limit is 2 GiB. */
const maxWrite = 2 ** 30;

async function writeFully(handle: FileHandle, path: string, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const part = Math.min(maxWrite, bytes.byteLength - done);
    const { bytesWritten } = await ordered(path, handle.write(bytes, done, part));
    done += bytesWritten;
  }
}

/** What the system was told to do for `path`; its refusal is E241. */
const ordered = <T>(path: string, work: Promise<T>): Promise<T> =>
  work.catch((cause: unknown) => {
    throw writeError(path, cause);
  });

/** The system's short name of a failure, such as ENOENT. */
const systemCode = (cause: unknown): string =>
  typeof cause === "object" && cause !== null && "code" in cause
    ? String(cause.code)
    : "unknown error";

function writeError(path: string, cause: unknown) {
  const code = systemCode(cause);
  const help: Record<string, string> = {
    ENOENT: "its folder does not exist: create it first, or give another path",
    ENOTDIR: "its folder is a file: give another path",
    EISDIR: "this is a folder: add a file name",
    EACCES: "you may not write there: give another path, or allow it with chmod",
    EPERM: "you may not write there: give another path",
    EROFS: "the disk is read-only: give another path",
    ENOSPC: "the disk is full: make room, or give a path on another one",
    EDQUOT: "your share of the disk is full: make room, or give a path on another one",
    EFBIG: "the system allows no file of this size there: see ulimit -f, or give another path",
    ELOOP: "its links lead in a circle: give another path",
    ENAMETOOLONG: "its name is too long: give another",
  };
  return diagnose("E241", {
    message: `the file cannot be written: ${code}`,
    where: path,
    help: help[code] ?? "give another path",
    cause,
  });
}

function notBytes(path: string, content: unknown) {
  const what = content instanceof Promise ? "a promise" : Object.prototype.toString.call(content);
  return diagnose("E362", {
    message: `what is to be saved is ${what.replace(/^\[object (.*)\]$/, "$1")}, not bytes`,
    where: path,
    help:
      content instanceof Promise
        ? `await it: saveTo(${JSON.stringify(path)}, await …)`
        : "give a Uint8Array, or text",
  });
}
