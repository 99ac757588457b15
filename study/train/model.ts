/** What a study trains: a SAM for segmentation with a published method, its loss, and its counts. */
import type { Model } from "../../compiler/index.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { semanticSam } from "../../models/index.ts";
import type { SamConfig } from "../../models/sam/config.ts";
import { graftMethod, publishedNames, trainedMethod } from "../../models/sam/presets/published.ts";
import { classTask, setTask } from "./class-task.ts";
import { maskTask } from "./mask-task.ts";
import type { Targets, TaskOptions } from "./targets.ts";

export interface Task extends Targets {
  readonly model: Model;
  /** "mask": two classes, of which the second is looked for. The model has one mask. */
  readonly kind: "mask" | "classes";
  readonly classes: readonly string[];
}

export const kindOf = (classes: readonly string[]): Task["kind"] =>
  classes.length === 2 ? "mask" : "classes";

/** @throws E130 for a pattern that is no parameter's, E1101 for a method that is none, and what its settings throw. */
export function taskFor(config: SamConfig, options: TaskOptions): Task {
  const { method, settings = {}, classes, loss, maskTokens = 1, freeze = [] } = options;
  const kind = kindOf(classes);
  if (!publishedNames.includes(method)) {
    const near = meant(method, publishedNames);
    throw diagnose("E1101", {
      message: `there is no method "${method}"`,
      help: near === undefined ? `there are ${publishedNames.join(", ")}` : `write "${near}"`,
    });
  }
  const ofClasses = { classes: classes.length, ...(loss === "set" ? { masks: maskTokens } : own) };
  const head = kind === "mask" ? { classes: 1 } : ofClasses;
  const bare = semanticSam(config, head as typeof ofClasses, { name: `sam-${method}` });
  const frozen = freeze.map((pattern) => `!${pattern}`);
  const model = graftMethod(bare, trainedMethod(method, [], settings), frozen);
  const targets =
    kind === "mask" ? maskTask(options) : loss === "set" ? setTask(options) : classTask(options);
  return { model, kind, classes, ...targets };
}

const own = { perceptrons: "own" } as const;
