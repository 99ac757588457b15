/** What the checks of adapters share: one linear layer with an adapter, run and differentiated. */
import {
  type Adapter,
  compileAsync,
  emptyScope,
  type Graph,
  gradient,
  graphOf,
  input,
  type Parameters,
  parametersOf,
  type Scope,
  type Tensor,
  trace,
} from "../compiler/index.ts";
import { linear } from "../models/layers.ts";
import { add, cast, concat, full, or, reshape, slice } from "../ops/index.ts";
import { createSession } from "../runtime/session.ts";
import { type Check, compare } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference, type ReferenceTensor } from "./reference.ts";

export interface LayerRun {
  /** The case, whose parameters are `CASE/param.NAME`. */
  readonly name: string;
  readonly adapter: Adapter;
  readonly training: boolean;
  /** `[..., features]`. */
  readonly x: ReferenceTensor;
  /** What y is multiplied with, and then summed; without one y is not differentiated. */
  readonly cotangent?: ReferenceTensor;
  /** What the adapter draws, if it does. */
  readonly noise?: ReferenceTensor;
  /** The adapter's term of the loss, and whether it is differentiated (added to y's sum). */
  readonly term: { readonly name: string; readonly differentiated: boolean };
  /** The batch holds these tasks, one after another. */
  readonly tasks?: readonly number[];
}

export interface LayerResults {
  readonly y: ArrayLike<number>;
  readonly term: ArrayLike<number>;
  /** Of `x`, and of every parameter; undefined where none arrives. */
  readonly gradients: ReadonlyMap<string, ArrayLike<number> | undefined>;
}

export async function runLayer(
  reference: Reference,
  { device, profile, signal }: Setting,
  run: LayerRun,
): Promise<LayerResults> {
  const weight = await reference.read(`${run.name}/param.weight`, 2);
  if (weight.shape[1] !== run.x.shape.at(-1))
    throw garbled(
      reference.path,
      `${run.name}/param.weight takes ${weight.shape[1]} features, but x has ${run.x.shape.at(-1)}`,
    );
  const { graph, gradients } = layerGraph(run, weight.shape);
  const parameters = new Map<string, ReferenceTensor>();
  for (const { name, type } of parametersOf(graph)) {
    const found = await reference.read(`${run.name}/param.${name}`);
    if (found.shape.join() !== type.shape.join())
      throw garbled(
        reference.path,
        `${run.name}/param.${name} is [${found.shape.join(", ")}], not [${type.shape.join(", ")}]`,
      );
    parameters.set(name, found);
  }
  const plan = await compileAsync(graph, {
    name: run.name,
    target: device.target,
    profile,
    signal,
  });
  const session = await createSession(plan, device, { weights: weightsOf(reference, parameters) });
  try {
    const given = { x: run.x, cotangent: run.cotangent, noise: run.noise };
    const results = await session.run(
      Object.fromEntries(plan.inputs.map((t) => [t.name, dataOf(reference, run, t, given)])),
    );
    const arrived = (name: string) => (results[`used.${name}`]?.[0] ?? 1) === 1;
    const found = gradients.map((name) => {
      return [name, arrived(name) ? results[`grad.${name}`] : undefined] as const;
    });
    return { y: results.y!, term: results.term!, gradients: new Map(found) };
  } finally {
    session.close();
  }
}

/** What a gradient may be off by at least: 1e-7 of the norm of all gradients of the file. */
export async function gradientFloor(reference: Reference): Promise<number> {
  let squares = 0;
  for (const name of reference.names.filter((one) => /[/.]grad\./.test(one)))
    for (const g of (await reference.read(name)).data) squares += g * g;
  return 1e-7 * Math.sqrt(squares);
}

/** Gradients against those that the file has under `prefix`: the same ones, and no more. */
export async function* compareGradients(
  reference: Reference,
  prefix: string,
  gradients: LayerResults["gradients"],
  floor: number,
): AsyncIterable<Check> {
  for (const [parameter, mine] of gradients) {
    const name = `${prefix}grad.${parameter}`;
    if (reference.has(name)) {
      const { data } = await reference.read(name);
      // A zero that is stored and a gradient that never arrives are the same number.
      yield compare(name, mine ?? new Float32Array(data.length), data, { relative: 1e-3, floor });
    } else {
      const found = mine ? "a gradient" : "none";
      yield { name, found, allowed: "none", passed: mine === undefined };
    }
  }
}

