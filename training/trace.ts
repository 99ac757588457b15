/** What a training computes before anything is differentiated: its programs, its loss, and what adapters add. */
import { trains } from "../compiler/graph/adapt.ts";
import { describeGraph, type OpNames } from "../compiler/graph/describe.ts";
import { fingerprint, isPlain } from "../compiler/graph/fingerprint.ts";
import { type Graph, graphOf, type Output } from "../compiler/graph/graph.ts";
import { type Model, traceProgram } from "../compiler/graph/model.ts";
import { emptyScope, type Scope } from "../compiler/graph/site.ts";
import { type Dims, declaring, input, withDims } from "../compiler/graph/sources.ts";
import type { Node, Tensor } from "../compiler/graph/tensor.ts";
import type { PlanAdapter } from "../compiler/plan.ts";
import { isDue, type Pausing } from "../compiler/turns.ts";
import { modelPrefix } from "../runtime/training/plan.ts";
import { evaluationGraph } from "./evaluation.ts";
import { targetsOf } from "./losses/targets.ts";
import { nameOf, parametersBehind } from "./memory.ts";
import { drawn } from "./noise.ts";
import type { TrainingOptions } from "./options.ts";
import { lossHash, settingsOf } from "./setting.ts";
import { check, count } from "./settings.ts";
import { isState } from "./states.ts";
import { lossTerms } from "./terms.ts";
import { updateGraph } from "./update.ts";
import { inParts } from "./whole-batch.ts";

export interface Traced {
  readonly program: string;
  readonly dims: Dims;
  readonly scope: Scope;
  readonly adapters: readonly PlanAdapter[];
  /** Terms of the loss, those of adapters among them. */
  readonly terms: readonly Output[];
  /** What losses divide by, as each part of a step adds to it. */
  readonly sums: readonly Output[];
  /** What states of the model become. */
  readonly moves: readonly Output[];
  /** All states that the program and the loss declare. */
  readonly states: readonly Tensor[];
  /** Names of parameters that train, if a gradient reaches them. */
  readonly candidates: ReadonlySet<string>;
  /** What the loss computes from the program's outputs, as a hash. */
  readonly loss: string;
  /** The nodes as they were written: of inputs among them losses ask something. */
  readonly asked: readonly Node[];
  /** Forward passes, by program. */
  readonly programs: readonly (readonly [name: string, graph: Graph])[];
  readonly evaluation: Graph | undefined;
}

export function* tracing(model: Model, options: TrainingOptions): Pausing<Traced> {
  const { noise = "drawn", program = Object.keys(model.programs)[0]! } = options;
  const { micro = 1, ranks = 1 } = options;
  check("training", { micro: [micro, count], ranks: [ranks, count] });
  const dims = { ...model.dims, ...options.dims };
  const { bindings = [] } = model;
  const scope = emptyScope({
    ...{ bindings, training: true, prefix: modelPrefix },
    random: noise === "drawn" ? drawn() : given,
  });
  const traced = traceProgram(model, program, options.dims, scope);
  yield;
  const { outputs, adapters = [] } = traced;
  const returned = outputs.filter((o) => !isState(traced, o));
  const named = Object.fromEntries(returned.map((o) => [o.name, o.tensor as Tensor<"f32">]));
  const loss = declaring(modelPrefix, () =>
    withDims(dims, () => {
      const { made: own, sums } = inParts(micro * ranks, () => options.loss(named));
      return { own, sums, terms: lossTerms(own, scope) };
    }),
  );
  yield;
  const { own, terms, sums } = loss.made;
  const programs: (readonly [string, Graph])[] = [];
  for (const [name, sizes] of Object.entries(options.programs ?? {})) {
    const own = emptyScope({ bindings, prefix: modelPrefix });
    programs.push([name, traceProgram(model, name, sizes, own)]);
    if (isDue()) yield;
  }
  const asked = graphOf([...terms, ...sums]).nodes;
  const isTrained = (name: string) => trains(model, name, scope.grafted.get(name) === true);
  return {
    ...{ program, dims, scope, adapters, terms, sums, programs, asked },
    moves: outputs.filter((o) => isState(traced, o)),
    states: [...traced.states, ...loss.states],
    candidates: new Set(parametersBehind(asked).map(nameOf).filter(isTrained)),
    loss: lossHash(own, named),
    evaluation: options.evaluate && evaluationGraph(model, program, options),
  };
}

const given: Scope["random"] = (_distribution, name, shape) => input(`noise.${name}`, "f32", shape);

/** Flags of parameters that are not always used, as outputs of a graph. */
export const flagsOf = ({ usage }: Scope) =>
  [...usage].flatMap(([path, all]) =>
    all.map((tensor, i) => ({ path, i, output: { name: `${path} ${i}`, tensor } })),
  );

/**
 * All that the plans of a training depend on, as text; undefined where no text can say it: for ops whose code nobody
 * knows. Two trainings of one text have the same plans.
 */
export function describeTraining(
  model: Model,
  options: TrainingOptions,
  traced: Traced,
  nameOfOp: OpNames,
): string | undefined {
  const { optimiser, profile, target, budget, evaluate, micro = 1, clip, scaling } = options;
  const { terms, sums, moves, states, scope, programs, evaluation } = traced;
  const flags = flagsOf(scope);
  const whole = [
    ...terms,
    ...sums.map(({ name, tensor }) => ({ name: `sum ${name}`, tensor })),
    ...moves.map(({ name, tensor }) => ({ name: `state ${name}`, tensor })),
    ...flags.map(({ output }) => ({ ...output, name: `flag ${output.name}` })),
  ];
  // An optimiser is code: what it computes says what it is.
  const update = updateGraph({
    ...{ parts: [1], tensors: 1, optimiser, accumulate: micro },
    ...(clip === undefined ? {} : { clip }),
    ...(scaling ? { scaling } : {}),
  });
  const graphs = [
    graphOf(whole, "as written", states),
    update,
    ...programs.map(([, graph]) => graph),
    ...(evaluation ? [evaluation] : []),
  ].map((graph) => describeGraph(graph, nameOfOp));
  const facts = {
    ...{ name: model.name, profile, target, budget, evaluates: evaluate !== undefined },
    settings: settingsOf(options, traced),
    moments: optimiser.moments,
    adapters: traced.adapters,
    candidates: [...traced.candidates],
    grafted: [...scope.grafted],
    flags: flags.map(({ path }) => path),
    targets: targetsOf(traced.asked),
    programs: programs.map(([name]) => name),
  };
  if (!isPlain(facts) || graphs.includes(undefined)) return undefined;
  return [fingerprint(facts), ...graphs].join("\n\n");
}
