/** Every stage of a compilation as text. */
import type { Compilation } from "../compile.ts";
import { printKernel } from "../kernel/pseudo-text.ts";
import type { Plan } from "../plan.ts";
import { type PlaceOf, printGraph } from "./graph.ts";
import { printPlan } from "./plan.ts";
import { printRegions } from "./regions.ts";

export type { PlaceOf } from "./graph.ts";

/** In the order of the pipeline. `wgsl` and `cuda` are the text of the plan's target. */
export const stages = ["graph", "rewritten", "regions", "kernels", "wgsl", "cuda", "plan"] as const;
export type Stage = (typeof stages)[number];

/** Prints one stage. For `wgsl` and `cuda` the plan must be compiled for that target. */
export function printStage(stage: Stage, compilation: Compilation, placeOf?: PlaceOf): string {
  switch (stage) {
    case "graph":
      return printGraph(compilation.graph, placeOf);
    case "rewritten":
      return printGraph(compilation.rewritten, (node) => compilation.rules.get(node));
    case "regions":
      return printRegions(compilation.rewritten, compilation.fusion);
    case "kernels":
      return compilation.kernels.map(({ kernel }) => printKernel(kernel)).join("\n");
    case "wgsl":
    case "cuda":
      return printSources(compilation.plan);
    case "plan":
      return printPlan(compilation);
  }
}

/** Each different kernel once, under a comment that says which steps run it. */
function printSources({ kernels, steps }: Plan): string {
  return kernels
    .map(({ name, source }, kernel) => {
      const users = steps.flatMap((step, i) => (step.kernel === kernel ? [i] : []));
      return `// ${name}: ${users.length === 1 ? "step" : "steps"} ${users.join(", ")}\n${source}`;
    })
    .join("\n");
}
