/**
 * Joins: parameters that a graph stacks lie side by side in memory, so that the stack is there already.
 * Each begins at a multiple of 256 bytes after the one before: whatever alignment a device asks of a
 * binding, the parts can also be bound alone.
 */
import { alignedElements, type FormatName } from "../../formats/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { elements, isParameter, resultsOf, type Tensor } from "../graph/tensor.ts";
import type { ElementOp } from "../op.ts";

export interface Join {
  /** The parameters' paths, in order. */
  readonly parts: readonly string[];
  /** Elements of each part. */
  readonly own: number;
}

/** How a join lies in memory. */
export interface Spacing {
  /** Elements from the beginning of one part to that of the next. */
  readonly stride: number;
  /** Elements from the first of the first part to the last of the last one. */
  readonly size: number;
}

export interface Joins {
  /** The join that a tensor is; undefined if it is none. */
  of(tensor: Tensor): Join | undefined;
  /** Every join once, however often it is stacked. */
  readonly all: readonly Join[];
}

export const noJoins: Joins = { of: () => undefined, all: [] };

/** In bytes. */
export const joinAlignment = 256;

/** A tensor by itself is a join of one part. */
export function spacingOf(
  { parts, own }: { readonly parts: ArrayLike<unknown>; readonly own: number },
  format: FormatName,
): Spacing {
  const step = alignedElements(format, joinAlignment);
  const stride = Math.ceil(own / step) * step;
  return { stride, size: (parts.length - 1) * stride + own };
}

export function joinsOf({ nodes, outputs }: Pick<Graph, "nodes" | "outputs">): Joins {
  const returned = new Set(outputs.map((o) => o.tensor));
  const found = new Map<Tensor, Join>();
  const all = new Map<string, Join>();
  // A parameter can lie beside one set of others only.
  const owners = new Map<string, string>();
  for (const node of nodes) {
    if (!(node.op as ElementOp).joins || !node.inputs.every(isParameter)) continue;
    const parts = node.inputs.map((x) => (x.node.attrs as Source).name);
    const key = parts.join("\n");
    const tensor = resultsOf(node)[0]!;
    if (returned.has(tensor) || new Set(parts).size < parts.length) continue;
    if (parts.some((p) => (owners.get(p) ?? key) !== key)) continue;
    for (const p of parts) owners.set(p, key);
    const own = elements(node.inputs[0]!.shape);
    const join = all.get(key) ?? { parts, own };
    all.set(key, join);
    found.set(tensor, join);
  }
  return { of: (tensor) => found.get(tensor), all: [...all.values()] };
}

/** Items in units: those of a join, in its order, where the first of them was; others each alone. */
export function inUnits<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  joins: readonly Join[],
): (readonly T[])[] {
  const byName = new Map(items.map((item) => [nameOf(item), item]));
  const owners = new Map(joins.flatMap((join) => join.parts.map((part) => [part, join] as const)));
  const done = new Set<Join>();
  return items.flatMap((item): (readonly T[])[] => {
    const join = owners.get(nameOf(item));
    if (!join?.parts.every((part) => byName.has(part))) return [[item]];
    if (done.has(join)) return [];
    done.add(join);
    return [join.parts.map((part) => byName.get(part)!)];
  });
}
