/** The model's states in the graphs of a training: its steps move them, and nothing else does. */
import { type Graph, graphOf, type Output, type Source, statesOf } from "../compiler/index.ts";
import { diagnose } from "../diagnostics/index.ts";

/** Whether an output of a program is what one of its states becomes. */
export const isState = (graph: Graph, { name }: Output): boolean =>
  statesOf(graph).some((s) => s.name === name);

/** The states that a program moves. */
export const writtenStates = (graph: Graph): Source[] =>
  statesOf(graph).filter((s) => graph.outputs.some((o) => o.name === s.name));

/**
 * A program as it runs between steps: it reads the states of the program that trains, and does not move
 * them. States that it alone has are its own, and it moves them.
 * @throws E254 for a program that then does nothing.
 */
export function evaluated(program: string, graph: Graph, trained: Graph): Graph {
  const outputs = graph.outputs.filter((o) => !isState(trained, o));
  if (outputs.length === graph.outputs.length) return graph;
  const [first] = graph.outputs;
  if (outputs.length === 0)
    throw diagnose("E254", {
      message: `the program ${program} returns nothing but states of the program that trains, which only steps move`,
      at: first!.tensor.node.span,
      help: "leave it out of the programs of the training, or return what it is run for: { y }",
    });
  const { adapters } = graph;
  return { ...graphOf(outputs, "inputs first", graph.states), ...(adapters ? { adapters } : {}) };
}
