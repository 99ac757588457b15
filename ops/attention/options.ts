/** What attention may be given, how that is checked, and what the op is given for it. */
import {
  checkList,
  checkNames,
  checkNumber,
  checkTensors,
  type Fail,
  refuse,
  sameShape,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { broadcastTo } from "../views/broadcast.ts";
import { reshape } from "../views/reshape.ts";
import { type AttentionAttrs, checkOperands, type Extra } from "./definition.ts";
import { relativeTerms } from "./relative.ts";

export interface AttentionOptions {
  /** What <q, k> is multiplied with: 1 / sqrt(depth) unless given. */
  readonly scale?: number;
  /** Added to the scores; broadcasts to [batch, heads, queries, keys]. */
  readonly bias?: Tensor;
  /** Decomposed relative positions: tables [2 H - 1, depth] and [2 W - 1, depth]. */
  readonly relative?: Relative;
}

export interface Relative {
  readonly height: Tensor;
  readonly width: Tensor;
  readonly grid: readonly [rows: number, columns: number];
}

export interface AttentionResults {
  /** [batch, heads, queries, out] */
  readonly out: Tensor<"f32">;
  /**
   * The logarithm of the sum over keys of exp(score), relative to the largest score of the row and
   * so never out of range: [batch, heads, queries]. Attentions of the same queries to disjoint keys
   * merge with it: their results weighted with the softmax of their statistics.
   */
  readonly statistics: Tensor<"f32">;
}

/** What the op takes. */
export interface Prepared {
  readonly inputs: readonly Tensor[];
  readonly attrs: AttentionAttrs;
}

/** Of arguments as users write them. Throws E101 for what does not fit. */
export function prepared(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Prepared {
  checkTensors("attention", { q, k, v });
  checkNames("attention", options, { scale: true, bias: true, relative: true });
  const { scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1), bias, relative } = options;
  checkNumber("attention", [q, k, v], "the scale", scale);
  if (bias !== undefined) checkTensors("attention", { bias });
  if (relative !== undefined)
    checkNames("attention", relative, { height: true, width: true, grid: true });
  const fail: Fail = (message, help) => refuse("attention", [q, k, v], message, help);
  checkOperands([q.type, k.type, v.type], fail);
  if (relative !== undefined) checkRelative([q, k, v], relative);
  const [batch, heads, queries, depth] = q.shape as [number, number, number, number];
  const [, shared, keys] = k.shape as [number, number, number];
  // Heads that share keys and values are rows of one head: nothing is repeated.
  const rows = [batch, shared, (heads / shared) * queries];
  const extras: Partial<Record<Extra, Tensor>> = {};
  if (bias) extras.bias = shaped(broadcastTo(bias, [batch, heads, queries, keys]), [...rows, keys]);
  if (relative) extras.relative = relativeTerms(q, relative.height, relative.width, relative.grid);
  return {
    inputs: [shaped(q, [...rows, depth]), k, v, ...Object.values(extras)],
    attrs: { scale, extras: Object.keys(extras) as Extra[], grid: relative?.grid },
  };
}

export const shaped = (x: Tensor, shape: readonly number[]): Tensor =>
  sameShape(x.shape, shape) ? x : (reshape(x, shape) as Tensor);

function checkRelative([q, k, v]: readonly [Tensor, Tensor, Tensor], given: Relative): void {
  const { height, width, grid } = given;
  checkTensors("attention", { height, width });
  const inputs = [q, k, v, height, width];
  checkList("attention", inputs, "the grid", grid, 2);
  for (const n of grid) checkNumber("attention", inputs, "the grid", n, { least: 1, whole: true });
  const [rows, columns] = grid;
  const [queries, keys, depth] = [q.shape[2]!, k.shape[2]!, q.shape[3]!];
  if (queries !== rows * columns || keys !== rows * columns)
    refuse(
      "attention",
      inputs,
      `${queries} queries and ${keys} keys do not fill a ${rows} x ${columns} grid`,
      "give the grid on which queries and keys lie",
    );
  for (const [name, table, size] of [
    ["rows", height, rows],
    ["columns", width, columns],
  ] as const)
    if (table.shape.join() !== [2 * size - 1, depth].join())
      refuse(
        "attention",
        inputs,
        `the table of relative ${name} is ${show(table)}, not f32[${2 * size - 1}, ${depth}]`,
        "resize the table to 2 * size - 1 rows first",
      );
}
