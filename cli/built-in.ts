/** The models that have names of their own on the command line. */
import { readFile } from "node:fs/promises";
import type { Model } from "../compiler/model.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { SamConfig } from "../models/index.ts";

/** `sam` is any SAM, by its configuration; the others are the published ones. */
export const builtInNames: readonly string[] = ["sam-vit-b", "sam-vit-l", "sam-vit-h", "sam"];

/**
 * A built-in model. Its facts say that it is a SAM, so that bundles of it come with a predictor.
 * @throws E502 for `sam` without a configuration, E503 for another with one, E230 for a wrong one.
 */
export async function loadBuiltIn(name: string, config?: string): Promise<Model> {
  const models = await import("../models/index.ts");
  const preset = /^sam-(vit)-(\w)$/.exec(name);
  if (preset && config !== undefined)
    throw diagnose("E503", {
      message: `--config goes with the model sam; ${name} has the configuration that was published`,
      help: `type sam --config ${config}, or leave --config out`,
    });
  if (!preset && config === undefined)
    throw diagnose("E502", {
      message: "the model sam needs --config",
      help: "type sam --config FILE.json, or one of sam-vit-b, sam-vit-l, sam-vit-h",
    });
  const chosen: SamConfig = preset
    ? models.samPreset(`${preset[1]}_${preset[2]}`)
    : models.parseSamConfig(await readConfig(config!), config);
  const facts = { kind: "sam", config: models.formatSamConfig(chosen) };
  return { ...models.samModel(chosen, { name }), facts };
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
