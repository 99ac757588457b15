/** The models that have names of their own on the command line. */
import { readFile } from "node:fs/promises";
import type { Model } from "../compiler/graph/model.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { SamConfig } from "../models/index.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";

/** `sam` is any SAM, by its configuration; the others are the published ones. */
export const builtInNames: readonly string[] = ["sam-vit-b", "sam-vit-l", "sam-vit-h", "sam"];

/** Where the numbers that describe a model may come from: paths of files. */
export interface ModelFiles {
  readonly config?: string | undefined;
  /** A checkpoint: the shapes of its tensors tell the configuration. */
  readonly weights?: string | undefined;
}

/**
 * A built-in model.
 * @throws E502 for `sam` without either file, E503 for another with a configuration, E230 for a
 * wrong one, E231 where the shapes do not tell it.
 */
export async function loadBuiltIn(name: string, files: ModelFiles): Promise<Model> {
  const { samModel } = await import("../models/index.ts");
  return samModel(await configOf(name, files), { name });
}

async function configOf(name: string, { config, weights }: ModelFiles): Promise<SamConfig> {
  const { inferSamConfig, parseSamConfig, samPreset } = await import("../models/index.ts");
  const published = /^sam-vit-(\w)$/.exec(name);
  if (published && config !== undefined)
    throw diagnose("E503", {
      message: `--config goes with the model sam; ${name} has the configuration that was published`,
      help: `type sam --config ${config}, or leave --config out`,
    });
  if (published) return samPreset(`vit_${published[1]}`);
  if (config !== undefined) return parseSamConfig(await readConfig(config), config);
  if (weights === undefined)
    throw diagnose("E502", {
      message: "the model sam needs --config",
      help: "type sam --config FILE.json, or one of sam-vit-b, sam-vit-l, sam-vit-h",
    });
  const opened = await openWeightsFile(weights);
  try {
    return inferSamConfig(opened);
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
