/** `inarch params`: how many parameters each published method trains on the published SAMs. */
import type { SamPreset } from "../models/index.ts";
import type { MethodCount, MethodRow } from "../training/forecast/parameters.ts";
import { defineCommand } from "./arguments/command.ts";

/** Columns, in order, with what people call them. */
const columns = { vit_b: "ViT-B", vit_l: "ViT-L", vit_h: "ViT-H" } as const satisfies Record<
  SamPreset,
  string
>;

export const command = defineCommand({
  description: "count what each method trains on ViT-B, L and H",
  args: {},
  async run() {
    const { countMethods } = await import("../training/forecast/parameters.ts");
    const rows = countMethods();
    return { report: rows, text: describeCounts(rows) };
  },
});

/** The table, at most 100 columns wide. */
export function describeCounts(rows: readonly MethodRow[]): string {
  const presets = Object.keys(columns) as SamPreset[];
  const cells = rows.map(({ method, counts, published }) => [
    method,
    ...presets.map((preset) => `${digits(counts[preset].trainable)} ${percent(counts[preset])}`),
    published ? `${published.millions.toFixed(2)} M${published.reproduced ? "" : " *"}` : "",
  ]);
  const table = aligned([["method", ...Object.values(columns), "paper"], ...cells]);
  const notes = rows.flatMap(({ method, counts, published }) =>
    published && !published.reproduced
      ? [
          `* ${method}: the paper prints ${published.millions.toFixed(2)} M for ViT-H; ` +
            `by its formulas there are ${digits(counts.vit_h.trainable)}.`,
        ]
      : [],
  );
  return [
    "Parameters that train, and their share of all:",
    "SAM for one class with its mask decoder; ta-lora: mSAM for NYUv2's three tasks.",
    "",
    ...table,
    "",
    "paper: what Conv-LoRA's prints for ViT-H.",
    ...notes,
    "",
  ].join("\n");
}

/** 4,020,096 */
const digits = (n: number) => n.toLocaleString("en-US");

const percent = ({ share }: MethodCount) => `${(100 * share).toFixed(2)} %`.padStart(7);

/** The first column to the left, all others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}
