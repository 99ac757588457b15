/** Published methods by name, and the models that they are grafted on. */
import { adapt } from "../../compiler/graph/adapt.ts";
import type { Model } from "../../compiler/graph/model.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { semanticSam } from "../../models/index.ts";
import { publishedMethods } from "../../models/sam/presets/index.ts";
import { samConfigOf } from "../../models/sam/program.ts";

export type MethodName = string;
export const methodNames: readonly MethodName[] = publishedMethods().map((m) => m.name);

/** A SAM on which nothing is grafted yet. */
export const isBareSam = (model: Model): boolean =>
  samConfigOf(model) !== undefined && (model.bindings ?? []).length === 0;

/**
 * A bare SAM as a model of one class with a published method grafted on it.
 * @throws E503 for any other model: it brings its own adapters.
 */
export function withMethod(model: Model, method: MethodName): Model {
  const config = samConfigOf(model);
  if (config === undefined || !isBareSam(model))
    throw diagnose("E503", {
      message: `the method ${method} goes with a SAM; ${model.name} brings its own adapters`,
      help: "leave the method out, and export adapt(model, lora(), { where: ... }) from the model's file",
    });
  const { adapters } = publishedMethods().find(({ name }) => name === method)!;
  return adapters.reduce(
    (base, { adapter, where }) => adapt(base, adapter, { where }),
    semanticSam(config, { classes: 1 }, { name: model.name }),
  );
}
