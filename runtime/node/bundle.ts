/** Bundles in a folder. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bundle, openForeignBundle } from "../bundle/bundle.ts";
import { fileSource } from "./files.ts";

/**
 * Opens the folder that `inarch build` wrote.
 * @throws E517 for a bundle that is JavaScript, and what `openBundle` throws.
 */
export const openBundleFolder = (folder: string): Promise<Bundle> =>
  openForeignBundle((path) => readFile(join(folder, path)), {
    source: folder,
    open: (path) => fileSource(join(folder, path)),
  });
