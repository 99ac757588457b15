/** Folders and text files of a set. */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { diagnose } from "../../../diagnostics/index.ts";
import { unreadable } from "../csv.ts";

const pictures = /\.(?:png|jpe?g|webp|tiff?|gif|avif|bmp|heic|jp2|pp?m)$/i;

export const isPicture = (path: string): boolean => pictures.test(path);
export const isArray = (path: string): boolean => /\.npy$/i.test(path);

/** A path without the ending of its file. */
export const stemOf = (path: string): string => path.slice(0, path.length - extname(path).length);

/**
 * The files of a folder and of those in it, from there, with forward slashes, in the order of their names; hidden
 * ones are left out.
 * @throws E1003 for a folder that cannot be read.
 */
export async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (below: string) => {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((cause) => {
      throw cannotRead(join(folder, below), cause, "folder");
    });
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      const isFolder = entry.isSymbolicLink()
        ? await stat(join(folder, path)).then(
            (target) => target.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      if (isFolder) await walk(path);
      else found.push(path);
    }
  };
  await walk("");
  return found.sort(byName);
}

/** By code units, so that the order is the same on every machine. */
export const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** @throws E1003 for a file that cannot be read. */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw cannotRead(path, cause, "file");
  }
}

/** @throws E1003 for a file that cannot be read, or is no JSON. */
export async function jsonOf(path: string): Promise<unknown> {
  return parseJson(await textOf(path), path);
}

/** @throws E1003 for text that is no JSON. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw unreadable(where, `it is no JSON: ${(cause as Error).message}`, "export it again");
  }
}

function cannotRead(path: string, cause: unknown, what: "file" | "folder") {
  const { code } = cause as NodeJS.ErrnoException;
  const reason =
    code === "ENOENT"
      ? `there is no such ${what}`
      : code === "ENOTDIR"
        ? "it is a file, not a folder"
        : code === "EISDIR"
          ? "it is a folder, not a file"
          : String(code);
  return diagnose("E1003", {
    message: `cannot read ${path}: ${reason}`,
    where: path,
    help: "check the path; it is relative to the folder you are in",
    cause,
  });
}
