/** The SAMs that have names: the published ones, and `sam`, which is any by its configuration. */
import { inferSamConfig } from "./checkpoint.ts";
import { parseSamConfig, samPresets } from "./config.ts";
import { samModel } from "./program.ts";

const published = Object.entries(samPresets).map(([preset, config]) => {
  const name = `sam-${preset.replace("_", "-")}`;
  return { name, make: () => samModel(config, { name }) };
});

export const samModels = [
  ...published,
  {
    name: "sam",
    /** @throws E230 for a wrong configuration. */
    fromConfig: (text: string, file: string) => samModel(parseSamConfig(text, file)),
    /** @throws E231 for shapes that do not tell it. */
    fromWeights: (weights: Parameters<typeof inferSamConfig>[0]) =>
      samModel(inferSamConfig(weights)),
  },
];
