/**
 * Imports of the package's entries as imports of the modules that declare the names. A bundler that splits gives
 * each file whole to one chunk, and an entry leads to every file: what is for later would come at once.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { entries } from "./graph-file.ts";

/** Changes the imports and re-exports in a generated text. */
export const narrowed = (text: string): string =>
  text.replace(
    /^(import|export) \{ ([^}]+) \} from "(inarch[^"]*)";$/gm,
    (line, keyword: string, names: string, entry: string) => {
      const url = entries.get(entry);
      if (url === undefined) return line;
      return names
        .split(", ")
        .map((name) => {
          const module = declaring(fileURLToPath(url), name);
          return `${keyword} { ${name} } from ${JSON.stringify(module ?? entry)};`;
        })
        .join("\n");
    },
  );

/** The module that declares what another exports by this name; undefined where none does under that name. */
function declaring(file: string, name: string): string | undefined {
  const text = readFileSync(file, "utf8");
  if (new RegExp(`^export (?:async )?(?:function|const|class) ${name}\\b`, "m").test(text))
    return file;
  for (const [, names, from] of text.matchAll(/^export (\*|\{[^}]*\}) from "([^"]+)";/gm)) {
    const isMeant = names === "*" || names!.split(/[\s,{}]+/).includes(name);
    const found = isMeant ? declaring(resolve(dirname(file), from!), name) : undefined;
    if (found) return found;
  }
  return undefined;
}
