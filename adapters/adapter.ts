/**
 * What an adapter is: for each kind of place in a model, how to compute around what the model
 * computes there. An adapter is a composition of ops; it needs no kernel and no derivative.
 */

import type { Adapter, Graft, Site, SiteFacts, Tensor } from "../compiler/index.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { shown } from "../diagnostics/options.ts";

type Rows = Tensor<"f32">;

/** Queries, keys and values `[windows, heads, tokens, depth]`, as `attention` takes them. */
export interface Heads {
  readonly query: Rows;
  readonly key: Rows;
  readonly value: Rows;
  /** Decomposed relative positions of the tokens' grid. */
  readonly relative?: {
    readonly height: Rows;
    readonly width: Rows;
    readonly grid: readonly [number, number];
  };
}

/** The kinds of places that models name: what goes in, and what comes out. */
export interface Kinds {
  /** x Wᵀ + b; facts `inputs`, `outputs`; `p` has `weight` and, mostly, `bias`. */
  readonly linear: { readonly input: Rows; readonly output: Rows };
  /** A layer norm with its scale and shift; fact `outputs`. */
  readonly norm: { readonly input: Rows; readonly output: Rows };
  /** Attention of one block, between its projections: `[windows, heads, tokens, depth]`. */
  readonly attention: { readonly input: Heads; readonly output: Rows };
  /** One block of a transformer, rows to rows; facts `index`, `map`, `patches`, `image`, `hidden`. */
  readonly block: { readonly input: Rows; readonly output: Rows };
  /** All blocks: rows in, and the rows behind each block, the last of which go on; fact `map`. */
  readonly trunk: { readonly input: Rows; readonly output: readonly Rows[] };
}

type Grafts = {
  readonly [K in keyof Kinds]?: (
    site: Site,
    input: Kinds[K]["input"],
    base: (input: Kinds[K]["input"]) => Kinds[K]["output"],
  ) => Kinds[K]["output"];
};

/**
 * Defines an adapter: a function for each kind of place that it works at, what trains with it, and
 * the settings it was made with. These go into the adapter's file, so that it is not loaded into an
 * adapter that computes something else: `defineAdapter({ name, settings: { rank, alpha }, linear })`.
 */
export function defineAdapter(definition: Omit<Adapter, "grafts"> & Grafts): Adapter {
  const { name, train = [], settings = {}, assumed = [], trainingOnly = [], ...kinds } = definition;
  for (const [kind, graft] of Object.entries(kinds))
    if (graft !== undefined && typeof graft !== "function") throw noGraft(kind, graft);
  const grafts = kinds as Readonly<Record<string, Graft>>;
  return { name, train, settings, assumed, trainingOnly, grafts };
}

const noGraft = (name: string, value: unknown) => {
  const fields = ["name", "train", "settings", "assumed", "trainingOnly"];
  const near = meant(name, [...fields, "linear", "norm", "attention", "block", "trunk"]);
  return diagnose("E460", {
    message: `defineAdapter has no option "${name}", and ${shown(value)} is no function for a kind of place`,
    help: `${near === undefined ? "" : `write ${near}; `}it has ${fields.join(", ")}, and a function for each kind of place`,
  });
};

/** Names a place of a model: `base` is what the model computes there by itself. */
export const site = <K extends keyof Kinds>(
  kind: K,
  p: Site["p"],
  input: Kinds[K]["input"],
  base: (input: Kinds[K]["input"]) => Kinds[K]["output"],
  facts: SiteFacts = {},
): Kinds[K]["output"] => p.site(kind, input, base, facts);
