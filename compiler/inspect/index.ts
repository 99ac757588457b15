/** Every stage of a compilation as text. */
import { bug } from "../../diagnostics/index.ts";
import type { Compilation } from "../compile.ts";
import type { Kernel } from "../kernel/ir.ts";
import { printKernel } from "../kernel/pseudo-text.ts";
import type { Plan } from "../plan.ts";
import { targets } from "../targets/find.ts";
import { readable, type Target } from "../targets/target.ts";
import { type PlaceOf, printGraph } from "./graph.ts";
import { printPlan } from "./plan.ts";
import { printRegions } from "./regions.ts";

export type { PlaceOf } from "./graph.ts";

type Print = (compilation: Compilation, placeOf?: PlaceOf) => string;

const beforeTargets: Readonly<Record<string, Print>> = {
  graph: ({ graph }, placeOf) => printGraph(graph, placeOf),
  rewritten: ({ rewritten, rules }) => printGraph(rewritten, (node) => rules.get(node)),
  regions: ({ rewritten, fusion }) => printRegions(rewritten, fusion),
  tiles: ({ kernels }) => printTiles(kernels.map(({ kernel }) => kernel)),
  kernels: ({ kernels }) => kernels.map(({ kernel }) => printKernel(kernel)).join("\n"),
};

const ofTargets = targets.map((target): [string, Print] => [
  target.name,
  ({ plan }) => printSources(plan, target),
]);

const printers: ReadonlyMap<string, Print> = new Map([
  ...Object.entries(beforeTargets),
  ...ofTargets,
  ["plan", printPlan],
]);

/** In the order of the pipeline; those named like a target are its text. */
export const stages: readonly string[] = [...printers.keys()];

/** One of `stages`. */
export type Stage = string;

/** Prints one stage. For the text of a target the plan must be compiled for that target. */
export const printStage = (stage: Stage, compilation: Compilation, placeOf?: PlaceOf): string =>
  (printers.get(stage) ?? bug(`no stage ${stage}`))(compilation, placeOf);

/** The tile programs that kernels were lowered from, each once. */
function printTiles(kernels: readonly Kernel[]): string {
  const made = new Map(kernels.flatMap((k) => (k.tiles ? [[`${k.name}\n${k.tiles}`, k]] : [])));
  if (made.size === 0) return "no kernel is a tile program\n";
  return [...made.keys()].join("\n");
}

/** Each different kernel once, under a comment that says which steps run it. */
function printSources({ kernels, steps }: Plan, { comment }: Target): string {
  return kernels
    .map(({ name, source }, kernel) => {
      const users = steps.flatMap((step, i) => (step.kernel === kernel ? [i] : []));
      return `${comment} ${name}: ${users.length === 1 ? "step" : "steps"} ${users.join(", ")}\n${readable(source)}`;
    })
    .join("\n");
}
