/** A copy of the sources, to be changed and built: what somebody does who adds a target or a device. */
import { execFile } from "node:child_process";
import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { file, node, type Outcome, repository, scratchFolder } from "./command-line.ts";

export interface CopiedSources {
  readonly folder: string;
  /** Writes a new file, by its path in the sources. @throws where there is one already. */
  add(path: string, text: string): void;
  /** Adds one line to a file, behind the line that holds `after`. */
  addLine(path: string, after: string, line: string): void;
  /** Checks the types and builds, as `npm run build` does. @throws with what the compiler says. */
  build(): Promise<void>;
  /** Runs `inarch ARGS` of what was built. */
  inarch(args: readonly string[]): Promise<Outcome>;
}

export function copySources(name: string): CopiedSources {
  const folder = scratchFolder(name);
  const settings = "tsconfig.build.json";
  const { include } = JSON.parse(readFileSync(join(repository, settings), "utf8")) as {
    include: string[];
  };
  for (const part of [...include, settings, "tsconfig.json", "package.json"])
    cpSync(join(repository, part), join(folder, part), { recursive: true });
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    add(path, text) {
      if (existsSync(join(folder, path))) throw new RangeError(`${path} is there already`);
      file(folder, path, text);
    },
    addLine(path, after, line) {
      const lines = readFileSync(join(folder, path), "utf8").split("\n");
      const at = lines.findIndex((one) => one.includes(after));
      if (at < 0) throw new RangeError(`${path} has no line with ${after}`);
      lines.splice(at + 1, 0, line);
      file(folder, path, lines.join("\n"));
    },
    async build() {
      const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
      await promisify(execFile)(process.execPath, [tsc, "-p", settings], { cwd: folder }).catch(
        (error: { stdout: string }) => {
          throw new TypeError(error.stdout);
        },
      );
    },
    inarch: (args) => node([join(folder, "dist", "cli", "main.js"), ...args], folder),
  };
}
