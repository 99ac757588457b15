/**
 * Tensors that are affine in the rows of another: y[row] = x[row] L + c, the same L and c for every
 * row. For each op that keeps this true here is how L and c of its result follow from those of its
 * inputs. An op that is not here, or is used in another way, does not keep it.
 */

import { copyOp } from "../compiler/graph/sources.ts";
import { apply, elements, type Node, sameShape, type Tensor } from "../compiler/op-kit.ts";
import { add, op as addOp } from "../ops/elementwise/add.ts";
import { div, op as divOp } from "../ops/elementwise/div.ts";
import { full, op as fullOp } from "../ops/elementwise/full.ts";
import { mul, op as mulOp } from "../ops/elementwise/mul.ts";
import { neg, op as negOp } from "../ops/elementwise/neg.ts";
import { op as stopGradientOp } from "../ops/elementwise/stop-gradient.ts";
import { op as subOp } from "../ops/elementwise/sub.ts";
import { matmul, op as matmulOp } from "../ops/matmul/matmul.ts";
import { op as broadcastOp, broadcastTo, adjoint as sumOp, sumTo } from "../ops/views/broadcast.ts";
import { concat, op as concatOp } from "../ops/views/concat.ts";
import { permute, op as permuteOp } from "../ops/views/permute.ts";
import { reshape, op as reshapeOp } from "../ops/views/reshape.ts";
import { adjoint as padOp, op as sliceOp } from "../ops/views/slice.ts";

/** What is known of a tensor `[...rows, ...features]`. */
export interface Rows {
  /** How many leading axes count rows. */
  readonly lead: number;
  /** L: what the unit rows become, `[width, ...features]`; undefined: zeros. */
  readonly linear: Tensor | undefined;
  /** c, `[1, ...features]`; undefined: zeros. */
  readonly constant: Tensor | undefined;
}

/** Why a tensor is not affine, to be said of an op: "its sum …". */
export type Reason = string;

interface Use {
  readonly node: Node;
  /** By input: what is known of those that depend on the rows, undefined for all others. */
  readonly parts: readonly (Rows | undefined)[];
  /** The unit rows `[width, width]` themselves: a product with them is the other factor. */
  readonly unit: Tensor;
}

/** What the result of a node is, if it is affine in rows of which `parts` are. */
export function rowsOfNode(use: Use): Rows | Reason {
  const rule = rules.get(use.node.op);
  return rule ? rule(use) : beyond;
}

/** Whether an op may keep a tensor affine at all. */
export const mayBeAffine = ({ op }: Node): boolean => rules.has(op);

export const beyond = "is more than a product of the input with weights";
const varies = "treats one row of the input otherwise than another";
const mixes = "brings rows of the input together";

const rules: ReadonlyMap<unknown, (use: Use) => Rows | Reason> = new Map<
  unknown,
  (use: Use) => Rows | Reason
>([
  [copyOp, ({ parts }) => parts[0]!],
  [stopGradientOp, ({ parts }) => parts[0]!],
  [negOp, ({ parts }) => mapped(parts[0]!, neg)],
  [addOp, (use) => added(use, (x) => x)],
  [subOp, (use) => added(use, neg)],
  [mulOp, multiplied],
  [divOp, divided],
  [matmulOp, product],
  [reshapeOp, reshaped],
  [permuteOp, permuted],
  [broadcastOp, broadcast],
  [sumOp, summed],
  [sliceOp, ({ node, parts }) => among(node.attrs as Cut, parts[0]!, node, sliceOp)],
  [padOp, ({ node, parts }) => among(node.attrs as Cut, parts[0]!, node, padOp)],
  [concatOp, joined],
]);

const mapped = ({ lead, linear, constant }: Rows, change: (x: Tensor) => Tensor): Rows => ({
  lead,
  linear: linear && change(linear),
  constant: constant && change(constant),
});

/** left + right, or left - right where `sign` is neg. */
function added({ node, parts }: Use, sign: (x: Tensor) => Tensor): Rows | Reason {
  const all = allParts(node, parts);
  if (typeof all === "string") return all;
  const [left, right] = [all[0]!, mapped(all[1]!, sign)];
  const plus = (a?: Tensor, b?: Tensor) => (a && b ? add(a, b) : (a ?? b));
  return {
    lead: left.lead,
    linear: plus(left.linear, right.linear),
    constant: plus(left.constant, right.constant),
  };
}

