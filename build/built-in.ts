/** A built-in model by its name on the command line, from the files that it may need. */
import { readFile } from "node:fs/promises";
import type { Model } from "../compiler/graph/model.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import type { BuiltInModel, ConfiguredModel } from "../models/built-in.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";

/** Where the numbers that describe a model may come from: paths of files. */
export interface ModelFiles {
  readonly config?: string | undefined;
  /** A checkpoint: the shapes of its tensors tell the configuration. */
  readonly weights?: string | undefined;
}

/**
 * A built-in model.
 * @throws E510 for a name that there is not, E502 for a model of any size without either file, E503 for
 * a published one with a configuration, and what the model says of its files.
 */
export async function loadBuiltIn(name: string, { config, weights }: ModelFiles): Promise<Model> {
  // A file of one's own needs none of them.
  const { builtInModels } = await import("../models/built-in.ts");
  const found = builtInModels.find((model) => model.name === name);
  if (!found) throw unknownModel(name, builtInModels);
  const configured = builtInModels.filter((model) => "fromConfig" in model);
  if ("make" in found) {
    if (config === undefined) return found.make();
    throw diagnose("E503", {
      message: `--config goes with the model ${namesOf(configured)}; ${name} has the configuration that was published`,
      help: `type ${configured[0]?.name} --config ${config}, or leave --config out`,
    });
  }
  if (config !== undefined) return found.fromConfig(await readConfig(config), config);
  if (weights !== undefined) return fromWeights(found, weights);
  const published = builtInModels.filter((model) => "make" in model);
  throw diagnose("E502", {
    message: `the model ${name} needs --config`,
    help: `type ${name} --config FILE.json, or one of ${namesOf(published)}`,
  });
}

const namesOf = (models: readonly BuiltInModel[]) => models.map(({ name }) => name).join(", ");

function unknownModel(name: string, models: readonly BuiltInModel[]) {
  const near = meant(
    name,
    models.map((model) => model.name),
  );
  return diagnose("E510", {
    message: `there is no built-in model "${name}"`,
    help: `${near === undefined ? "" : `did you mean ${near}? `}The built-in ones are ${namesOf(models)}; a file is given by its path, such as ./${name}.graph.ts`,
  });
}

async function fromWeights(model: ConfiguredModel, path: string): Promise<Model> {
  const opened = await openWeightsFile(path);
  try {
    return model.fromWeights(opened);
  } finally {
    await opened.close();
  }
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw diagnose("E200", {
      message: `the configuration cannot be read: ${(cause as NodeJS.ErrnoException).code}`,
      where: path,
      help: "give the path of a JSON file",
      cause,
    });
  }
}
