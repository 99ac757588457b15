/** The plugin for esbuild: the import of a `*.graph.ts` is the import of the bundle that is built of it. */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { PartialMessage, Plugin } from "esbuild";
import { bug, InarchError } from "../../diagnostics/index.ts";
import { type Built, Graphs, graphFile, type PluginOptions } from "./graphs.ts";

/** Where modules of models are, for esbuild. */
const built = "inarch";

/** Marks the question where a model's file lies: its answer is the file, not the bundle. */
const asFile = "inarch: the file itself";

/**
 * Weights are written beside the scripts, under names that esbuild gives. Under `watch` a change of a model's file, or
 * of one that it imports, builds it again. Paths start at esbuild's `absWorkingDir`.
 * @throws E460 for an option of no known name, E510 for a path of `models` that leads nowhere.
 */
export function inarch(options: PluginOptions = {}): Plugin {
  return {
    name: "inarch",
    setup({ initialOptions, onResolve, onLoad, resolve: find }) {
      const root = resolve(initialOptions.absWorkingDir ?? ".");
      const folder = join(root, "node_modules", ".cache", "inarch", "graphs");
      const graphs = new Graphs(options, root, folder);
      onResolve({ filter: graphFile }, async ({ path, pluginData, ...from }) => {
        if (from.kind === "entry-point" || pluginData === asFile) return undefined;
        const found = await find(path, { ...from, pluginData: asFile });
        if (found.errors.length > 0 || found.external) return found;
        const outcome = await graphs.of(found.path);
        const watchFiles = [...outcome.sources];
        if ("error" in outcome) return { errors: [await messageOf(outcome.error)], watchFiles };
        return { path: outcome.module, namespace: built, watchFiles, pluginData: outcome };
      });
      onLoad({ filter: /^/, namespace: built }, async ({ path, pluginData }) => {
        const text = await readFile(path, "utf8");
        const { weights } = pluginData as Built;
        return { contents: withImports(text, weights), loader: "js", resolveDir: dirname(path) };
      });
      onLoad({ filter: /\.safetensors$/ }, async ({ path }) =>
        dirname(dirname(path)) === folder
          ? { contents: await readFile(path), loader: "file" }
          : undefined,
      );
    },
  };
}

/** esbuild leaves `new URL()` as it is; it copies a file that is imported, and tells its address. */
function withImports(text: string, weights: readonly string[]): string {
  let imports = "";
  for (const [i, file] of weights.entries()) {
    const address = `new URL("./${file}", import.meta.url)`;
    if (!text.includes(address)) bug(`a wrapper does not name its weights ${file}`);
    text = text.replace(address, `new URL(weights${i}, import.meta.url)`);
    imports += `import weights${i} from "./${file}";\n`;
  }
  return imports + text;
}

/** An error as esbuild shows it: with the user's own line. */
async function messageOf(error: unknown): Promise<PartialMessage> {
  if (!(error instanceof InarchError)) return { text: String(error), detail: error };
  const { message, at, where, help } = error.details;
  const span = at?.resolve();
  const text = `[${error.code}] ${message}${where === undefined ? "" : ` (${where})`}`;
  const notes = help === undefined ? [] : [{ text: help }];
  if (!span) return { text, notes, detail: error };
  const lines = await readFile(span.file, "utf8").catch(() => "");
  const lineText = lines.split("\n")[span.line - 1] ?? "";
  const location = { file: span.file, line: span.line, column: span.column - 1, lineText };
  return { text, notes, detail: error, location };
}
