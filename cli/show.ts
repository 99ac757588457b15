/** `inarch show MODEL --stage …`: prints what the compiler makes of a model, at any stage. */
import { type ArgsDef, defineCommand } from "citty";
import { loadModel } from "../build/load-model.ts";
import { type Stage, stages } from "../compiler/inspect/index.ts";
import { findTarget, targets } from "../compiler/targets/find.ts";
import { show } from "../explain/show.ts";
import { bytesToJson } from "../runtime/plan-json.ts";
import { parseDims } from "./arguments/dims.ts";
import { repeated } from "./arguments/flags.ts";
import { limitsFlag, profileOf } from "./arguments/limits.ts";
import { modelArguments, programsOf } from "./arguments/model.ts";
import { precisionFlag } from "./arguments/precision.ts";

const args = {
  ...modelArguments,
  stage: {
    type: "enum",
    options: [...stages] as Stage[],
    default: "regions" as const,
    description: `what to print: the traced graph, what fused, kernels as pseudo-text, ${targets.map(({ title }) => title).join(", ")}, or memory and steps`,
  },
  limits: limitsFlag,
  precision: precisionFlag,
  json: {
    type: "boolean",
    default: false,
    description:
      "print JSON: by program the text of the stage, or with --stage plan the plan itself",
  },
} satisfies ArgsDef;

export const showCommand = defineCommand({
  meta: { name: "show", description: "print any stage of a model's compilation" },
  args,
  async run({ args: given, rawArgs }) {
    const loaded = await loadModel(given.model, { config: given.config });
    const request = {
      stage: given.stage,
      programs: programsOf(loaded.model, repeated(rawArgs, "program", args)),
      dims: parseDims(repeated(rawArgs, "dim", args)),
      profile: await profileOf(given.limits),
      precision: given.precision,
    };
    const shown = show(loaded, request);
    if (given.json) {
      const { stage } = request;
      const programs = Object.fromEntries(
        shown.map(({ program, text, plan }) => [program, stage === "plan" ? plan : text]),
      );
      const { name } = loaded.model;
      process.stdout.write(`${JSON.stringify({ model: name, stage, programs }, bytesToJson, 2)}\n`);
      return;
    }
    const several = shown.length > 1;
    const target = findTarget(request.stage);
    const comment = target ? `${target.comment} ` : "";
    process.stdout.write(
      shown
        .map(({ program, text }) => `${several ? `${comment}program ${program}\n\n` : ""}${text}`)
        .join("\n"),
    );
  },
});
