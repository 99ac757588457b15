/** The arguments of every command that compiles a model. */
import type { ArgsDef } from "citty";
import type { Model } from "../../compiler/graph/model.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";

export const modelArguments = {
  model: {
    type: "positional",
    required: true,
    description: "sam-vit-b, sam-vit-l, sam-vit-h, sam (with --config), or a path to a *.graph.ts",
  },
  config: {
    type: "string",
    valueHint: "JSON",
    description: "the configuration of sam: a file as published with its weights",
  },
  program: {
    type: "string",
    valueHint: "NAME",
    description: "one of the model's programs; may be repeated, all without it",
  },
  dim: {
    type: "string",
    valueHint: "name=size",
    description: "the size of a named dim, such as batch=2; may be repeated",
  },
} satisfies ArgsDef;

/** The programs asked for, in the model's order; all without a wish. Errors: E111. */
export function programsOf(model: Model, wanted: readonly string[]): readonly string[] {
  const all = Object.keys(model.programs);
  for (const name of wanted) {
    if (all.includes(name)) continue;
    const near = meant(name, all);
    throw diagnose("E111", {
      message: `model ${model.name} has no program "${name}"`,
      help: `${near === undefined ? "" : `did you mean ${near}? `}its programs are ${all.join(", ")}`,
    });
  }
  return wanted.length === 0 ? all : all.filter((name) => wanted.includes(name));
}