/** Every input as rows; what does not depend on the rows is a constant of each. */
function allParts(node: Node, parts: Use["parts"]): readonly Rows[] | Reason {
  const { lead } = parts.find((part) => part !== undefined)!;
  const all: Rows[] = [];
  for (const [i, tensor] of node.inputs.entries()) {
    const part = parts[i];
    if (part && part.lead !== lead) return mixes;
    const row = part ? undefined : oneRow(tensor, lead);
    if (row === varies) return varies;
    all.push(part ?? { lead, linear: undefined, constant: row });
  }
  return all;
}

function multiplied({ node, parts: [left, right] }: Use): Rows | Reason {
  if (left && right) return beyond;
  const part = (left ?? right)!;
  const factor = oneRow(node.inputs[left ? 1 : 0]!, part.lead);
  if (factor === varies) return varies;
  if (!factor) return { lead: part.lead, linear: undefined, constant: undefined };
  return mapped(part, (x) => mul(x, factor as Tensor<"f32">));
}

function divided({ node, parts: [left, right] }: Use): Rows | Reason {
  if (right) return beyond;
  const divisor = oneRow(node.inputs[1]!, left!.lead);
  if (divisor === varies || !divisor) return varies;
  return mapped(left!, (x) => div(x, divisor as Tensor<"f32">));
}

/** Segments of rows times matrices that are one for all rows. */
function product({ node, parts, unit }: Use): Rows | Reason {
  let sum: Rows | undefined;
  for (let i = 0; i < node.inputs.length; i += 2) {
    const left = parts[i];
    const matrix = withoutBatch(node.inputs[i + 1]!);
    if (parts[i + 1] || !left) return beyond;
    if (left.lead >= node.types[0]!.shape.length) return mixes;
    if (!matrix) return varies;
    const { lead, linear, constant } = mapped(left, (x) =>
      x === unit ? matrix : (matmul(x as Tensor<"f32">, matrix as Tensor<"f32">) as Tensor),
    );
    const plus = (a?: Tensor, b?: Tensor) => (a && b ? add(a, b) : (a ?? b));
    sum = { lead, linear: plus(sum?.linear, linear), constant: plus(sum?.constant, constant) };
  }
  return sum!;
}

/** The one matrix that a batch repeats. */
function withoutBatch(tensor: Tensor): Tensor | undefined {
  if (tensor.shape.length === 2) return tensor;
  if ((tensor.node.op as unknown) === broadcastOp) return withoutBatch(tensor.node.inputs[0]!);
  return undefined;
}

function reshaped({ node, parts: [part] }: Use): Rows | Reason {
  const { shape } = node.types[0]!;
  const rows = elements(node.inputs[0]!.shape.slice(0, part!.lead));
  const product = (axes: number) => elements(shape.slice(0, axes));
  const leads = Array.from({ length: shape.length + 1 }, (_, i) => i);
  const fitting = leads.filter((axes) => product(axes) === rows);
  // Of one row any axis of size 1 may be what counts rows elsewhere: none is taken for a feature.
  const lead = rows === 1 ? fitting.at(-1) : fitting[0];
  if (lead === undefined) return "lays rows of the input and their features along one axis";
  const features = shape.slice(lead);
  const { linear, constant } = mapped(part!, (x) => shaped(x, [x.shape[0]!, ...features]));
  return { lead, linear, constant };
}

const shaped = (x: Tensor, shape: readonly number[]): Tensor =>
  sameShape(x.shape, shape) ? x : (reshape(x, shape) as Tensor);

function permuted({ node, parts: [part] }: Use): Rows | Reason {
  const { axes } = node.attrs as { readonly axes: readonly number[] };
  const { lead } = part!;
  if (axes.slice(0, lead).some((axis, i) => axis !== i)) return mixes;
  const own = [0, ...axes.slice(lead).map((axis) => axis - lead + 1)];
  return mapped(part!, (x) => permute(x, own));
}

