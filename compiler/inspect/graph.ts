/** Prints a traced program: what goes in, every node in order, what comes out. */
import { type Graph, inputsOf, parametersOf, statesOf } from "../graph/graph.ts";
import type { Source } from "../graph/sources.ts";
import { isSource, type Node, show } from "../graph/tensor.ts";
import { columns, nameTensors, section } from "./names.ts";

/** Where a node was written, in a few characters; undefined leaves it out. */
export type PlaceOf = (node: Node) => string | undefined;

/**
 * ```
 * inputs
 *   x  f32[4, 64]  The tokens.
 * nodes
 *   %0  permute(up.weight) axes 1, 0  f32[64, 256]  mlp.graph.ts:9
 * outputs
 *   y  %0  f32[64, 256]
 * ```
 */
export function printGraph(graph: Graph, placeOf: PlaceOf = () => undefined): string {
  const nameOf = nameTensors(graph);
  const source = ({ name, type, doc = "" }: Source) => [name, show(type), doc];
  const rows = graph.nodes
    .filter((node) => !isSource(node))
    .map((node) => {
      const results = node.types.map((_, result) => nameOf({ node, result }));
      const note = node.op.note?.(node.attrs);
      const call = `${node.op.name}(${node.inputs.map(nameOf).join(", ")})`;
      return [
        results.join(", "),
        note ? `${call} ${note}` : call,
        node.types.map(show).join(", "),
        placeOf(node) ?? "",
      ];
    });
  const outputs = graph.outputs.map(({ name, tensor }) => [
    name,
    nameOf(tensor),
    show(tensor.type),
  ]);
  return `${[
    ...section("inputs", columns(inputsOf(graph).map(source))),
    ...section("parameters", columns(parametersOf(graph).map(source))),
    ...(statesOf(graph).length > 0 ? section("states", columns(statesOf(graph).map(source))) : []),
    ...section("nodes", columns(rows)),
    ...section("outputs", columns(outputs)),
  ].join("\n")}\n`;
}
