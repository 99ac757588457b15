/** The places of a model as its programs pass them: what goes in and what comes out, each time. */

import { traceProgram } from "../compiler/graph/model.ts";
import { adaptersOf, type Binding, type Graft, type Scope } from "../compiler/graph/site.ts";
import { emptyScope, type Graph, type Model, matchesPath, Tensor } from "../compiler/index.ts";
import type { PlanAdapter } from "../compiler/plan.ts";

/** One time that a program passes a place. */
export interface Visit {
  readonly path: string;
  readonly kind: string;
  readonly task: number | undefined;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export interface Survey {
  readonly visits: readonly Visit[];
  readonly graphs: readonly Graph[];
  /** What a file of the adapters must say of them. */
  readonly adapters: readonly PlanAdapter[];
  /** The parameters that adapters made, by path. */
  readonly grafted: Scope["grafted"];
}

/** Whether a binding computes something at a place. */
export const worksAt = ({ adapter, where }: Binding, { path, kind }: Visit): boolean =>
  kind in adapter.grafts && where.some((pattern) => matchesPath(pattern, path));

/**
 * Traces every program of a model as it is used, with some of its adapters, and notes its visits to
 * the kinds of places that any of its adapters knows.
 */
export function survey(model: Model, bindings: readonly Binding[]): Survey {
  const visits: Visit[] = [];
  const watch: Graft = ({ path, kind, task }, given, base) => {
    const result = base(given);
    visits.push({ path, kind, task, inputs: tensorsOf(given), outputs: tensorsOf(result) });
    return result;
  };
  const kinds = (model.bindings ?? []).flatMap(({ adapter }) => Object.keys(adapter.grafts));
  const grafts = Object.fromEntries(kinds.map((kind) => [kind, watch]));
  const watcher = { adapter: { name: "merge", grafts }, where: ["**"], train: [] };
  // The last computes around all others: it sees what the adapters made of a place together.
  const scope = emptyScope({ bindings: [...bindings, watcher] });
  const graphs = Object.keys(model.programs).map((program) =>
    traceProgram(model, program, {}, scope),
  );
  const adapters = adaptersOf({ bindings, worked: scope.worked });
  return { visits, graphs, adapters, grafted: scope.grafted };
}

/** All tensors of a place's input or output, which may be one, a list or a record of them. */
function tensorsOf(value: unknown): readonly Tensor[] {
  if (value instanceof Tensor) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(tensorsOf);
}