function broadcast({ node, parts: [part] }: Use): Rows | Reason {
  const [from, to] = [node.inputs[0]!.shape, node.types[0]!.shape];
  const { lead } = part!;
  if (!keepsRows(from, to, lead)) return varies;
  return mapped(part!, (x) => broadcastTo(x, [x.shape[0]!, ...to.slice(lead)]));
}

function summed({ node, parts: [part] }: Use): Rows | Reason {
  const [from, to] = [node.inputs[0]!.shape, node.types[0]!.shape];
  const { lead } = part!;
  if (!keepsRows(from, to, lead)) return mixes;
  return mapped(part!, (x) => sumTo(x, [x.shape[0]!, ...to.slice(lead)]));
}

const keepsRows = (from: readonly number[], to: readonly number[], lead: number): boolean =>
  from.length === to.length && sameShape(from.slice(0, lead), to.slice(0, lead));

/** Attributes of slice and pad, per axis. */
interface Cut {
  readonly start: readonly number[];
  readonly step: readonly number[];
  readonly size: readonly number[];
  readonly value?: number;
}

function among(
  attrs: Cut,
  part: Rows,
  node: Node,
  op: typeof sliceOp | typeof padOp,
): Rows | Reason {
  const [from, to] = [node.inputs[0]!.shape, node.types[0]!.shape];
  const { lead } = part;
  if (!keepsRows(from, to, lead)) return mixes;
  const own = (x: Tensor, value: number) => ({
    start: [0, ...attrs.start.slice(lead)],
    step: [1, ...attrs.step.slice(lead)],
    size: [x.shape[0]!, ...attrs.size.slice(lead)],
    value,
  });
  const cut = (x: Tensor, value = 0) => apply(op as typeof padOp, [x], own(x, value))[0]!;
  const value = attrs.value ?? 0;
  const constant = part.constant ?? (value ? full(0, [1, ...from.slice(lead)]) : undefined);
  return {
    lead,
    linear: part.linear && cut(part.linear),
    constant: constant && cut(constant as Tensor, value),
  };
}

function joined({ node, parts }: Use): Rows | Reason {
  const all = allParts(node, parts);
  if (typeof all === "string") return all;
  const { lead } = all[0]!;
  const axis = (node.attrs as { readonly axis: number }).axis - lead + 1;
  if (axis < 1) return mixes;
  const join = (of: "linear" | "constant") => {
    const count = all.find((part) => part[of])?.[of]?.shape[0];
    if (count === undefined) return undefined;
    const zeros = (i: number) => full(0, [count, ...node.inputs[i]!.shape.slice(lead)]);
    return concat(
      all.map((part, i) => (part[of] ?? zeros(i)) as Tensor),
      axis,
    );
  };
  return { lead, linear: join("linear"), constant: join("constant") };
}

const elementwise: ReadonlySet<unknown> = new Set([addOp, subOp, mulOp, divOp, negOp]);

/**
 * The row `[1, ...features]` that a tensor `[...rows, ...features]` repeats; undefined: zeros.
 * `varies` where its rows differ, or may differ.
 */
function oneRow(tensor: Tensor, lead: number): Tensor | undefined | typeof varies {
  const { op, inputs, attrs } = tensor.node;
  const features = tensor.shape.slice(lead);
  const shape = [1, ...features];
  if ((op as unknown) === fullOp) {
    const { value } = attrs as { readonly value: number };
    return value === 0 ? undefined : (full(value, shape) as Tensor);
  }
  if (tensor.shape.slice(0, lead).every((n) => n === 1)) return shaped(tensor, shape);
  if ((op as unknown) === broadcastOp) {
    const [x] = inputs as [Tensor];
    const own = Math.max(0, lead - (tensor.shape.length - x.shape.length));
    const row = oneRow(x, own);
    if (row === varies || !row) return row;
    const missing = features.length - (row.shape.length - 1);
    const aligned = [1, ...Array.from({ length: missing }, () => 1), ...row.shape.slice(1)];
    return broadcastTo(shaped(row, aligned), shape);
  }
  if (!elementwise.has(op)) return varies;
  const rows = inputs.map((x) => oneRow(x, lead));
  if (rows.includes(varies)) return varies;
  const whole = rows.map((row) => (row ?? full(0, shape)) as Tensor);
  return apply(op, whole, attrs)[0]!;
}
