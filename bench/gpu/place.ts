/** Where this package lies: the same folders in a checkout and in a pack. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of package.json. */
export const root = rootOf(import.meta.dirname);

function rootOf(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : rootOf(dirname(folder));
}
