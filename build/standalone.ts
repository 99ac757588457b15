/** A wrapper that carries the runtime: modules for a page's own `<script type="module">`, without a bundler. */
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { optionalPackage } from "../diagnostics/packages.ts";
import { buildError, entries } from "./graph-file.ts";
import { heading, type Module } from "./modules.ts";
import { narrowed } from "./narrow.ts";

export interface StandaloneRequest {
  readonly name: string;
  /** The wrapper. */
  readonly text: string;
  /** Whether it is the wrapper of a training. */
  readonly trains: boolean;
  /** The file of the model, beside which the module of its loader is looked for. */
  readonly from: string | undefined;
}

/** What a page without a bundler has beside the wrapper's own. */
const usualExports = 'export { openDevice } from "inarch/page";\n';
const trainingExports = `export { openDevice, openFileStore } from "inarch/page";
export { bytesSource, openWeights } from "inarch/runtime";
`;

/** Where the package lies: names of chunks are made of paths, which must not tell it. */
const folder = fileURLToPath(new URL("..", import.meta.url));

/**
 * The wrapper with all that it imports but the modules of profiles, and `openDevice`; of a training also what files
 * need. What a page may never need is in modules of its own. Errors: E400 and E401 without the package esbuild, E511 for an import that leads nowhere.
 */
export async function standalone({
  name,
  text,
  trains,
  from,
}: StandaloneRequest): Promise<Module[]> {
  const { build } = await optionalPackage("esbuild", () => import("esbuild"));
  const resolveDir = from === undefined ? process.cwd() : dirname(from);
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: narrowed(`${text}${trains ? trainingExports : usualExports}`),
        sourcefile: `${name}.mjs`,
        resolveDir,
      },
      absWorkingDir: folder,
      outdir: folder,
      entryNames: name,
      chunkNames: `${name}-runtime-[hash]`,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      write: false,
      minify: true,
      platform: "browser",
      format: "esm",
      target: "es2022",
      banner: { js: heading },
      legalComments: "none",
      plugins: [carried(name)],
      logLevel: "silent",
    });
    return outputFiles.map(({ path, text }) => ({
      // What stands in for standard input has a name of its own.
      file: basename(path).replace("<stdin>", name),
      text,
    }));
  } catch (error) {
    throw buildError(from ?? name, error);
  }
}

/** The package is carried, wherever it is installed; modules of profiles stay beside the wrapper. */
const carried = (name: string): Plugin => ({
  name: "carried",
  setup(build) {
    build.onResolve({ filter: /^inarch(?:\/|$)/ }, ({ path }) => {
      const entry = entries.get(path);
      return entry ? { path: fileURLToPath(entry), sideEffects: false } : undefined;
    });
    build.onResolve({ filter: /^\.\/.*\.mjs$/ }, ({ path, importer }) =>
      importer.endsWith(`${name}.mjs`) ? { path, external: true } : undefined,
    );
  },
});
