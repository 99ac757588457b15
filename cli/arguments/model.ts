/** The arguments of every command that compiles a model. */
import type { LoadedModel } from "../../build/load-model.ts";
import type { Model } from "../../compiler/graph/model.ts";

export const modelArguments = {
  model: {
    type: "positional",
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
    repeated: true,
    description: "one of the model's programs; may be repeated, all without it",
  },
  dim: {
    type: "string",
    valueHint: "name=size",
    repeated: true,
    description: "the size of a named dim, such as batch=2; may be repeated",
  },
} as const;

/** The model that was asked for. `weights` is a checkpoint that tells the numbers of one of any size. */
export async function modelOf(
  { model, config }: { readonly model: string; readonly config: string | undefined },
  weights?: string,
): Promise<LoadedModel> {
  const { loadModel } = await import("../../build/load-model.ts");
  return loadModel(model, { config, weights });
}

/** The programs asked for, in the model's order; all without a wish. Errors: E111. */
export async function programsOf(model: Model, wanted: readonly string[]) {
  const { programsOf } = await import("../../build/programs.ts");
  return programsOf(model, wanted);
}
