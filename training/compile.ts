/** From a model and a loss to the plans of training: backward, update, and forward passes. */

import { compiling, Shared } from "../compiler/compile.ts";
import { gradients } from "../compiler/grad/backward.ts";
import { chooseKept } from "../compiler/grad/choose.ts";
import { planBuffers } from "../compiler/grad/plan-bytes.ts";
import type { KeptPlans } from "../compiler/graph/describe.ts";
import { type Graph, graphOf, type Output, usesOf } from "../compiler/graph/graph.ts";
import type { Model } from "../compiler/graph/model.ts";
import type { Scope } from "../compiler/graph/site.ts";
import { state } from "../compiler/graph/sources.ts";
import { elements, type Node, resultsOf, type Tensor } from "../compiler/graph/tensor.ts";
import type { Plan, PlanAdapter } from "../compiler/plan.ts";
import { applyLaws } from "../compiler/rewrite/rewrite.ts";
import type { Precision } from "../compiler/storage/formats.ts";
import { inUnits, joinsOf, spacingOf } from "../compiler/storage/joins.ts";
import { defaultTarget, targetNamed, usualProfile } from "../compiler/targets/find.ts";
import { capableOf } from "../compiler/targets/target.ts";
import { finish, inTurns, isDue, type Pausing, type TurnOptions } from "../compiler/turns.ts";
import { diagnose } from "../diagnostics/index.ts";
import { plain } from "../formats/index.ts";
import { cast, full, or, pad, reshape } from "../ops/index.ts";
import { modelStates } from "../runtime/states.ts";
import { trainingBytes } from "../runtime/training/memory.ts";
import { ownName, type TrainingPlan, trainingFormat } from "../runtime/training/plan.ts";
import { targetsOf } from "./losses/targets.ts";
import { gradientOf, layOut, nameOf, parametersBehind, type Trainable } from "./memory.ts";
import { checkTrainingOptions, type TrainingOptions } from "./options.ts";
import { settingsOf } from "./setting.ts";
import { evaluated, writtenStates } from "./states.ts";
import { lossOutputs, totalOf } from "./terms.ts";
import { describeTraining, flagsOf, type Traced, tracing } from "./trace.ts";
import {
  accumulateGraph,
  endToEnd,
  lossScale,
  type UpdateSpec,
  updateGraph,
  usualScaling,
} from "./update.ts";

/**
 * Compiles training. Gradients exist only of what trains; frozen weights never have one.
 * States of the program that trains move with each of its passes, one for each micro-step, in order, if
 * the step counts; programs between the steps read them and do not move them.
 * @throws E250 for programs that disagree about a state, E254 for one that does nothing but move states
 * of the program that trains, E133 if nothing trains, E120 if the loss is no scalar, E140 for a budget that cannot be
 * met, E150 for a precision that the device cannot store, and what compiling throws.
 */
export const compileTraining = (model: Model, options: TrainingOptions): TrainingPlan =>
  finish(compilingTraining(model, options));

/**
 * As `compileTraining`, in many short turns: the event loop has its own about every 10 milliseconds.
 * An abort rejects with the signal's reason within a turn.
 */
export async function compileTrainingAsync(
  model: Model,
  { signal, plans, ...options }: AsyncTrainingOptions,
): Promise<TrainingPlan> {
  const asked = completed(options);
  const traced = await inTurns(tracing(model, asked), { signal });
  const make = () => inTurns(compilingTraced(model, asked, traced), { signal });
  const said = plans && describeTraining(model, asked, traced, plans.nameOf);
  return plans && said !== undefined ? plans.of(said, make) : make();
}

export interface AsyncTrainingOptions extends TrainingOptions, TurnOptions {
  /** Where plans are kept: one that is there is not compiled again. */
  readonly plans?: KeptPlans | undefined;
}

function* compilingTraining(model: Model, given: TrainingOptions): Pausing<TrainingPlan> {
  const asked = completed(given);
  return yield* compilingTraced(model, asked, yield* tracing(model, asked));
}

/** Options as they were given, checked; gradients in halves ask for a scaled loss. */
function completed(asked: TrainingOptions): TrainingOptions {
  checkTrainingOptions(asked);
  const scaled = asked.precision === "mixed" && !asked.scaling;
  return scaled ? { ...asked, scaling: usualScaling } : asked;
}

