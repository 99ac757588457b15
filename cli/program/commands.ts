/** The commands that there are: each file of cli/ is one, by its name, but for main, which runs them. */
import { readdirSync } from "node:fs";
import { basename, extname } from "node:path";
import { bug } from "../../diagnostics/index.ts";
import type { Command } from "../arguments/command.ts";

export interface Commands {
  readonly names: readonly string[];
  /** Only what is asked for is loaded, so that no command waits for the others. */
  load(name: string): Promise<Command>;
}

/** .ts while it runs from sources, .js in the package. */
const ending = extname(import.meta.url);

/** The commands of a folder: modules that export a `command`. */
export function commandsIn(folder: URL): Commands {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(ending) && !file.endsWith(".d.ts"))
    .map((file) => basename(file, ending))
    .filter((name) => name !== "main")
    .sort();
  return {
    names,
    async load(name) {
      const module = await import(new URL(`${name}${ending}`, folder).href);
      return (
        (module as { command?: Command }).command ?? bug(`${name}${ending} exports no command`)
      );
    },
  };
}

export const ownCommands = (): Commands => commandsIn(new URL("../", import.meta.url));
