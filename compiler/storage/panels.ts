/**
 * Parameters in panels: a matrix that is nothing but the right operand of products lies as their kernels read it
 * (`Panels` in `compiler/plan.ts`). It is laid so once, as weights are loaded; files know nothing of it.
 */
import { holdsSingles, plain } from "../../formats/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { isParameter, type Node, type Tensor } from "../graph/tensor.ts";
import { Builder } from "../kernel/builder.ts";
import type { Value } from "../kernel/value.ts";
import type { ElementOp, Variant } from "../op.ts";
import type { Panels } from "../plan.ts";
import type { Storage } from "./formats.ts";
import type { Joins } from "./joins.ts";
import type { Layout } from "./layout.ts";

export type PanelsOf = (tensor: Tensor) => Panels | undefined;

export const noPanels: PanelsOf = () => undefined;

/** What one kernel computes, and from what. */
interface Reading {
  readonly anchor: Node;
  readonly variant: Variant | undefined;
  readonly nodes: readonly Node[];
  readonly reads: readonly Tensor[];
}

interface Stored {
  readonly storage: Storage;
  readonly joins: Joins;
  /** What lies in states is for several programs. */
  readonly layout: Layout;
}

export function panelsOf(
  graph: Graph,
  regions: readonly Reading[],
  { storage, joins, layout }: Stored,
): PanelsOf {
  const kept = new Set<Tensor>(graph.outputs.map(({ tensor }) => tensor));
  const joined = new Set(joins.all.flatMap(({ parts }) => parts));
  const found = new Map<string, Panels | undefined>();
  for (const region of regions) {
    const asked = panelsAsked(region);
    for (const t of region.reads.filter(isParameter)) {
      const { name } = t.node.attrs as Source;
      const isShared = kept.has(t) || joined.has(name) || layout.parameters.has(name);
      const isPlain = storage(t) === plain(t.dtype) && holdsSingles(storage(t));
      const own = isShared || !isPlain ? undefined : asked.get(t);
      const before = found.has(name) ? found.get(name) : own;
      found.set(name, own && before?.turned === own.turned ? before : undefined);
    }
  }
  return (t) => (isParameter(t) ? found.get((t.node.attrs as Source).name) : undefined);
}

/** The parameters that a region reads in one place alone, for which its kernel asks for panels that fit. */
function panelsAsked({ anchor, variant, nodes }: Reading): ReadonlyMap<Tensor, Panels> {
  const asked = new Map<Tensor, Panels>();
  for (const [i, x] of anchor.inputs.entries()) {
    const matrix = matrixBehind(x);
    const width = variant?.panel?.(i);
    if (!matrix || !width) continue;
    const { parameter, turned } = matrix;
    const readers = nodes.flatMap((node) => node.inputs.filter((own) => own === parameter));
    if (readers.length > 1 || parameter.shape[turned ? 0 : 1]! % width !== 0) continue;
    asked.set(parameter, { width, turned });
  }
  return asked;
}

export interface Matrix {
  readonly parameter: Tensor;
  /** Whether its axes change places. */
  readonly turned: boolean;
}

/** The parameter that a matrix is, as it is or with its axes swapped. */
export function matrixBehind(x: Tensor): Matrix | undefined {
  if (x.shape.length !== 2) return undefined;
  let [at, turned] = [x, false];
  while (!isParameter(at)) {
    const swaps = swapsAxes(at.node);
    if (swaps === undefined) return undefined;
    at = at.node.inputs[0]!;
    turned = turned !== swaps;
  }
  return { parameter: at, turned };
}

/** Whether a view of a matrix swaps its axes; undefined for what is no such view. */
function swapsAxes({ op, inputs, attrs, types }: Node): boolean | undefined {
  const [input] = inputs;
  if (op.kind !== "element" || inputs.length !== 1 || input!.shape.length !== 2) return undefined;
  if ((op as ElementOp).cost !== 0 || input!.dtype !== "f32") return undefined;
  const k = new Builder();
  const at = types[0]!.shape.map((size, axis) => k.group(axis as 0 | 1, size));
  let asked: readonly Value[] = [];
  const value = k.load(k.param("matrix", "f32", 1, "read"), 0);
  const port = {
    ...{ shape: input!.shape, dtype: input!.dtype },
    at: (...coords: Value[]) => {
      asked = coords;
      return value;
    },
  };
  const result = (op as ElementOp).element({ k, inputs: [port], at, attrs, type: types[0]! });
  if (result !== value) return undefined;
  if (asked[0] === at[0] && asked[1] === at[1]) return false;
  return asked[0] === at[1] && asked[1] === at[0] ? true : undefined;
}
