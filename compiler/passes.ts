/** What is told of a compilation while it runs: each pass with its time, and what it made. */
import type { Variants } from "./forms/pick.ts";
import type { Fusion, Region } from "./fuse/region.ts";
import type { Graph } from "./graph/graph.ts";
import type { Tensor } from "./graph/tensor.ts";
import type { Kernel } from "./kernel/ir.ts";
import type { Lowered } from "./lower/lower.ts";
import type { Places } from "./memory/places.ts";
import type { Plan } from "./plan.ts";
import type { Storage } from "./storage/formats.ts";
import type { Joins } from "./storage/joins.ts";
import type { Pausing } from "./turns.ts";

export interface Pass {
  readonly name: string;
  readonly milliseconds: number;
  readonly made: Counts;
}

/** How many there are of what a pass makes or changes. */
export type Counts = Readonly<Record<string, number>>;

/** Runs one pass. What it made is counted after its time, and only where somebody listens. */
export type RunPass = <T>(name: string, work: Pausing<T>, count: (made: T) => Counts) => Pausing<T>;

/** Tells `onPass` of each pass that is run. */
export const passRunner = (onPass?: (pass: Pass) => void): RunPass =>
  onPass === undefined
    ? (_name, work) => work
    : function* (name, work, count) {
        let milliseconds = 0;
        for (;;) {
          const start = performance.now();
          const { done, value } = work.next();
          milliseconds += performance.now() - start;
          if (done) {
            onPass({ name, milliseconds, made: count(value) });
            return value;
          }
          yield;
        }
      };

/** What the passes of `compile.ts` made, in numbers. */
export const counts = {
  rewritten: (before: Graph, { nodes }: Graph): Counts => ({
    "nodes before": before.nodes.length,
    nodes: nodes.length,
  }),
  joins: ({ all }: Joins): Counts => ({ joins: all.length }),
  /** Kernel ops whose form and tile are picked, and how many different forms those are. */
  variants: (variants: Variants): Counts => ({
    kernels: variants.size,
    forms: new Set([...variants].map(([{ op }, { form }]) => `${op.name} ${form}`)).size,
  }),
  regions: ({ regions }: Fusion): Counts => ({ regions: regions.length }),
  /** Tensors in memory, by their format. */
  formats: (regions: readonly Region[], formatOf: Storage): Counts => {
    const tensors = regions.flatMap(({ reads, writes }): Tensor[] => [...reads, ...writes]);
    const sums: Record<string, number> = {};
    for (const format of [...new Set(tensors)].map(formatOf))
      sums[format] = (sums[format] ?? 0) + 1;
    return sums;
  },
  kernels: (lowered: readonly Lowered[]): Counts => ({ kernels: kernelsOf(lowered).length }),
  memory: ({ buffers }: Places): Counts => ({
    buffers: buffers.length,
    bytes: sum(buffers.map((b) => b.bytes)),
  }),
  texts: ({ kernels }: Plan): Counts => ({
    texts: kernels.length,
    bytes: sum(kernels.map(({ source }) => source.length)),
  }),
};

/** Each kernel once, however many regions share it. */
export const kernelsOf = (lowered: readonly Lowered[]): readonly Kernel[] => [
  ...new Set(lowered.map(({ kernel }) => kernel)),
];

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
