/** What takes a graph says what was given in its place. */
import { diagnose } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import type { Graph } from "./graph.ts";

/** Requires what `trace` and `traceProgram` return; `what` is to become of it. @throws E113 */
export function checkGraph(graph: Graph, what = "compile"): void {
  const { nodes, outputs, states } = (graph ?? {}) as Partial<Graph>;
  if ([nodes, outputs, states].every(Array.isArray)) return;
  const { name, programs } = (graph ?? {}) as { name?: unknown; programs?: object };
  const isModel = typeof programs === "object" && programs !== null;
  const program = isModel ? (Object.keys(programs)[0] ?? "forward") : "forward";
  throw diagnose("E113", {
    message: `what is to be ${what === "compile" ? "compiled" : "exported"} is ${isModel ? `the model ${String(name)}` : shown(graph)}, not a graph`,
    help: isModel
      ? `trace one of its programs: ${what}(traceProgram(model, "${program}"))`
      : "give what trace(program, dims) or traceProgram(model, program) returns",
  });
}
