/** Compares a checkpoint with a configuration, and reads a configuration off a checkpoint. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { isFloat, refuseForeign, type Weights } from "../../runtime/weights/index.ts";
import { isAdapterFile } from "../../runtime/weights/kinds.ts";
import { checkSamConfig, encoderMlpDim, type SamConfig, samPresets, snakeCase } from "./config.ts";
import { ratioFor } from "./mlp-ratio.ts";
import { detectNaming, iouHeadDepth, metaNames, ownNames, toHuggingFace } from "./names.ts";
import { isGlobal, samTensors } from "./tensors.ts";

/** What is looked at: names and shapes, in either naming. */
export type SamEntries = Pick<Weights, "source" | "tensors"> & Partial<Pick<Weights, "metadata">>;

/** Some publications keep these constants in the file; the model does not read them. */
const ignored = new Set(["pixel_mean", "pixel_std"]);

/**
 * Requires that a checkpoint holds exactly the tensors of a configuration, each of its shape. Both
 * namings are understood; names in errors are the file's own.
 *
 * Errors: E232, naming every missing, surplus and misshaped tensor, and the fields of the
 * configuration that the shapes contradict; E233 (mixed namings).
 */
export function checkSamWeights(config: SamConfig, weights: SamEntries): void {
  const names = inFileNames(weights);
  const missing: string[] = [];
  const misshaped: string[] = [];
  const expected = new Set<string>();
  for (const { name, shape } of samTensors(config)) {
    expected.add(name);
    const inFile = names.get(name);
    const entry = inFile === undefined ? undefined : weights.tensors.get(inFile);
    if (!entry) missing.push(`missing    ${fileSpelling(name, weights)} [${shape}]`);
    else if (`${entry.shape}` !== `${shape}`) {
      misshaped.push(`misshaped  ${inFile} is [${entry.shape}], should be [${shape}]`);
    } else if (!isFloat(entry.dtype)) {
      misshaped.push(`misshaped  ${inFile} holds ${entry.dtype}, should hold floats`);
    }
  }
  const surplus = [...names]
    .filter(([name]) => !expected.has(name) && !ignored.has(name))
    .map(([, inFile]) => `surplus    ${inFile} [${weights.tensors.get(inFile)!.shape}]`);
  const lines = [...missing, ...surplus, ...misshaped];
  if (lines.length === 0) return;
  const counts = Object.entries({ missing, surplus, misshaped })
    .map(([what, { length }]) => `${length} ${what}`)
    .join(", ");
  const fields = contradictedFields(config, weights);
  throw diagnose("E232", {
    message: `the weights do not fit the configuration: ${counts}${listed([...fields, ...lines])}`,
    where: weights.source,
    help: adviceFor(fields, weights),
  });
}

/**
 * The configuration that the shapes of a checkpoint tell. They tell everything but the number of
 * heads of the mask decoder: that is 8 where the decoder has 256 channels, as in every published
 * model, and elsewhere what is given as `decoderNumHeads`, or what the file's metadata say as `decoder_num_heads`.
 *
 * Errors: E231 (tensors that are needed for it are not there, or contradict each other), E230 (what
 * the shapes tell is no SAM), E233.
 */
export function inferSamConfig(
  weights: SamEntries,
  given: { readonly decoderNumHeads?: number } = {},
): SamConfig {
  checkOptions<typeof given>("inferSamConfig", given, { decoderNumHeads: true });
  const names = inFileNames(weights);
  const problems: string[] = [];
  /** One size of a tensor that must have so many dimensions. */
  const size = (name: string, rank: number, axis: number): number => {
    const found = weights.tensors.get(names.get(name) ?? "")?.shape;
    if (found?.length === rank && found[axis]! > 0) return found[axis]!;
    const problem = found
      ? `${name} is [${found}], not of ${rank} dimensions`
      : `${name} is missing`;
    if (!problems.includes(problem)) problems.push(problem);
    return 1;
  };
  const map = size("image_encoder.pos_embed", 4, 1);
  const embedDim = size("image_encoder.pos_embed", 4, 3);
  const patchSize = size("image_encoder.patch_embed.proj.weight", 4, 3);
  const depth = countParts(names.keys(), /^image_encoder\.blocks\.(\d+)\./);
  const lengths = Array.from({ length: depth }, (_, i) =>
    size(`image_encoder.blocks.${i}.attn.rel_pos_h`, 2, 0),
  );
  const headDim = size("image_encoder.blocks.0.attn.rel_pos_h", 2, 1);
  const hidden = size("image_encoder.blocks.0.mlp.lin1.weight", 2, 0);
  const outChans = size("image_encoder.neck.0.weight", 4, 0);
  const maskInChans = size("prompt_encoder.mask_downscaling.3.weight", 4, 0);
  const decoderMlpDim = size("mask_decoder.transformer.layers.0.mlp.lin1.weight", 2, 0);
  const masks = size("mask_decoder.mask_tokens.weight", 2, 0);
  const iouHeadHiddenDim = size("mask_decoder.iou_prediction_head.layers.0.weight", 2, 0);
  const decoderNumHeads =
    given.decoderNumHeads ?? headsSaid(weights) ?? (outChans === 256 ? 8 : undefined);
  if (problems.length > 0) throw inferError(problems, weights);
  if (decoderNumHeads === undefined) throw headsNeeded(outChans, weights);
  const windows = [...new Set(lengths.filter((length) => length !== 2 * map - 1))];
  if (windows.length > 1)
    throw inferError([`the encoder has windows of ${windows.length} sizes`], weights);
  return checkSamConfig(
    {
      imageSize: map * patchSize,
      patchSize,
      embedDim,
      depth,
      numHeads: embedDim / headDim,
      mlpRatio: ratioFor(embedDim, hidden),
      globalAttnIndexes: lengths.flatMap((length, i) => (length === 2 * map - 1 ? [i] : [])),
      // Where every block is global there are no windows: the whole map is as good a size as any.
      windowSize: ((windows[0] ?? 2 * map - 1) + 1) / 2,
      outChans,
      maskInChans,
      decoderDepth: countParts(names.keys(), /^mask_decoder\.transformer\.layers\.(\d+)\./),
      decoderMlpDim,
      decoderNumHeads,
      iouHeadHiddenDim,
      iouHeadDepth: iouHeadDepth(plainNames(weights)),
      numMultimaskOutputs: masks - 1,
    },
    weights.source,
  );
}

