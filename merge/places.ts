/** The layers of a model that its adapters change, and how they can be merged: without any number. */
import { type Graph, graphOf, parametersOf } from "../compiler/graph/graph.ts";
import type { Model } from "../compiler/graph/model.ts";
import { isDue, type Pausing } from "../compiler/turns.ts";
import { type Affine, affineIn, type Core, coreOf, firstBeyond, type Obstacle } from "./affine.ts";
import {
  differentTasks,
  inputDependent,
  lacksBias,
  noAdapters,
  noLayer,
  noTask,
  sharedParameter,
} from "./refusals.ts";
import { noStructures, type Region, regionOf, type Structures } from "./region.ts";
import { type Survey, survey, type Visit, worksAt } from "./visits.ts";

/** A layer to merge: its own form, and what its adapters make of it. */
export interface Place {
  readonly path: string;
  /** The layer without adapters: x W + b in terms of its own parameters. */
  readonly base: Affine;
  readonly adapted: Affine;
  /** The parameters that L and c of the layer are made of, where they change. */
  readonly weight: string | undefined;
  readonly bias: string | undefined;
  /** Names of the adapters that work there. */
  readonly adapters: readonly string[];
}

export interface Merging {
  readonly places: readonly Place[];
  readonly adapters: Survey["adapters"];
  /** Parameters of adapters by path, which the bare model does not have. */
  readonly grafted: Survey["grafted"];
  /** All parameters that the adapted programs and the bare ones read, with their shapes. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
}

/**
 * Looks at every place where adapters work, for one task where the model computes several.
 * @throws E160 where a result depends on the input otherwise than by a product, E161 for a place that
 * is no layer with a weight, E162 for a layer without the bias that is needed, E163 for several
 * tasks, E165 for a model without adapters.
 */
export function* planMerging(model: Model, task: number | undefined): Pausing<Merging> {
  const bindings = model.bindings ?? [];
  if (bindings.length === 0) throw noAdapters(model.name);
  const bare = survey(model, []);
  if (isDue()) yield;
  const adapted = survey(model, bindings);
  const structures = noStructures();
  const found = new Map<string, readonly Visit[]>();
  for (const visit of adapted.visits)
    if (bindings.some((binding) => worksAt(binding, visit)))
      found.set(placeOf(visit), [...(found.get(placeOf(visit)) ?? []), visit]);
  const tasks = tasksOf([...found.values()].flat());
  if (task !== undefined && !tasks.includes(task)) throw noTask(model.name, task, tasks);
  const places: Place[] = [];
  for (const [name, all] of found) {
    if (isDue()) yield;
    const visits = all.filter((v) => task === undefined || (v.task ?? task) === task);
    // What only other tasks pass is nothing to this one.
    if (visits.length === 0) continue;
    const own = bare.visits.filter((visit) => placeOf(visit) === name);
    const place = placeOfVisits(model, visits, own, structures);
    if (place) places.push(place);
  }
  checkShared(places, bare);
  const graphs = [...bare.graphs, ...adapted.graphs];
  const { grafted, adapters } = adapted;
  return { places, adapters, grafted, parameters: shapesOf(graphs) };
}

/** One layer may be several kinds of places. */
const placeOf = ({ path, kind }: Visit): string => `${kind} ${path}`;

const tasksOf = (visits: readonly Visit[]): readonly number[] => [
  ...new Set(visits.flatMap((visit) => visit.task ?? [])),
];

/** Undefined where the adapters leave the place as it is. */
function placeOfVisits(
  model: Model,
  visits: readonly Visit[],
  own: readonly Visit[],
  structures: Structures,
): Place | undefined {
  const [first] = visits as [Visit];
  const bindings = (model.bindings ?? []).filter((binding) => worksAt(binding, first));
  const adapters = bindings.map(({ adapter }) => adapter.name);
  const where = { path: first.path, kind: first.kind, adapters };
  const base = own[0] && region(own[0], structures);
  if (!base) throw noLayer(where, "the model alone does not pass it");
  if (visits.every((visit) => isSame(region(visit, structures), base))) return undefined;
  const core = isLayer(base) ? coreOf(base) : undefined;
  const forms = distinct(own.map((v) => affineOf(model, v, core, base, structures)));
  if (forms.length > 1) throw noLayer(where, "the model itself computes it in several ways");
  const alone = forms[0]!;
  const all = distinct(visits.map((v) => affineOf(model, v, core, base, structures)));
  if (all.length > 1)
    throw tasksOf(visits).length > 1
      ? differentTasks(where, tasksOf(visits))
      : noLayer(where, "it is passed several times, and adapted in another way each time");
  const { names, text } = layerOf(alone, where);
  const [wanted] = all;
  if (wanted!.affine.constant && names.bias === undefined)
    throw lacksBias(where, names.weight, alone.affine.linear.shape[1]!);
  const changes = (of: "linear" | "constant") =>
    text(wanted!.affine[of]) !== text(alone.affine[of]);
  return {
    path: first.path,
    base: alone.affine,
    adapted: wanted!.affine,
    weight: changes("linear") ? names.weight : undefined,
    bias: changes("constant") ? names.bias : undefined,
    adapters,
  };
}

const region = (visit: Visit, structures: Structures): Region =>
  regionOf(visit.inputs, visit.outputs, structures);

const isLayer = ({ inputs, outputs }: Region): boolean =>
  inputs.length === 1 && outputs.length === 1;

const isSame = (a: Region, b: Region): boolean =>
  a.outputs.map(a.key).join() === b.outputs.map(b.key).join();

interface Known {
  readonly affine: Affine;
  readonly text: string;
}

/** A visit in terms of what the layer is affine in. Throws E160 and E161. */
function affineOf(
  model: Model,
  visit: Visit,
  core: Core | undefined,
  base: Region,
  structures: Structures,
): Known {
  const answer = ask(region(visit, structures), core, base);
  if ("affine" in answer) {
    const { linear, constant } = answer.affine;
    const outputs = constant ? [linear, constant] : [linear];
    const whole = regionOf([], outputs, structures);
    return { affine: answer.affine, text: outputs.map(whole.key).join() };
  }
  throw refusal(model, visit, answer.obstacle, base, core, structures);
}

type Asked = { readonly affine: Affine } | { readonly obstacle: Obstacle | undefined };

function ask(one: Region, core: Core | undefined, base: Region): Asked {
  const answer = core && isLayer(one) ? affineIn(one, core.of) : undefined;
  if (answer && "affine" in answer) return answer;
  return { obstacle: firstBeyond(one, base) ?? answer?.obstacle };
}

const distinct = (all: readonly Known[]): readonly Known[] => [
  ...new Map(all.map((one) => [one.text, one])).values(),
];

/** Names the first adapter with which the place cannot be merged: later ones may be harmless. */
function refusal(
  model: Model,
  visit: Visit,
  last: Obstacle | undefined,
  base: Region,
  core: Core | undefined,
  structures: Structures,
) {
  const bindings = model.bindings ?? [];
  for (const [i, binding] of bindings.entries()) {
    if (!worksAt(binding, visit)) continue;
    const { visits } = survey(model, bindings.slice(0, i + 1));
    for (const one of visits) {
      if (placeOf(one) !== placeOf(visit) || one.task !== visit.task) continue;
      const answer = ask(region(one, structures), core, base);
      if (isSame(region(one, structures), base) || "affine" in answer) continue;
      const where = { ...visit, adapters: [binding.adapter.name] };
      return answer.obstacle
        ? inputDependent(where, answer.obstacle)
        : noLayer(where, "it does more than one layer with a weight and a bias");
    }
  }
  const adapters = bindings.filter((b) => worksAt(b, visit)).map(({ adapter }) => adapter.name);
  const where = { ...visit, adapters };
  return last ? inputDependent(where, last) : noLayer(where, "it is no layer with a weight");
}

interface Layer {
  readonly names: { readonly weight: string; readonly bias: string | undefined };
  /** Equal for what is computed in the same way. */
  readonly text: (tensor: Affine["constant"]) => string;
}

/** The two parameters that a layer is made of. Throws E161. */
function layerOf(
  { affine: { linear, constant } }: Known,
  where: Parameters<typeof noLayer>[0],
): Layer {
  const read = (tensor: Affine["constant"]) =>
    tensor ? parametersOf(graphOf([{ name: "y", tensor }])).map(({ name }) => name) : [];
  const [weights, biases] = [read(linear), read(constant)];
  if (weights.length !== 1 || biases.length > 1 || biases[0] === weights[0])
    throw noLayer(
      where,
      `its own weight is made of ${weights.join(", ") || "no parameter"}, its bias of ${biases.join(", ") || "none"}`,
    );
  const structures = noStructures();
  const text = (tensor: Affine["constant"]) =>
    tensor ? regionOf([], [tensor], structures).key(tensor) : "";
  return { names: { weight: weights[0]!, bias: biases[0] }, text };
}

/** Refuses to merge a parameter that other places read too. Throws E161. */
function checkShared(places: readonly Place[], { visits, graphs }: Survey): void {
  const owners = new Map(
    places.flatMap(({ path, weight, bias }) =>
      [weight, bias].flatMap((name) => (name === undefined ? [] : [[name, path] as const])),
    ),
  );
  const structures = noStructures();
  const inside = new Map<string, Set<unknown>>();
  for (const path of new Set(owners.values())) {
    const own = visits.filter((visit) => visit.path === path);
    inside.set(path, new Set(own.flatMap((visit) => region(visit, structures).nodes)));
  }
  for (const graph of graphs)
    for (const node of graph.nodes)
      for (const { node: source } of node.inputs) {
        if (source.op.kind !== "parameter") continue;
        const { name } = source.attrs as { readonly name: string };
        const path = owners.get(name);
        if (path !== undefined && !inside.get(path)!.has(node))
          throw sharedParameter(path, name, node);
      }
}

const shapesOf = (graphs: readonly Graph[]): ReadonlyMap<string, readonly number[]> =>
  new Map(graphs.flatMap(parametersOf).map(({ name, type }) => [name, type.shape] as const));
