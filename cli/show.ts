/** `inarch show MODEL --stage …`: prints what the compiler makes of a model, at any stage. */
import { basename } from "node:path";
import { type ArgsDef, defineCommand } from "citty";
import { type LoadedModel, loadModel, traceLoaded } from "../build/load-model.ts";
import { compileStages } from "../compiler/compile.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Node } from "../compiler/graph/tensor.ts";
import { printStage, type Stage, stages } from "../compiler/inspect/index.ts";
import type { Plan } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import type { Precision } from "../compiler/storage/formats.ts";
import { defaultTarget, findTarget, targets } from "../compiler/targets/find.ts";
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

export interface ShowRequest {
  readonly stage: Stage;
  readonly programs: readonly string[];
  readonly dims: Dims;
  readonly profile: Profile;
  /** `f32` unless given. */
  readonly precision?: Precision;
}

export interface Shown {
  readonly program: string;
  readonly text: string;
  readonly plan: Plan;
}

/** Compiles the programs and prints one stage of each. Places are those of the user's file. */
export function show(loaded: LoadedModel, request: ShowRequest): Shown[] {
  const { stage, programs, dims, profile, precision = "f32" } = request;
  const placeOf = ({ span }: Node) => {
    const at = span.resolve();
    // What a library's code has made, and all of a built-in model, has no place of the user's.
    return at && loaded.file !== undefined ? `${basename(at.file)}:${at.line}` : undefined;
  };
  return programs.map((program) => {
    const compilation = compileStages(traceLoaded(loaded, program, dims), {
      name: `${loaded.model.name}.${program}`,
      target: (findTarget(stage) ?? defaultTarget).name,
      profile,
      precision,
    });
    return { program, text: printStage(stage, compilation, placeOf), plan: compilation.plan };
  });
}
