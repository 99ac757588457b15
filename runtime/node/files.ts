/** Files as byte sources, with positioned reads, and folders. */
import { access, constants, type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";
import { allocate, type ByteSource, checkRange, type LentMemory } from "../weights/source.ts";
import { borrow, giveBack } from "./lent.ts";

/** One read returns at most this much: the system's limit is 2 GiB. */
const maxRead = 2 ** 30;

/**
 * Opens a file for positioned reads; files beyond 2 GiB are fine. Close it when done.
 * Errors: E200 (not there, or no file), E201 (not readable).
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw openError(path, cause);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notFile(path, stats.isDirectory() ? "a directory" : "not a file");
    const { size } = stats;
    const file = { handle, path, size };
    return {
      name: path,
      size,
      async read(offset, length) {
        checkRange(path, size, offset, length);
        return readInto(file, offset, allocate(length, path));
      },
      lend: () => lendFor(file),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly path: string;
  readonly size: number;
}

function lendFor(file: OpenFile): LentMemory {
  const lent = borrow();
  return {
    bytes: lent.piece.byteLength,
    mix: lent.mix,
    async read(offset, length) {
      checkRange(file.path, file.size, offset, length);
      return readInto(file, offset, lent.piece.subarray(0, length));
    },
    done: () => giveBack(lent),
  };
}

async function readInto(
  { handle, path }: OpenFile,
  offset: number,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = bytes.byteLength;
  for (let done = 0; done < length; ) {
    const part = Math.min(maxRead, length - done);
    const { bytesRead } = await handle
      .read(bytes, done, part, offset + done)
      .catch((cause: unknown) => {
        throw openError(path, cause);
      });
    // The file has become shorter since it was opened.
    if (bytesRead === 0) checkRange(path, offset + done, offset, length);
    done += bytesRead;
  }
  return bytes;
}

const notFile = (path: string, what: string) =>
  diagnose("E200", {
    message: `this is ${what}, a file was expected`,
    where: path,
    help: "give the path of the file itself",
  });

/** The system's short name of a failure, such as ENOENT. */
const systemCode = (cause: unknown) =>
  cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";

function openError(path: string, cause: unknown) {
  const code = systemCode(cause);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return diagnose("E200", {
      message: "there is no such file",
      where: path,
      help: `check the path; relative paths start at ${process.cwd()}`,
      cause,
    });
  }
  if (code === "EISDIR") return notFile(path, "a directory");
  const help: Record<string, string> = {
    EACCES: `allow reading: chmod +r ${JSON.stringify(path)}`,
    EPERM: `allow reading: chmod +r ${JSON.stringify(path)}`,
    EMFILE: "too many files are open: close some, or raise the limit with ulimit -n",
  };
  return diagnose("E201", {
    message: `the file cannot be read: ${code}`,
    where: path,
    help: help[code] ?? "the disk or the network share it lies on may be failing",
    cause,
  });
}

/**
 * Makes a folder, and those above it. Throws E241.
 *
 * Node's recursive `mkdir` never returns where a parent is there but refuses children, as /proc does.
 */
export async function makeFolder(path: string): Promise<void> {
  const make = async (folder: string): Promise<void> => {
    const found = await stat(folder).catch(() => undefined);
    if (found?.isDirectory()) return;
    if (dirname(folder) !== folder) await make(dirname(folder));
    await mkdir(folder).catch((cause: unknown) => {
      if (systemCode(cause) !== "EEXIST" || found !== undefined) throw cause;
    });
  };
  await make(resolve(path)).catch((cause: unknown) => {
    throw cannotMake(path, systemCode(cause), cause);
  });
}

/** Checks that a folder can be made, or is there and can be written. Nothing is written. Throws E241. */
export async function checkFolder(path: string): Promise<void> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (!found && dirname(folder) !== folder) continue;
    if (!found?.isDirectory()) throw cannotMake(path, found ? "ENOTDIR" : "ENOENT");
    return access(folder, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
      throw cannotMake(path, systemCode(cause), cause);
    });
  }
}

const cannotMake = (where: string, code: string, cause?: unknown) =>
  diagnose("E241", {
    message: `the folder cannot be made or written: ${code}`,
    where,
    help:
      code === "EEXIST" || code === "ENOTDIR"
        ? "a file of that name is in the way: give another folder"
        : "give another folder",
    cause,
  });
