/** The plugin for Vite: the import of a `*.graph.ts` is the import of the bundle that is built of it. */
import { join } from "node:path";
import type { Plugin } from "vite";
import { InarchError } from "../../diagnostics/index.ts";
import { Graphs, graphFile, type PluginOptions } from "./graphs.ts";

/**
 * In development a change of a model's file, or of one that it imports, builds it again and loads the page anew;
 * what is wrong in it is shown at its own line. Paths start at Vite's `root`.
 * @throws E460 for an option of no known name, E510 for a path of `models` that leads nowhere.
 */
export function inarch(options: PluginOptions = {}): Plugin {
  let graphs: Graphs;
  /** By a model's file: the modules that hold it or import it. */
  const concerned = new Map<string, Set<string>>();
  return {
    name: "inarch",
    enforce: "pre",
    configResolved({ root, cacheDir, logger }) {
      graphs = new Graphs(options, root, join(cacheDir, "inarch"), (words) =>
        logger.info(`inarch: ${words}`, { timestamp: true }),
      );
    },
    resolveId: {
      filter: { id: graphFile },
      async handler(source, importer, { isEntry }) {
        const found = isEntry ? null : await this.resolve(source, importer, { skipSelf: true });
        if (!found || found.external) return null;
        const modules = concerned.get(found.id) ?? new Set();
        concerned.set(found.id, modules.add(importer ?? ""));
        const outcome = await graphs.of(found.id);
        for (const file of outcome.sources) this.addWatchFile(file);
        if ("error" in outcome) return this.error(errorOf(outcome.error));
        modules.add(outcome.module);
        return outcome.module;
      },
    },
    hotUpdate({ file }) {
      const { moduleGraph, hot } = this.environment;
      const models = graphs.madeOf(file);
      // The modules that import the model then ask for it again, and it is built.
      for (const id of models.flatMap((model) => [...(concerned.get(model) ?? [])]))
        for (const module of moduleGraph.getModulesByFile(id) ?? [])
          moduleGraph.invalidateModule(module);
      if (models.length > 0) hot.send({ type: "full-reload" });
    },
  };
}

/** An error as Vite shows it: with the user's own line. */
function errorOf(error: unknown): Error {
  const span = error instanceof InarchError ? error.details.at?.resolve() : undefined;
  const loc = span && { file: span.file, line: span.line, column: span.column - 1 };
  return Object.assign(error as Error, loc ? { id: loc.file, loc } : {});
}
