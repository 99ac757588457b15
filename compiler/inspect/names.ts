/** Short names for the tensors of a graph: sources by their own, results as %0, %1 in order. */
import type { Graph } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { isSource, type Node, type Tensor } from "../graph/tensor.ts";

/** The name of a tensor in every printed stage of one graph. */
export type NameOf = (tensor: Pick<Tensor, "node" | "result">) => string;

export function nameTensors(graph: Graph): NameOf {
  const numbers = new Map<Node, number>();
  for (const node of graph.nodes) if (!isSource(node)) numbers.set(node, numbers.size);
  return ({ node, result }) => {
    if (isSource(node)) return (node.attrs as Source).name;
    const number = `%${numbers.get(node)}`;
    return node.types.length > 1 ? `${number}.${result}` : number;
  };
}

/** Lines of columns, each as wide as its widest cell; the last is not padded. */
export function columns(rows: readonly (readonly string[])[], pad = "  "): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  return rows.map((row) =>
    (pad + row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")).trimEnd(),
  );
}

/** A heading with its lines below it; nothing when there are none. */
export const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [heading, ...lines];
