/**
 * The numbers that describe a SAM: of the published models by name, from a configuration file, or
 * from the shapes of a checkpoint.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { fromHuggingFace } from "./config-hf.ts";
import { hiddenChannels } from "./mlp-ratio.ts";

export interface SamConfig {
  /** Side of the square input, in pixels. */
  readonly imageSize: number;
  /** Side of a patch, in pixels; the encoder works on a map of imageSize / patchSize squared. */
  readonly patchSize: number;
  /** Channels of the image encoder. */
  readonly embedDim: number;
  /** Blocks of the image encoder. */
  readonly depth: number;
  readonly numHeads: number;
  /** Hidden channels of a block's MLP, as a multiple of `embedDim`. */
  readonly mlpRatio: number;
  /** Blocks that attend to the whole map; all others attend within windows. */
  readonly globalAttnIndexes: readonly number[];
  /** Side of a window, in patches. */
  readonly windowSize: number;
  /** Channels of the image embedding, of the prompts and of the mask decoder. */
  readonly outChans: number;
  /** Channels in the middle of the mask prompt's convolutions. */
  readonly maskInChans: number;
  /** Two-way blocks of the mask decoder. */
  readonly decoderDepth: number;
  readonly decoderMlpDim: number;
  readonly decoderNumHeads: number;
  readonly iouHeadHiddenDim: number;
  /** Layers of the head that predicts IoUs; 3 in every published model. */
  readonly iouHeadDepth: number;
  /** Masks besides the single one; 3 in every published model. */
  readonly numMultimaskOutputs: number;
}

const published = {
  imageSize: 1024,
  patchSize: 16,
  mlpRatio: 4,
  windowSize: 14,
  outChans: 256,
  maskInChans: 16,
  decoderDepth: 2,
  decoderMlpDim: 2048,
  decoderNumHeads: 8,
  iouHeadHiddenDim: 256,
  iouHeadDepth: 3,
  numMultimaskOutputs: 3,
};

/** The published models. */
export const samPresets = {
  vit_b: { ...published, embedDim: 768, depth: 12, numHeads: 12, globalAttnIndexes: [2, 5, 8, 11] },
  vit_l: {
    ...published,
    embedDim: 1024,
    depth: 24,
    numHeads: 16,
    globalAttnIndexes: [5, 11, 17, 23],
  },
  vit_h: {
    ...published,
    embedDim: 1280,
    depth: 32,
    numHeads: 16,
    globalAttnIndexes: [7, 15, 23, 31],
  },
} as const satisfies Record<string, SamConfig>;

export type SamPreset = keyof typeof samPresets;

/**
 * Reads a configuration: the JSON text of a file, or the value parsed from one. Two forms are
 * known: flat, with the names of `SamConfig` in snake case (`iou_head_depth` and
 * `num_multimask_outputs` may be left out), and the `config.json` that Hugging Face keeps beside
 * its weights.
 *
 * Errors: E230, which names every field that is missing, unknown or wrong. `where` is the file.
 */
export function parseSamConfig(json: unknown, where?: string): SamConfig {
  const value = typeof json === "string" ? parse(json, where) : json;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw configError(["the configuration is not a JSON object"], where);
  }
  if ("vision_config" in value) {
    const { fields, problems } = fromHuggingFace(value);
    return checkFields(fields, problems, where);
  }
  const known = new Set(fieldNames.map(snakeCase));
  const problems = Object.keys(value)
    .filter((key) => !known.has(key))
    .map((key) => `${key} is not a field; the fields are ${[...known].join(", ")}`);
  const given = new Map(Object.entries(value));
  const fields: Record<string, unknown> = { iouHeadDepth: 3, numMultimaskOutputs: 3 };
  for (const name of fieldNames)
    if (given.has(snakeCase(name))) fields[name] = given.get(snakeCase(name));
  return checkFields(fields, problems, where);
}

/** The configuration of a published model. Errors: E230. */
export function samPreset(name: string): SamConfig {
  const preset = Object.entries(samPresets).find(([known]) => known === name)?.[1];
  if (preset) return preset;
  const names = Object.keys(samPresets).join(", ");
  throw diagnose("E230", {
    message: `there is no published SAM of the name "${name}"`,
    help: `the published ones are ${names}; any other needs a configuration file`,
  });
}

/** The configuration in the form of a file: snake case. `parseSamConfig` reads it back. */
export function formatSamConfig(config: SamConfig): Record<string, unknown> {
  return Object.fromEntries(fieldNames.map((name) => [snakeCase(name), config[name]]));
}

/** Refuses numbers that no SAM can have. Errors: E230. */
export function checkSamConfig(config: SamConfig, where?: string): SamConfig {
  return checkFields({ ...config }, [], where);
}

