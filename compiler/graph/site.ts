/**
 * Sites: places in a model where adapters may come in. A model names them as it is traced; an
 * adapter is bound to them by path, and computes around what the model would have computed alone.
 */
import type { PlanAdapter } from "../plan.ts";
import type { Parameters } from "./parameters.ts";
import { matchesPath } from "./path.ts";
import type { Source } from "./sources.ts";
import type { Shape, Tensor } from "./tensor.ts";

/** What a model says of a place, for adapters that need more than the tensor. */
export interface SiteFacts {
  /** Features that go in and come out, of the last axis. */
  readonly inputs?: number;
  readonly outputs?: number;
  /** The rows are maps, one after another: [maps, height, width]. */
  readonly map?: readonly [number, number, number];
  readonly [fact: string]: unknown;
}

/** What an adapter sees of the place that it is grafted on. */
export interface Site extends SiteFacts {
  readonly path: string;
  readonly kind: string;
  /** The model's own parameters at this path. */
  readonly p: Parameters;
  /**
   * The adapter's: made here and saved in its file, trained or not. Same path, names of its own;
   * `own.shared()` are those that all of its places share.
   */
  readonly own: Parameters;
  /** Which task is computed, in models of several. */
  readonly task: number | undefined;
  /** Whether the trace is for training: then noise is drawn. */
  readonly training: boolean;
  /**
   * Random numbers that are new at every step; `uniform` from 0 to 1. Pictures follow one another along the first axis:
   * where a step is computed in parts, each has the numbers that it has in the whole batch.
   */
  random(distribution: "normal" | "uniform", name: string, shape: readonly number[]): Tensor<"f32">;
  /**
   * Says when a parameter is used at all: `flag`, one bool, holds. Optimisers leave alone what has
   * never had a gradient, as PyTorch does with an expert that no sample was routed to.
   */
  usedWhen(parameter: Tensor<"f32", Shape>, flag: Tensor<"bool", Shape>): void;
  /**
   * Adds a scalar to the loss, under a name: terms of one name are summed over all sites, or
   * averaged.
   */
  term(name: string, value: Tensor<"f32", Shape>, combine?: "sum" | "mean"): void;
}

/** Computes around a place. `base` is the model without this adapter, or the adapter below. */
export type Graft<I = never, O = unknown> = (site: Site, input: I, base: (input: I) => O) => O;

/** An adapter as the compiler sees it: what to do at which kind of place, and what trains. */
export interface Adapter {
  readonly name: string;
  readonly grafts: Readonly<Record<string, Graft>>;
  /** Patterns of parameters of the model that train with it: `**.bias`. */
  readonly train?: readonly string[];
  /** What it was made with, by name: JSON. Whoever loads its file must have made it with the same. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of these, what nobody gave and no shape of its tensors tells. */
  readonly assumed?: readonly string[];
  /** Of these, what nothing needs once training is over. */
  readonly trainingOnly?: readonly string[];
}

/** An adapter and the paths where it works. */
export interface Binding {
  readonly adapter: Adapter;
  readonly where: readonly string[];
  /** Patterns of parameters that train beside the adapter's own; `!` takes back. */
  readonly train: readonly string[];
}

/** What one trace knows and collects beside its graph. */
export interface Scope {
  readonly bindings: readonly Binding[];
  readonly training: boolean;
  readonly task?: number | undefined;
  readonly random: Site["random"];
  /** What the names of the program's states begin with, where other states lie beside them. */
  readonly prefix: string;
  /** Terms of the loss that adapters added. */
  readonly terms: Map<string, Tensor<"f32">[]>;
  /** Names of terms that are averaged instead of summed. */
  readonly averaged: Set<string>;
  /** Flags of parameters that are not always used, by path: used where any holds. */
  readonly usage: Map<string, Tensor<"bool">[]>;
  /** The parameters that adapters made, by path: whether they train unless a pattern names them. */
  readonly grafted: Map<string, boolean>;
  /** Every place that the model named, with its kind. */
  readonly sites: { readonly path: string; readonly kind: string }[];
  /** The places where each binding worked. */
  readonly worked: Map<Binding, Set<string>>;
}

export const emptyScope = (
  options: Partial<Pick<Scope, "training" | "random" | "bindings" | "prefix">> = {},
): Scope => ({
  bindings: [],
  training: false,
  prefix: "",
  random: (_distribution, name) => {
    throw new TypeError(`no noise is drawn outside training: ${name}`);
  },
  terms: new Map(),
  averaged: new Set(),
  usage: new Map(),
  grafted: new Map(),
  sites: [],
  worked: new Map(),
  ...options,
});

/** What plans and files say of the adapters that a trace had, with the places that it passed. */
export const adaptersOf = ({ bindings, worked }: Pick<Scope, "bindings" | "worked">) =>
  bindings.map((binding): PlanAdapter => {
    const { name, settings = {}, assumed = [], trainingOnly = [] } = binding.adapter;
    const values = Object.entries(settings).map(([key, value]) => [key, value ?? null] as const);
    const places = [...(worked.get(binding) ?? [])];
    return { name, settings: Object.fromEntries(values), assumed, trainingOnly, places };
  });

export function graft<I, O>(
  p: Parameters,
  kind: string,
  input: I,
  base: (input: I) => O,
  facts: SiteFacts,
): O {
  const { scope, path } = p;
  scope.sites.push({ path, kind });
  let compute = base;
  for (const binding of scope.bindings) {
    const { adapter, where } = binding;
    const around = adapter.grafts[kind] as Graft<I, O> | undefined;
    if (!around || !where.some((pattern) => matchesPath(pattern, path))) continue;
    const worked = scope.worked.get(binding) ?? new Set();
    scope.worked.set(binding, worked.add(path));
    const inner = compute;
    const site = siteOf(p, kind, binding, facts);
    compute = (x) => around(site, x, inner);
  }
  return compute(input);
}

function listed<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

function siteOf(p: Parameters, kind: string, binding: Binding, facts: SiteFacts): Site {
  const { scope, path } = p;
  return {
    ...facts,
    path,
    kind,
    p,
    own: p.within(scope, binding),
    task: scope.task,
    training: scope.training,
    random: (distribution, name, shape) => scope.random(distribution, `${path}.${name}`, shape),
    usedWhen(parameter, flag) {
      const { name } = parameter.node.attrs as Source;
      listed(scope.usage, name).push(flag);
    },
    term(name, value, combine = "sum") {
      if (combine === "mean") scope.averaged.add(name);
      listed(scope.terms, name).push(value);
    },
  };
}
