/** Prints what fusion decided: each region with what melted into it, and why others did not. */
import { isView } from "../fuse/element.ts";
import type { Fusion, Region } from "../fuse/region.ts";
import type { Graph } from "../graph/graph.ts";
import { type Node, show, type Tensor } from "../graph/tensor.ts";
import { columns, type NameOf, nameTensors, section } from "./names.ts";

/**
 * ```
 * r0 matmul -> %4 f32[4, 256]
 *   views     permute %0
 *   behind    add %3, gelu %4
 *   reads     x f32[4, 64], up.weight f32[256, 64], up.bias f32[256]
 * decided against
 *   %5 add  its users would compute each element 8 times
 * ```
 */
export function printRegions(graph: Graph, { regions, reasons }: Fusion): string {
  const nameOf = nameTensors(graph);
  const apart = [...reasons].map(([node, reason]) => [
    `${nameOf({ node, result: 0 })} ${node.op.name}`,
    reason,
  ]);
  return `${[
    ...regions.flatMap((region, i) => regionLines(`r${i}`, region, nameOf)),
    ...section("decided against", columns(apart)),
  ].join("\n")}\n`;
}

function regionLines(title: string, region: Region, nameOf: NameOf): string[] {
  const { anchor, chain, writes, reads, nodes } = region;
  const behind = chain.map((link) => link.node);
  const inFront = nodes.filter((node) => node !== anchor && !behind.includes(node));
  const typed = (tensor: Tensor) => `${nameOf(tensor)} ${show(tensor.type)}`;
  const node = (one: Node) => `${one.op.name} ${nameOf({ node: one, result: 0 })}`;
  // In the order of computation: a region lists what melted in front from the anchor outwards.
  const front = inFront.reverse();
  const rows: [string, string[]][] = [
    ["views", front.filter(isView).map(node)],
    ["in front", front.filter((one) => !isView(one)).map(node)],
    ["behind", behind.map(node)],
    ["reads", reads.map(typed)],
  ];
  return [
    `${title} ${anchor.op.name} -> ${writes.map(typed).join(", ")}`,
    ...columns(rows.filter(([, list]) => list.length > 0).map(([k, list]) => [k, list.join(", ")])),
  ];
}