/** A graph with `y`, `term`, `grad.NAME`, and `used.NAME` where a gradient may be none. */
function layerGraph(
  run: LayerRun,
  weight: readonly number[],
): { graph: Graph; gradients: readonly string[] } {
  const scope = emptyScope({
    bindings: [{ adapter: run.adapter, where: ["**"], train: [] }],
    training: run.training,
    random: (_distribution, _name, shape) => input("noise", "f32", shape),
  });
  const names: string[] = [];
  const graph = trace(
    (p) => {
      const x = input("x", "f32", run.x.shape);
      const y = layer(p, x, run, weight);
      const terms = scope.terms.get(run.term.name) ?? [full(0, [])];
      const term = terms.reduce((a, b) => add(a, b));
      const outputs: Record<string, Tensor> = { y, term: reshape(term, [1]) };
      const loss = [
        ...(run.cotangent ? [[y, input("cotangent", "f32", run.cotangent.shape)] as const] : []),
        ...(run.term.differentiated ? [[term, full(1, [])] as const] : []),
      ];
      const all = Object.entries(outputs).map(([name, tensor]) => ({ name, tensor }));
      const wrt: Tensor[] = parametersOf(graphOf(all))
        .filter(({ name }) => trains(scope, name))
        .map(({ name, type }) => p.f32(name, type.shape));
      const reached = gradient(
        loss.map(([tensor]) => tensor),
        loss.map(([, g]) => g),
        [x, ...wrt],
      );
      for (const [i, g] of reached.entries()) {
        const name = i === 0 ? "x" : nameOf(wrt[i - 1]!);
        names.push(name);
        if (!g) continue;
        outputs[`grad.${name}`] = g;
        const flags = scope.usage.get(name);
        if (flags) outputs[`used.${name}`] = asNumber(flags);
      }
      return outputs;
    },
    {},
    scope,
  );
  return { graph, gradients: names };
}

/** The adapter's parameters do, and the layer's bias: the published layers leave it free. */
const trains = (scope: Scope, name: string) => scope.grafted.has(name) || name === "bias";

const nameOf = (parameter: Tensor) => (parameter.node.attrs as { readonly name: string }).name;

const asNumber = (flags: readonly Tensor<"bool">[]): Tensor =>
  cast(
    flags.map((flag) => reshape(flag, [1])).reduce((a, b) => or(a, b)),
    "f32",
  );

function layer(
  p: Parameters,
  x: Tensor<"f32">,
  { tasks }: LayerRun,
  [outputs, inputs]: readonly number[],
): Tensor<"f32"> {
  if (!tasks) return linear(p, x, inputs!, outputs!);
  const each = x.shape[0]! / tasks.length;
  const parts = tasks.map((task, i) => {
    const own = slice(x, [[i * each, (i + 1) * each]]);
    return linear(p.forTask(task), own, inputs!, outputs!);
  });
  return concat(parts, 0);
}

/** What the file has for an input of the plan. @throws E361 if it is of another shape. */
function dataOf(
  { path }: Reference,
  run: LayerRun,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  given: Readonly<Record<string, ReferenceTensor | undefined>>,
): Float32Array<ArrayBuffer> {
  const found = given[name];
  if (!found) throw garbled(path, `the case ${run.name} needs "${name}", which it lacks`);
  if (found.shape.join() === shape.join()) return found.data;
  throw garbled(
    path,
    `"${name}" of ${run.name} is [${found.shape.join(", ")}], not [${shape.join(", ")}]`,
  );
}

/** Tensors of the file as a session's weights. */
const weightsOf = (reference: Reference, parameters: ReadonlyMap<string, ReferenceTensor>) => ({
  source: reference.path,
  tensors: new Map(
    [...parameters].map(([name, { shape, data }]) => [
      name,
      { dtype: "f32" as const, shape, bytes: data.byteLength },
    ]),
  ),
  async *chunks(name: string) {
    yield parameters.get(name)!.data;
  },
});

/** A case's settings in the metadata, checked one by one. */
export interface Facts {
  readonly name: string;
  number(fact: string): number;
  boolean(fact: string): boolean;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The cases that the metadata lists. @throws E361 where it does not, or a setting is missing. */
export function casesOf(reference: Reference): Facts[] {
  const cases = reference.json("cases");
  if (typeof cases !== "object" || cases === null || Array.isArray(cases))
    throw garbled(reference.path, '"cases" of its metadata is no object');
  return Object.entries(cases).map(([name, given]) => {
    const raw: Facts["raw"] = typeof given === "object" && given !== null ? given : {};
    const typed = (fact: string, type: "number" | "boolean") => {
      if (typeof raw[fact] === type) return raw[fact];
      throw garbled(reference.path, `${name} has the ${fact} ${JSON.stringify(raw[fact])}`);
    };
    return {
      name,
      raw,
      number: (fact) => typed(fact, "number") as number,
      boolean: (fact) => typed(fact, "boolean") as boolean,
    };
  });
}