/** Hidden channels of an encoder block's MLP. */
export const encoderMlpDim = (config: SamConfig): number =>
  hiddenChannels(config.embedDim, config.mlpRatio);

/** In the order in which files have them. */
const fieldNames = [
  "imageSize",
  "patchSize",
  "embedDim",
  "depth",
  "numHeads",
  "mlpRatio",
  "globalAttnIndexes",
  "windowSize",
  "outChans",
  "maskInChans",
  "decoderDepth",
  "decoderMlpDim",
  "decoderNumHeads",
  "iouHeadHiddenDim",
  "iouHeadDepth",
  "numMultimaskOutputs",
] as const satisfies readonly (keyof SamConfig)[];

/** `decoderNumHeads` as files spell it: `decoder_num_heads`. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function parse(text: string, where: string | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The engine quotes the file, with its line breaks.
    const words = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;
    throw configError([`it is not JSON: ${words}`], where);
  }
}

/** More blocks, channels or pixels than this is a typing error, and would take all memory. */
const largest = 2 ** 16;

function checkFields(
  fields: Readonly<Record<string, unknown>>,
  problems: readonly string[],
  where: string | undefined,
): SamConfig {
  const found = [...problems];
  for (const name of fieldNames) {
    const problem = checkField(name, fields[name]);
    if (problem !== undefined) found.push(`${snakeCase(name)} ${problem}`);
  }
  // Each field has been found to be what the type says, if nothing was found.
  const config = fields as unknown as SamConfig;
  if (found.length === 0) found.push(...contradictions(config));
  if (found.length > 0) throw configError(found, where);
  return Object.fromEntries(fieldNames.map((name) => [name, config[name]])) as unknown as SamConfig;
}

function checkField(name: keyof SamConfig, value: unknown): string | undefined {
  if (value === undefined) return "is missing";
  const shown = JSON.stringify(value);
  if (name === "globalAttnIndexes") {
    const indexes = Array.isArray(value) ? value : undefined;
    return indexes?.every((index) => Number.isSafeInteger(index) && index >= 0)
      ? undefined
      : `is ${shown}, not a list of block numbers`;
  }
  if (typeof value !== "number") return `is ${shown}, not a number`;
  if (name === "mlpRatio")
    return value > 0 && value <= 64 ? undefined : `is ${shown}, not between 0 and 64`;
  // One mask alone is a SAM too: models for semantic segmentation have no others.
  const least = name === "numMultimaskOutputs" ? 0 : 1;
  const inRange = Number.isInteger(value) && value >= least && value <= largest;
  return inRange ? undefined : `is ${shown}, not a whole number from ${least} to ${largest}`;
}

/** What is wrong between fields that are fine by themselves. */
function contradictions(config: SamConfig): string[] {
  const { imageSize, patchSize, embedDim, depth, numHeads, globalAttnIndexes } = config;
  const { outChans, maskInChans, decoderNumHeads } = config;
  const outside = globalAttnIndexes.filter((index) => index >= depth);
  const found: [wrong: boolean, words: string][] = [
    [
      imageSize % patchSize !== 0,
      `image_size ${imageSize} is not a multiple of patch_size ${patchSize}`,
    ],
    [embedDim % numHeads !== 0, `embed_dim ${embedDim} is not a multiple of num_heads ${numHeads}`],
    [
      outside.length > 0,
      `global_attn_indexes names block ${outside.join(", ")}, the last is ${depth - 1}`,
    ],
    [
      new Set(globalAttnIndexes).size !== globalAttnIndexes.length,
      `global_attn_indexes [${globalAttnIndexes}] names a block twice`,
    ],
    [outChans % 8 !== 0, `out_chans ${outChans} is not a multiple of 8, as the mask decoder needs`],
    [maskInChans % 4 !== 0, `mask_in_chans ${maskInChans} is not a multiple of 4`],
    [
      // Cross attention works on half of the channels.
      outChans % 8 === 0 && (outChans / 2) % decoderNumHeads !== 0,
      `half of out_chans, ${outChans / 2}, is no multiple of decoder_num_heads ${decoderNumHeads}`,
    ],
    [encoderMlpDim(config) < 1, `mlp_ratio ${config.mlpRatio} leaves no hidden channels`],
  ];
  return found.flatMap(([wrong, words]) => (wrong ? [words] : []));
}

function configError(problems: readonly string[], where: string | undefined) {
  const list =
    problems.length === 1 ? ` ${problems[0]}` : problems.map((p) => `\n    ${p}`).join("");
  return diagnose("E230", {
    message: `this configuration describes no SAM:${list}`,
    where,
    help: `a configuration of ViT-B is ${JSON.stringify(formatSamConfig(samPresets.vit_b))}`,
  });
}
