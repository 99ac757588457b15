/** Counts how often a process compiles a program: it writes `compiled NAME` to its errors each time. */

/** Arguments of node, for what runs from `dist`. */
export const countCompilations: readonly string[] = [
  "--no-warnings",
  "--import",
  `data:text/javascript,${encodeURIComponent(`
import { register } from "node:module";
register("data:text/javascript," + encodeURIComponent(${JSON.stringify(`
export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (!url.endsWith("/compiler/compile.js")) return loaded;
  const head = "function* runPasses(graph, options, shared) {";
  const source = String(loaded.source);
  if (!source.includes(head)) throw new Error("nothing to count");
  return { ...loaded, source: source.replace(head, head + 'process.stderr.write("compiled " + options.name + "\\\\n");') };
}
`)}));
`)}`,
];

/** The programs that were compiled, of what a process wrote to its errors. */
export const compiledIn = (errors: string): string[] =>
  [...errors.matchAll(/^compiled (.*)$/gm)].map(([, name]) => name!);