/** The heads of the mask decoder, where the file's metadata say them: `decoder_num_heads`. */
function headsSaid({ metadata }: SamEntries): number | undefined {
  const said = metadata?.decoder_num_heads;
  return said === undefined ? undefined : Number(said);
}

/** Meta's name of each tensor, with the file's name for it. Of the tied pair one is listed. */
function inFileNames(file: SamEntries): Map<string, string> {
  refuseForeign(file);
  refuseAdapter(file);
  const { tensors, source } = file;
  const names = [...tensors.keys()];
  return new Map(metaNames(names, source) ?? names.map((name) => [name, name]));
}

/** An adapter's file lacks what was frozen. @throws E437 */
function refuseAdapter({ tensors, source, metadata = {} }: SamEntries): void {
  if (!isAdapterFile({ metadata })) return;
  if ([...tensors.keys()].some((name) => name.endsWith("patch_embed.proj.weight"))) return;
  throw diagnose("E437", {
    message: "the file is an adapter's, without its base",
    where: source,
    help: "give its base, or both as one file: inarch merge MODEL --weights BASE --weights ADAPTER -o FILE",
  });
}

function fileSpelling(name: string, { tensors, source }: SamEntries): string {
  const own = ownNames(tensors.keys(), source);
  const spelled =
    detectNaming(plainNames({ tensors, source }), source) === "hf" ? toHuggingFace(name)[0]! : name;
  return `${own?.prefix ?? ""}${spelled}`;
}

/** The file's names without a prefix. */
const plainNames = ({ tensors, source }: SamEntries): Iterable<string> =>
  (ownNames(tensors.keys(), source)?.names ?? tensors).keys();

/**
 * One more than the highest number at this place in the names, but not more than there are names: a
 * file that numbers a block with a billion has none of the others.
 */
function countParts(names: Iterable<string>, pattern: RegExp): number {
  let count = 0;
  let all = 0;
  for (const name of names) {
    all++;
    count = Math.max(count, Number(pattern.exec(name)?.[1] ?? -1) + 1);
  }
  return Math.min(count, all);
}

/**
 * Fields in which the configuration differs from one that the weights fit, when there is such a
 * one.
 */
function contradictedFields(config: SamConfig, weights: SamEntries): string[] {
  let told: SamConfig;
  try {
    told = inferSamConfig(weights, { decoderNumHeads: config.decoderNumHeads });
  } catch {
    return [];
  }
  const equal = new Set<string>();
  if (encoderMlpDim(config) === encoderMlpDim(told)) equal.add("mlpRatio");
  // A window as large as the map is the same as none: shapes cannot tell these two apart.
  if (`${attentionSides(config)}` === `${attentionSides(told)}`) {
    equal.add("globalAttnIndexes").add("windowSize");
  }
  return Object.entries(told).flatMap(([name, value]) => {
    const mine = config[name as keyof SamConfig];
    if (equal.has(name) || `${mine}` === `${value}`) return [];
    return [
      `${snakeCase(name)} is ${list(mine)} in the configuration, ${list(value)} in the weights`,
    ];
  });
}

/** Over how many patches each block of the encoder attends, in one direction. */
const attentionSides = (config: SamConfig) =>
  Array.from({ length: config.depth }, (_, i) =>
    isGlobal(config, i) ? config.imageSize / config.patchSize : config.windowSize,
  );

const list = (value: unknown) => (Array.isArray(value) ? `[${value.join(", ")}]` : String(value));

function adviceFor(fields: readonly string[], weights: SamEntries): string {
  if (fields.length === 0)
    return "give the configuration that the weights were trained with, or the whole checkpoint";
  const preset = Object.entries(samPresets).find(
    ([, config]) => contradictedFields(config, weights).length === 0,
  );
  if (preset) return `the weights are those of ${preset[0]}: use its configuration`;
  return "change the fields above in the configuration, or give the weights that belong to it";
}

const listed = (lines: readonly string[]) => lines.map((line) => `\n    ${line}`).join("");

function inferError(problems: readonly string[], weights: SamEntries) {
  return diagnose("E231", {
    message: `the shapes do not tell the configuration:${listed(problems)}`,
    where: weights.source,
    help: "give the whole checkpoint of a SAM, or its configuration as a file",
  });
}

function headsNeeded(outChans: number, weights: SamEntries) {
  return diagnose("E231", {
    message: `the shapes do not tell how many heads the mask decoder of ${outChans} channels has`,
    where: weights.source,
    help: 'pass { decoderNumHeads: … }, or a configuration file with "decoder_num_heads" (--config FILE)',
  });
}