function* compilingTraced(
  model: Model,
  options: TrainingOptions,
  traced: Traced,
): Pausing<TrainingPlan> {
  const {
    precision = "f32",
    target = defaultTarget.name,
    optimiser,
    micro = 1,
    ranks = 1,
  } = options;
  const { profile = usualProfile(targetNamed(target)) } = options;
  const backward = yield* backwardPass(model, options, traced);
  const moved = writtenStates(backward.graph);
  if (ranks > 1 && moved.length > 0) throw apart(moved[0]!.name);
  const { program, evaluation } = traced;
  const forward = traced.programs.map(
    ([name, graph]) => [name, evaluated(name, graph, backward.graph)] as const,
  );
  const adapters = joinedAdapters([traced.adapters, ...forward.map(([, g]) => g.adapters ?? [])]);
  const device = capableOf(targetNamed(target), profile);
  const adding = traced.sums.length > 0 ? [graphOf(traced.sums, "as written")] : [];
  const others = [...forward.map(([, g]) => g), ...(evaluation ? [evaluation] : []), ...adding];
  const graphs = [backward.graph, ...others];
  const memory = layOut(backward, graphs, { ...options, profile, device });
  if (isDue()) yield;
  const spec: UpdateSpec = {
    parts: memory.parts,
    tensors: memory.tensors.length,
    optimiser,
    accumulate: micro,
    ...(options.clip === undefined ? {} : { clip: options.clip }),
    ...(options.scaling ? { scaling: options.scaling } : {}),
    ...(moved.length > 0 ? { states: moved } : {}),
  };
  const { layout } = memory;
  const shared = new Shared();
  const plan = function* (graph: Graph, part: string, as: Precision): Pausing<Plan> {
    const name = `${model.name}-${part}`;
    const asked = { name, target, profile, layout, precision: as };
    return (yield* compiling(graph, asked, shared)).plan;
  };
  // The optimiser's own numbers are single always.
  const update = yield* plan(updateGraph(spec), "update", "f32");
  const accumulate =
    micro > 1 ? { accumulate: yield* plan(accumulateGraph(spec), "accumulate", "f32") } : {};
  const sums: { sums?: Plan } = {};
  for (const graph of adding) sums.sums = yield* plan(graph, "sums", precision);
  const programs: Record<string, Plan> = {};
  for (const [name, graph] of forward) programs[name] = yield* plan(graph, name, precision);
  const evaluate = evaluation ? { evaluate: yield* plan(evaluation, "evaluate", precision) } : {};
  const beside = [accumulate, sums, evaluate, programs].flatMap((plans) => Object.values(plans));
  const measure = function* (graph: Graph) {
    const buffers = yield* planBuffers(graph, profile, layout, { precision, device });
    return trainingBytes([{ buffers }, update, ...beside]).total;
  };
  const { budget } = options;
  const chosen =
    budget === undefined
      ? { graph: backward.graph, recomputed: 0 }
      : yield* chooseKept({
          ...backward,
          budget,
          measure,
          profile,
          name: `training ${model.name}`,
        });
  const trained = yield* plan(chosen.graph, "backward", precision);
  modelStates({ [program]: trained, ...programs }, ownName);
  return {
    format: trainingFormat,
    name: model.name,
    target,
    backward: trained,
    recomputed: chosen.recomputed,
    ...sums,
    ...accumulate,
    update,
    ...evaluate,
    programs,
    frozen: memory.frozen,
    tensors: memory.tensors,
    groups: memory.groups,
    moments: optimiser.moments,
    optimiser: { name: optimiser.name, options: optimiser.options },
    ...{ micro, ranks },
    settings: settingsOf(options, traced),
    targets: targetsOf(traced.asked),
    terms: traced.terms.map((t) => t.name),
    ...(adapters.length > 0 ? { adapters } : {}),
  };
}

/** The same adapters as several programs have them, with the places that any of them passes. */
const joinedAdapters = ([
  first = [],
  ...others
]: readonly (readonly PlanAdapter[])[]): PlanAdapter[] =>
  first.map((adapter, i) => {
    const more = others.flatMap((list) => list[i]?.places ?? []);
    return { ...adapter, places: [...new Set([...adapter.places, ...more])] };
  });

interface Backward extends Trainable {
  readonly graph: Graph;
  /** The loss and what states become: where the forward pass ends. */
  readonly forward: readonly Tensor[];
}

function* backwardPass(model: Model, options: TrainingOptions, traced: Traced): Pausing<Backward> {
  const { scope } = traced;
  const { terms, moved, usage } = yield* simplified(traced);
  const total = totalOf(terms);
  if (isDue()) yield;
  const candidates = parametersBehind(graphOf(terms).nodes).filter((t) =>
    traced.candidates.has(nameOf(t)),
  );
  const cotangent = options.scaling
    ? reshape(lossScale(state("scale", "f32", [4]), options.scaling), [])
    : full(1, []);
  const { reached, joined } = yield* gradientsOf(total, cotangent, candidates, (t) =>
    usage.has(nameOf(t)),
  );
  if (reached.length === 0) throw nothingTrains(model);
  if (isDue()) yield;
  const graph = graphOf(
    [
      ...lossOutputs(total, terms),
      ...joined.map(({ join, gradient: g }) => ({ name: gradientOf(join.parts), tensor: g })),
      ...reached
        .filter(({ parameter }) => !joined.some((j) => j.join.parts.includes(nameOf(parameter))))
        .map(({ parameter, gradient: g }) => ({
          name: gradientOf([nameOf(parameter)]),
          tensor: g,
        })),
      { name: "present", tensor: presence(reached, usage) },
      ...moved,
    ],
    "as written",
    traced.states,
  );
  if (isDue()) yield;
  return {
    graph,
    forward: [total, ...moved.map((o) => o.tensor)],
    trained: reached.map((r) => r.parameter),
    grafted: scope.grafted,
    joined: joined.map((j) => j.join),
  };
}

