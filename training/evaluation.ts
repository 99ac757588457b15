/** The graph that tells the loss of inputs without a step. */
import { type Graph, graphOf } from "../compiler/graph/graph.ts";
import { type Model, traceProgram } from "../compiler/graph/model.ts";
import { emptyScope } from "../compiler/graph/site.ts";
import { declaring, type Source, withDims } from "../compiler/graph/sources.ts";
import { resultsOf, type Tensor } from "../compiler/graph/tensor.ts";
import { modelPrefix } from "../runtime/training/plan.ts";
import type { TrainingOptions } from "./options.ts";
import { isState } from "./states.ts";
import { lossOutputs, lossTerms, totalOf } from "./terms.ts";

/**
 * The program as it runs when it does not train, its loss, and the metrics that are asked for. Terms that
 * adapters add to a step are none of the loss here. No state moves.
 * @throws E120 for a term that is no scalar.
 */
export function evaluationGraph(model: Model, program: string, options: TrainingOptions): Graph {
  const { dims, metrics } = options.evaluate ?? {};
  const sizes = { ...options.dims, ...dims };
  const scope = emptyScope({ bindings: model.bindings ?? [], prefix: modelPrefix });
  const traced = traceProgram(model, program, sizes, scope);
  const returned = traced.outputs.filter((output) => !isState(traced, output));
  const named = Object.fromEntries(returned.map((o) => [o.name, o.tensor as Tensor<"f32">]));
  const { made, states } = declaring(modelPrefix, () =>
    withDims({ ...model.dims, ...sizes }, () => {
      const terms = lossTerms(options.loss(named));
      const inputs = inputsOf(graphOf([...returned, ...terms], "as written"));
      return { terms, metrics: Object.entries(metrics?.(named, inputs) ?? {}) };
    }),
  );
  const { adapters } = traced;
  const outputs = [
    ...lossOutputs(totalOf(made.terms), made.terms),
    ...made.metrics.map(([name, tensor]) => ({ name: `metric.${name}`, tensor })),
  ];
  return {
    ...graphOf(outputs, "inputs first", [...traced.states, ...states]),
    ...(adapters ? { adapters } : {}),
  };
}

/** The inputs of a graph, by name. */
const inputsOf = ({ nodes }: Graph): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    nodes
      .filter(({ op }) => op.kind === "input")
      .map((node) => [(node.attrs as Source).name, resultsOf(node)[0]!]),
  );
