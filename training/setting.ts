/** What was asked of a training, as plain data: a checkpoint tells by it whether it goes on with the same. */
import { type Graph, graphOf } from "../compiler/graph/graph.ts";
import { resultsOf, show, type Tensor } from "../compiler/graph/tensor.ts";
import type { Settings } from "../runtime/training/settings.ts";
import { hashOf } from "../runtime/weights/hash.ts";
import type { Optimiser } from "./optimisers/index.ts";

/** Options that steps depend on; what a device or a budget chooses is none of them. */
interface Asked {
  readonly optimiser: Optimiser;
  readonly micro?: number;
  readonly ranks?: number;
  readonly precision?: string;
  readonly noise?: string;
  readonly clip?: number;
  readonly groups?: unknown;
  readonly weightFormat?: string | undefined;
  readonly scaling?: unknown;
}

export function settingsOf(
  { optimiser, micro = 1, ranks = 1, precision = "f32", noise = "drawn", ...asked }: Asked,
  {
    program,
    dims,
    loss,
  }: { readonly program: string; readonly dims: object; readonly loss: string },
): Settings {
  const { clip, groups = [], weightFormat, scaling } = asked;
  const said = { micro, ranks, precision, noise, clip, groups, weightFormat, scaling };
  return {
    ...said,
    program,
    dims,
    loss,
    optimiser: { name: optimiser.name, ...optimiser.options },
  };
}

/** A hash of a loss: its terms as ops of the program's outputs, inputs and parameters, with all that the
 * ops are given. */
export function lossHash(
  terms: Readonly<Record<string, Tensor>>,
  outputs: Readonly<Record<string, Tensor>>,
): string {
  const numbers = new Map<Tensor["node"], string>();
  for (const [name, { node }] of Object.entries(outputs)) numbers.set(node, `output ${name}`);
  const named = Object.entries(terms).map(([name, tensor]) => ({ name, tensor }));
  const lines: string[] = [];
  const spelled = ({ node, result }: Tensor) => `${numbers.get(node)}.${result}`;
  for (const node of nodesAfter(graphOf(named, "as written"), numbers)) {
    const line = [node.op.name, attrsText(node.attrs), ...node.inputs.map(spelled)];
    numbers.set(node, `node ${lines.length}`);
    lines.push([...line, ...resultsOf(node).map((tensor) => show(tensor.type))].join(" "));
  }
  for (const { name, tensor } of named) lines.push(`${name} = ${spelled(tensor)}`);
  return hashOf(new TextEncoder().encode(lines.join("\n")));
}

/** The nodes that are needed where the values of some are known, in order. */
function nodesAfter({ nodes, outputs }: Graph, known: ReadonlyMap<Tensor["node"], string>) {
  const needed = new Set(outputs.map((o) => o.tensor.node));
  for (const node of [...nodes].reverse())
    if (needed.has(node) && !known.has(node)) for (const x of node.inputs) needed.add(x.node);
  return nodes.filter((node) => needed.has(node) && !known.has(node));
}

/** JSON has no NaN and no infinities. */
const attrsText = (attrs: unknown): string =>
  JSON.stringify(attrs ?? null, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
