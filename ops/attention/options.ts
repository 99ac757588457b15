/** What attention may be given, and how that is checked. */
import {
  checkList,
  checkNames,
  checkNumber,
  checkTensors,
  type DType,
  type Fail,
  refuse,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { checkOperands } from "./definition.ts";

export interface AttentionOptions {
  /** What <q, k> is multiplied with: 1 / sqrt(depth) unless given. */
  readonly scale?: number;
  /** Added to the scores; broadcasts to [batch, heads, queries, keys]. */
  readonly bias?: Tensor;
  /** Bool, true where a query sees a key; broadcasts to [batch, heads, queries, keys]. */
  readonly mask?: Tensor;
  /** How many keys exist in each batch: i32 or u32 [batch]. */
  readonly lengths?: Tensor;
  /**
   * Query i sees keys up to i, as with PyTorch's `is_causal`; with a number, keys up to i + that. So
   * `keys - queries` lets the last query see all.
   */
  readonly causal?: boolean | number;
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

const names = {
  ...{ scale: true, bias: true, relative: true },
  ...{ mask: true, lengths: true, causal: true },
} as const;

/** The options with what is not given; `offset` is of causal attention. Throws E101 for what does not fit. */
export function checked(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions) {
  checkTensors("attention", { q, k, v });
  checkNames("attention", options, names);
  const { scale = 1 / Math.sqrt(q.shape.at(-1) ?? 1), relative, causal = false } = options;
  checkNumber("attention", [q, k, v], "the scale", scale);
  const fail: Fail = (message, help) => refuse("attention", [q, k, v], message, help);
  checkOperands([q.type, k.type, v.type], fail);
  if (relative !== undefined) checkRelative([q, k, v], relative);
  checkTensor("bias", options.bias, "f32", "a mask of booleans is the option mask");
  checkTensor(
    "mask",
    options.mask,
    "bool",
    "compare: mask: gt(x, 0); what is added is the option bias",
  );
  const scores = [...q.shape.slice(0, 3), k.shape[2]!];
  for (const name of ["bias", "mask"] as const) checkSpread(name, options[name], scores);
  checkLengths(options.lengths, q.shape[0]!);
  if (typeof causal !== "boolean")
    checkNumber("attention", [q, k, v], "what causal moves by", causal, { whole: true });
  const offset = typeof causal === "number" ? causal : causal ? 0 : undefined;
  return { ...options, scale, offset };
}

function checkTensor(name: string, x: Tensor | undefined, dtype: DType, help: string): void {
  if (x === undefined) return;
  checkTensors("attention", { [name]: x });
  if (x.dtype !== dtype)
    refuse("attention", [x], `the ${name} is ${show(x.type)}, not ${dtype}`, help);
}

function checkSpread(name: string, x: Tensor | undefined, scores: readonly number[]): void {
  if (x === undefined) return;
  const lead = scores.length - x.shape.length;
  if (lead >= 0 && x.shape.every((n, i) => n === 1 || n === scores[lead + i])) return;
  refuse(
    "attention",
    [x],
    `the ${name} is ${show(x.type)}, which does not broadcast to [${scores.join(", ")}]`,
    "its sizes are 1 or those of batch, heads, queries and keys, aligned at the keys",
  );
}

function checkLengths(x: Tensor | undefined, batch: number): void {
  if (x === undefined) return;
  checkTensors("attention", { lengths: x });
  if (x.shape.join() === String(batch) && (x.dtype === "i32" || x.dtype === "u32")) return;
  refuse(
    "attention",
    [x],
    `the lengths are ${show(x.type)}, not i32[${batch}] or u32[${batch}]`,
    "give how many keys exist, a whole number for each batch",
  );
}

function checkRelative([q, k, v]: readonly [Tensor, Tensor, Tensor], given: Relative): void {
  checkNames("attention", given, { height: true, width: true, grid: true });
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
