/** Published methods by name, and the models that they are grafted on. */
import type { Model } from "../../compiler/graph/model.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { semanticSam } from "../../models/index.ts";
import {
  graftMethod,
  type MethodSettings,
  publishedNames,
  type TrainedAdapter,
  trainedMethod,
} from "../../models/sam/presets/published.ts";
import { samConfigOf } from "../../models/sam/program.ts";

export type MethodName = string;
export const methodNames: readonly MethodName[] = publishedNames;

/** A SAM on which nothing is grafted yet. */
export const isBareSam = (model: Model): boolean =>
  samConfigOf(model) !== undefined && (model.bindings ?? []).length === 0;

/**
 * A bare SAM as a model of one class with a published method grafted on it, as it was trained where
 * files say how. Settings that are `given` go before these.
 * @throws E134 for a setting that cannot be, E460 for one that the method's adapter does not have, E503
 * for any other model: it brings its own adapters.
 */
export function withMethod(
  model: Model,
  method: MethodName,
  trained: readonly TrainedAdapter[] = [],
  given: MethodSettings = {},
): Model {
  const config = samConfigOf(model);
  if (config === undefined || !isBareSam(model))
    throw diagnose("E503", {
      message: `the method ${method} goes with a SAM; ${model.name} brings its own adapters`,
      help: "leave the method out, and export adapt(model, lora(), { where: ... }) from the model's file",
    });
  const bare = semanticSam(config, { classes: 1 }, { name: model.name });
  return graftMethod(bare, trainedMethod(method, trained, given));
}
