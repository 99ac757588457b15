/**
 * Names of what is being written and is not in its place yet. A name tells the process that writes, so that
 * the next run removes what a killed process has left, and leaves alone what another still writes.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** The path, in the same folder, under which the file or folder `path` is made. Never the same twice. */
export function temporaryFor(path: string): string {
  const name = basename(path);
  // File systems take names of 255 bytes.
  const short = Buffer.byteLength(name) > 160 ? digest(name, 32) : name;
  const owner = `${process.pid}-${startOf(process.pid)}-${host()}`;
  return join(dirname(path), `.${short}.${owner}.${randomUUID().slice(0, 8)}.tmp`);
}

/** Whether a file's name is one of those that `temporaryFor` makes. */
export const isTemporary = (name: string): boolean => pattern.test(name);

const pattern = /^\..*\.(\d+)-(\d+)-([0-9a-f]{8})\.[0-9a-f]{8}\.tmp$/s;

/** Removes from a folder what processes have left that are gone. A folder that cannot be read stays. */
export async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (await isAbandoned(folder, name))
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
}

/** Whether a name is one of `temporaryFor`, of a process that is gone. */
export async function isAbandoned(folder: string, name: string): Promise<boolean> {
  const [, pid, start, of] = pattern.exec(name) ?? [];
  if (pid === undefined) return false;
  if (of === host()) return !isRunning(Number(pid), start!);
  // A folder that machines share: nobody can ask whether a process of another machine is alive.
  const written = await stat(join(folder, name)).catch(() => undefined);
  return written !== undefined && Date.now() - written.mtimeMs > day;
}

const day = 24 * 60 * 60 * 1000;

function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const now = startOf(pid);
  return now === start || now === unknownStart;
}

const unknownStart = "0";

/**
 * When a process began, in ticks since the machine did: numbers of processes are used again, above all in
 * containers. Known on Linux alone.
 */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses; the time is the 22nd.
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? unknownStart;
  } catch {
    return unknownStart;
  }
}

const host = () => digest(hostname(), 8);

const digest = (text: string, digits: number) =>
  createHash("sha256").update(text).digest("hex").slice(0, digits);
