/** What the compiler makes of a model, at any stage, as text. */
import { basename } from "node:path";
import { type LoadedModel, traceLoaded } from "../build/load-model.ts";
import { compileStages } from "../compiler/compile.ts";
import type { Dims } from "../compiler/graph/sources.ts";
import type { Node } from "../compiler/graph/tensor.ts";
import { printStage, type Stage } from "../compiler/inspect/index.ts";
import { printPasses } from "../compiler/inspect/passes.ts";
import type { Pass } from "../compiler/passes.ts";
import type { Plan } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import type { Precision } from "../compiler/storage/formats.ts";
import { defaultTarget, findTarget } from "../compiler/targets/find.ts";
import type { WeightFormat } from "../formats/index.ts";

export interface ShowRequest {
  readonly stage: Stage;
  readonly programs: readonly string[];
  readonly dims: Dims;
  readonly profile: Profile;
  /** `f32` unless given. */
  readonly precision?: Precision;
  /** Of frozen parameters; unless given the precision says. */
  readonly weightFormat?: WeightFormat | undefined;
  /** Whether kernels are checked after every pass. */
  readonly verify?: boolean;
  /** Whether the passes are shown instead of the stage. */
  readonly time?: boolean;
}

export interface Shown {
  readonly program: string;
  readonly text: string;
  readonly plan: Plan;
  /** Where the time is asked for. */
  readonly passes: readonly Pass[];
}

/** Compiles the programs and prints one stage of each. Places are those of the user's file. */
export function show(loaded: LoadedModel, request: ShowRequest): Shown[] {
  const { stage, programs, dims, profile, precision = "f32", weightFormat, verify, time } = request;
  const placeOf = ({ span }: Node) => {
    const at = span.resolve();
    // What a library's code has made, and all of a built-in model, has no place of the user's.
    return at && loaded.file !== undefined ? `${basename(at.file)}:${at.line}` : undefined;
  };
  return programs.map((program) => {
    const passes: Pass[] = [];
    const compilation = compileStages(traceLoaded(loaded, program, dims), {
      name: `${loaded.model.name}.${program}`,
      target: (findTarget(stage) ?? defaultTarget).name,
      profile,
      precision,
      weightFormat,
      ...(verify ? { verify } : {}),
      ...(time ? { onPass: (pass) => passes.push(pass) } : {}),
    });
    const text = time ? printPasses(passes) : printStage(stage, compilation, placeOf);
    return { program, text, plan: compilation.plan, passes };
  });
}
