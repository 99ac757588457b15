/** Attention with SAM's relative positions, alone: times, and rows computed again here. */
import { trace } from "../../../compiler/index.ts";
import type { Precision } from "../../../compiler/storage/formats.ts";
import { attention } from "../../../ops/index.ts";
import { generator } from "../../measure/rounds.ts";
import { numbers, weightsFor } from "../../problems/numbers.ts";
import type { Part, Setting } from "../part.ts";
import { asStored, openProgram } from "../programs.ts";
import { attentionName, type Heads, sizes } from "../sizes.ts";
import { rounded, timeRuns } from "../timing.ts";
import { openVariant, timedAlone, type Variant } from "../variants.ts";

export const attentions: Part = {
  name: "attention",
  about: "attention with relative positions alone",
  seconds: { full: [60, 15], small: [600, 120] },
  items: async (setting) =>
    timedAlone.flatMap((variants) =>
      sizes[setting.scale].attentions.flatMap((shape) =>
        variants.map((variant) => ({
          name: `${attentionName(shape)}, ${variant.name}`,
          run: () => timeAttention(shape, variant, setting),
        })),
      ),
    ),
};

type Values = Readonly<Record<"q" | "k" | "v" | "height" | "width", Float32Array<ArrayBuffer>>>;

async function timeAttention(shape: Heads, variant: Variant, { tell }: Setting): Promise<void> {
  const what = attentionName(shape);
  const opened = await openVariant(variant);
  if (typeof opened === "string")
    return tell({ type: "left out", what: `${what}, ${variant.name}`, reason: opened });
  const { maps, heads, grid, depth } = shape;
  const tokens = grid * grid;
  const all = [maps, heads, tokens, depth] as const;
  const table = [2 * grid - 1, depth] as const;
  const values: Values = {
    ...{ q: numbers(10, maps * heads * tokens * depth) },
    ...{ k: numbers(11, maps * heads * tokens * depth) },
    ...{ v: numbers(12, maps * heads * tokens * depth) },
    ...{ height: numbers(20, (2 * grid - 1) * depth), width: numbers(21, (2 * grid - 1) * depth) },
  };
  const graph = trace((p) => {
    const [q, k, v] = (["q", "k", "v"] as const).map((name) => p.f32(name, all));
    const relative = { height: p.f32("height", table), width: p.f32("width", table) };
    return { y: attention(q!, k!, v!, { relative: { ...relative, grid: [grid, grid] } }) };
  }, {});
  const program = await openProgram(
    {
      graph,
      weights: (parameters) => weightsFor(parameters, (name) => values[name as keyof Values]),
    },
    opened,
  );
  try {
    const y = await program.run();
    const read = Object.fromEntries(
      Object.entries(values).map(([name, v]) => [name, asStored(program, name, v)]),
    ) as Values;
    const error = errorOf(y, read, shape);
    const allowed = tolerance[opened.precision];
    tell({
      ...{ type: "check", what: `${what}, ${variant.name}`, passed: error <= allowed },
      ...{ found: `off by ${error.toExponential(1)}`, allowed: `at most ${allowed}` },
    });
    const timing = await timeRuns(program);
    // Scores and results; positions are less than a tenth of that.
    const work = 4 * maps * heads * tokens * tokens * depth;
    const teraflops = rounded(work / timing.milliseconds / 1e9);
    tell({ type: "time", what, system: "inarch", how: variant.name, ...timing, teraflops });
  } finally {
    program.close();
  }
}

/**
 * Absolute: results are means of numbers from -1 to 1. In mixed precision the shares of the positions are stored as
 * halves: up to 8, they are rounded by up to 2^-9, in bf16 by up to 2^-6.
 */
const tolerance: Readonly<Record<Precision, number>> = { f32: 1e-4, mixed: 2e-3, bf16: 1.6e-2 };
const checked = 24;

/** The largest difference in some rows, each of one head and one query. */
function errorOf(y: Float32Array, values: Values, { maps, heads, grid, depth }: Heads): number {
  const random = generator(4);
  const tokens = grid * grid;
  let largest = 0;
  for (let i = 0; i < checked; i++) {
    const start = Math.floor(random() * maps * heads) * tokens * depth;
    const query = Math.floor(random() * tokens);
    const row = attend(values, start, query, grid, depth);
    for (let d = 0; d < depth; d++) {
      const error = Math.abs(y[start + query * depth + d]! - row[d]!);
      if (!(error <= largest)) largest = error;
    }
  }
  return largest;
}

/** One row of the result, in double precision. */
function attend(
  { q, k, v, height, width }: Values,
  start: number,
  query: number,
  grid: number,
  depth: number,
): Float64Array {
  const [row, column] = [Math.floor(query / grid), query % grid];
  const dot = (b: Float32Array, at: number) => {
    let sum = 0;
    for (let d = 0; d < depth; d++) sum += q[start + query * depth + d]! * b[at + d]!;
    return sum;
  };
  const scores = Float64Array.from({ length: grid * grid }, (_, key) => {
    const [keyRow, keyColumn] = [Math.floor(key / grid), key % grid];
    return (
      dot(k, start + key * depth) / Math.sqrt(depth) +
      dot(height, (row - keyRow + grid - 1) * depth) +
      dot(width, (column - keyColumn + grid - 1) * depth)
    );
  });
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = scores.map((s) => Math.exp(s - most));
  const sum = weights.reduce((a, b) => a + b, 0);
  const result = new Float64Array(depth);
  for (let key = 0; key < weights.length; key++)
    for (let d = 0; d < depth; d++)
      result[d]! += (weights[key]! / sum) * v[start + key * depth + d]!;
  return result;
}
