/** Whether a region is affine in the rows of one tensor, and how. */
import { input } from "../compiler/graph/sources.ts";
import { elements, type Node, resultsOf, type Tensor } from "../compiler/graph/tensor.ts";
import { full, reshape } from "../ops/index.ts";
import { nodesBetween, type Region } from "./region.ts";
import { beyond, mayBeAffine, type Reason, type Rows, rowsOfNode } from "./rows.ts";

/** y = x L + c for each row x of a tensor: `[rows, width]` to `[rows, features]`. */
export interface Affine {
  /** L, `[width, features]`. */
  readonly linear: Tensor;
  /** c, `[1, features]`; undefined: zeros, whatever the parameters. */
  readonly constant: Tensor | undefined;
}

/** An op that keeps a region from being affine. */
export interface Obstacle {
  readonly node: Node;
  readonly reason: Reason;
}

export type Answer = { readonly affine: Affine } | { readonly obstacle: Obstacle };

/** What a model's own layer is affine in: its input, or what a norm makes of it. */
export interface Core extends Affine {
  /** The structure of that tensor, by which an adapted layer is asked for the same. */
  readonly of: string;
}

/** The unit rows of a width, as an input `unit` `[width, width]` of the graphs made here. */
export const unitRows = (width: number): Tensor => {
  const known = units.get(width) ?? input("unit", "f32", [width, width]);
  units.set(width, known as Tensor);
  return known as Tensor;
};

const units = new Map<number, Tensor>();

/**
 * What a region is affine in: its input, or the last tensor behind which nothing else is done.
 * Undefined where there is no such tensor, as in a whole block.
 */
export function coreOf(region: Region): Core | undefined {
  let of = region.key(region.inputs[0]!);
  for (;;) {
    const answer = affineIn(region, of);
    if ("affine" in answer) return { of, ...answer.affine };
    const { node, reason } = answer.obstacle;
    if (reason === beside) return undefined;
    of = region.key(resultsOf(node)[0]!);
  }
}

/** How a region's one output follows from the rows of the tensor with the structure `of`. */
export function affineIn(region: Region, of: string): Answer {
  const [output] = region.outputs as [Tensor];
  const isCore = (tensor: Tensor) => region.depends(tensor) && region.key(tensor) === of;
  const known = new Map<Tensor, Rows>();
  let unit: Tensor | undefined;
  const partOf = (tensor: Tensor): Rows | undefined => {
    if (!isCore(tensor)) return known.get(tensor);
    unit = unitRows(tensor.shape.at(-1)!);
    return { lead: tensor.shape.length - 1, linear: unit, constant: undefined };
  };
  const stops = (tensor: Tensor) => isCore(tensor) || region.inputs.includes(tensor);
  for (const node of nodesBetween(stops, [output])) {
    const parts = node.inputs.map(partOf);
    const isSource = node.inputs.length === 0;
    if (!region.depends(resultsOf(node)[0]!)) continue;
    if (isSource || node.inputs.some((tensor, i) => region.depends(tensor) && !parts[i]))
      return { obstacle: { node, reason: beside } };
    const rows = rowsOfNode({ node, parts, unit: unit! });
    if (typeof rows === "string") return { obstacle: { node, reason: rows } };
    known.set(resultsOf(node)[0]!, rows);
  }
  const rows = partOf(output);
  // Nothing depends on the input: the output is one constant, or a whole tensor of them.
  if (!rows || !unit) return { obstacle: { node: output.node, reason: unread } };
  return { affine: flattened(rows, output, unit.shape[0]!) };
}

const beside = "reads what the layer's own computation does not";
const unread = "does not depend on the input";

function flattened({ lead, linear, constant }: Rows, output: Tensor, width: number): Affine {
  const features = elements(output.shape.slice(lead));
  const flat = (x: Tensor): Tensor =>
    x.shape.length === 2 ? x : (reshape(x, [x.shape[0]!, features]) as Tensor);
  return {
    linear: linear ? flat(linear) : (full(0, [width, features]) as Tensor),
    constant: constant && flat(constant),
  };
}

/**
 * The first op of an adapted region that depends on the input otherwise than by a product, and that
 * the model alone does not have.
 */
export function firstBeyond(adapted: Region, base: Region): Obstacle | undefined {
  const own = new Set(base.nodes.map((node) => base.key(resultsOf(node)[0]!)));
  const node = adapted.nodes.find(
    (n) =>
      n.inputs.length > 0 &&
      adapted.depends(resultsOf(n)[0]!) &&
      !mayBeAffine(n) &&
      !own.has(adapted.key(resultsOf(n)[0]!)),
  );
  return node && { node, reason: beyond };
}