interface Reached {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
}

/**
 * The gradients of all candidates that have one, and of joins as wholes. The parameters of a join
 * follow one another, and what always has a gradient comes first: its flags are one constant.
 */
function* gradientsOf(
  total: Tensor,
  cotangent: Tensor,
  candidates: readonly Tensor[],
  isFlagged: (parameter: Tensor) => boolean,
) {
  const graph = graphOf([{ name: "loss", tensor: total }]);
  if (isDue()) yield;
  const joins = joinsOf(graph);
  const uses = usesOf(graph);
  const stacked = graph.nodes.flatMap((n) => {
    const tensor = resultsOf(n)[0]!;
    const join = joins.of(tensor);
    return join && isReadOnlyThere(n, uses) ? [{ tensor, join }] : [];
  });
  const wrt = [...candidates, ...stacked.map((s) => s.tensor)];
  const found = yield* gradients([total], [cotangent], wrt);
  const reached = candidates.flatMap((parameter, i): Reached[] => {
    const g = found[i];
    return g ? [{ parameter, gradient: g }] : [];
  });
  const units = inUnits(reached, (r) => nameOf(r.parameter), joins.all);
  const flagged = (unit: readonly Reached[]) => Number(unit.some((r) => isFlagged(r.parameter)));
  units.sort((a, b) => flagged(a) - flagged(b));
  const trained = new Set(reached.map((r) => nameOf(r.parameter)));
  const joined = stacked.flatMap(({ join }, i) => {
    const g = found[candidates.length + i];
    if (!g || !join.parts.every((part) => trained.has(part))) return [];
    const [count, own] = [join.parts.length, elements(g.shape) / join.parts.length];
    const rows = reshape(g, [count, own]) as Tensor;
    return [{ join, gradient: pad(rows, [[], [0, spacingOf(join, plain(g.dtype)).stride - own]]) }];
  });
  return { reached: units.flat(), joined };
}

/** Whether nothing else reads the parameters that a node stacks. */
const isReadOnlyThere = (stack: Node, uses: ReturnType<typeof usesOf>): boolean =>
  stack.inputs.every((x) => uses.get(x)!.every(({ node }) => node === stack));

const apart = (state: string) =>
  diagnose("E620", {
    message: `each step moves the state ${ownName(state)} by the pictures of one rank: ranks would no longer have the same`,
    help: "train it with one rank",
  });

function nothingTrains(model: Model) {
  const adapters = (model.bindings ?? []).map((b) => b.adapter.name).join(", ");
  return diagnose("E133", {
    message: `no parameter of ${model.name} trains (adapters: ${adapters || "none"})`,
    help: 'graft an adapter on it, or say what trains: adapt(model, adapter, { train: ["..."] })',
  });
}

/**
 * The same terms by the laws of algebra, before they are differentiated: a product that need not be
 * formed has no derivative either. What states become and the flags of parameters come along.
 */
function* simplified({ terms, moves, scope }: Traced) {
  const flags = flagsOf(scope);
  const outputs = [
    ...terms,
    ...moves.map(({ tensor }, i) => ({ name: `state ${i}`, tensor })),
    ...flags.map(({ output }) => output),
  ];
  const { graph } = yield* applyLaws(graphOf(outputs, "as written"));
  const found = graph.outputs.map((o) => o.tensor);
  const usage = new Map<string, Tensor<"bool">[]>();
  for (const [j, { path }] of flags.entries()) {
    const flag = found[terms.length + moves.length + j] as Tensor<"bool">;
    usage.set(path, [...(usage.get(path) ?? []), flag]);
  }
  const simpler = (all: readonly Output[], from: number): Output[] =>
    all.map(({ name }, i) => ({ name, tensor: found[from + i]! }));
  return { terms: simpler(terms, 0), moved: simpler(moves, terms.length), usage };
}

/** 1 where a tensor has a gradient in this step, f32 `[tensors]`. */
function presence(
  reached: readonly { readonly parameter: Tensor }[],
  usage: Scope["usage"],
): Tensor<"f32"> {
  const flags = reached.map(({ parameter }) => usage.get(nameOf(parameter)));
  const first = flags.findIndex((f) => f !== undefined);
  const always = first < 0 ? flags.length : first;
  const parts = flags.slice(always).map((any) => {
    if (!any) return full(1, [1]);
    const flag = any.map((f) => reshape(f, [1])).reduce((a, b) => or(a, b));
    return cast(flag, "f32") as Tensor<"f32">;
  });
  return endToEnd(always > 0 ? [full(1, [always]), ...parts] : parts);
}
