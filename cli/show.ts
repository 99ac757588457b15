/** `inarch show MODEL --stage …`: prints what the compiler makes of a model, at any stage. */

import { defineCommand } from "./arguments/command.ts";
import { parseDims } from "./arguments/dims.ts";
import { limitsFlag, profileOf } from "./arguments/limits.ts";
import { modelArguments, modelOf, programsOf } from "./arguments/model.ts";
import { precisionFlags, precisionOf } from "./arguments/precision.ts";

export const command = defineCommand({
  description: "print any stage of a model's compilation",
  async args() {
    const { stages } = await import("../compiler/inspect/index.ts");
    const { targets } = await import("../compiler/targets/find.ts");
    return {
      ...modelArguments,
      stage: {
        type: "enum",
        options: stages,
        default: "regions",
        description: `what to print: the traced graph, what fused, kernels as pseudo-text, ${targets.map(({ title }) => title).join(", ")}, or memory and steps`,
      },
      limits: limitsFlag,
      ...precisionFlags,
      verify: {
        type: "boolean",
        description: "check every kernel after each pass of the compiler that makes or changes it",
      },
      time: {
        type: "boolean",
        description: "print the compiler's passes instead, each with its time and what it made",
      },
      json: {
        type: "boolean",
        description:
          "print JSON: by program the text of the stage, with --stage plan the plan itself, with --time the passes",
      },
    } as const;
  },
  async run(given) {
    const { show } = await import("../explain/show.ts");
    const { findTarget } = await import("../compiler/targets/find.ts");
    const loaded = await modelOf(given);
    const stage = given.time ? "passes" : given.stage;
    const shown = show(loaded, {
      stage: given.stage,
      programs: await programsOf(loaded.model, given.program),
      dims: parseDims(given.dim),
      profile: await profileOf(given.limits, findTarget(stage)?.name),
      ...precisionOf(given),
      verify: given.verify,
      time: given.time,
    });
    const programs = Object.fromEntries(
      shown.map(({ program, text, plan, passes }) => [
        program,
        stage === "passes" ? passes : stage === "plan" ? plan : text,
      ]),
    );
    const target = findTarget(stage);
    const comment = target ? `${target.comment} ` : "";
    const titled = (program: string) =>
      shown.length > 1 ? `${comment}program ${program}\n\n` : "";
    return {
      report: { model: loaded.model.name, stage, programs },
      text: shown.map(({ program, text }) => `${titled(program)}${text}`).join("\n"),
    };
  },
});
