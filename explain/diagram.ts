/** What is connected with what: of all blocks, and inside one block. */
import type { ProgramFacts, RegionFacts, TensorFacts } from "./facts.ts";

export type Vertex =
  | { readonly kind: "block"; readonly block: number }
  | { readonly kind: "region"; readonly region: RegionFacts }
  /** An input, an output, or another block that values come from or go to. */
  | { readonly kind: "end"; readonly name: string; readonly block: number | undefined };

/** Tensors that go from one vertex to another. Edges lead from lower numbers to higher ones. */
export interface Flow {
  readonly from: number;
  readonly to: number;
  readonly tensors: readonly TensorFacts[];
}

export interface Diagram {
  readonly vertices: readonly Vertex[];
  readonly flows: readonly Flow[];
}

export function blocksDiagram({ blocks, regions }: ProgramFacts): Diagram {
  const blockOf = blockNumbers(blocks);
  const flows = new Flows();
  for (const { step, reads } of regions)
    for (const tensor of reads)
      if (typeof tensor.from === "number" && blockOf[tensor.from] !== blockOf[step])
        flows.add(`${blockOf[tensor.from]}`, `${blockOf[step]}`, tensor);
  const vertices = new Map(
    blocks.map((_, block): [string, Vertex] => [`${block}`, { kind: "block", block }]),
  );
  return flows.diagram(vertices);
}

/** The regions of a block; ends stand for what lies outside. Parameters are left out. */
export function regionsDiagram({ blocks, regions }: ProgramFacts, block: number): Diagram {
  const { first, end } = blocks[block]!;
  const blockOf = blockNumbers(blocks);
  const flows = new Flows();
  const above = new Map<string, Vertex>();
  const below = new Map<string, Vertex>();
  const endOf = (ends: Map<string, Vertex>, side: string, name: string, other?: number) => {
    const key = `${side} ${other ?? ""} ${name}`;
    ends.set(key, { kind: "end", name, block: other });
    return key;
  };
  for (const { step, reads, writes } of regions) {
    const isInside = step >= first && step < end;
    for (const tensor of reads) {
      const { from } = tensor;
      const comesFromInside = typeof from === "number" && from >= first && from < end;
      if (from === "parameter" || (!isInside && !comesFromInside)) continue;
      const source =
        typeof from !== "number"
          ? endOf(above, "above", tensor.name)
          : comesFromInside
            ? `${from}`
            : endOf(above, "above", blocks[blockOf[from]!]!.name, blockOf[from]!);
      const other = blockOf[step]!;
      const target = isInside ? `${step}` : endOf(below, "below", blocks[other]!.name, other);
      flows.add(source, target, tensor);
    }
    if (isInside)
      for (const tensor of writes)
        if (tensor.output !== undefined)
          flows.add(`${step}`, endOf(below, "below", tensor.output), tensor);
  }
  const inside = regions
    .slice(first, end)
    .map((region): [string, Vertex] => [`${region.step}`, { kind: "region", region }]);
  return flows.diagram(new Map([...above, ...inside, ...below]));
}

function blockNumbers(blocks: ProgramFacts["blocks"]): number[] {
  return blocks.flatMap(({ first, end }, i) => new Array<number>(end - first).fill(i));
}

/** Flows by the keys of their vertices; those between the same two are one. */
class Flows {
  readonly #flows = new Map<string, { from: string; to: string; tensors: Set<TensorFacts> }>();

  add(from: string, to: string, tensor: TensorFacts): void {
    const key = JSON.stringify([from, to]);
    const flow = this.#flows.get(key) ?? { from, to, tensors: new Set() };
    const known = [...flow.tensors].some((t) => t.name === tensor.name);
    if (!known) flow.tensors.add(tensor);
    this.#flows.set(key, flow);
  }

  diagram(vertices: ReadonlyMap<string, Vertex>): Diagram {
    const numbers = new Map([...vertices.keys()].map((key, i) => [key, i]));
    const flows = [...this.#flows.values()].map(({ from, to, tensors }) => ({
      from: numbers.get(from)!,
      to: numbers.get(to)!,
      tensors: [...tensors],
    }));
    return { vertices: [...vertices.values()], flows };
  }
}
