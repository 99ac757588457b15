/** `Sam.load`: from a checkpoint to a predictor, compiled for the device at hand. */

import {
  type CompileOptions,
  compile,
  compileAsync,
  deviceProfile,
  type Graph,
  type Profile,
  type TurnOptions,
  traceProgram,
  type WeightFormat,
} from "../../compiler/index.ts";
import { checkOptions, type OptionNames } from "../../diagnostics/options.ts";
import { createSamPredictor, type SamPlans, type SamPredictor } from "../../predict/sam.ts";
import { tokenBuckets } from "../../predict/tokens.ts";
import { asDevice } from "../../runtime/devices/any.ts";
import type { Device, Progress } from "../../runtime/devices/device.ts";
import {
  notFinite,
  type TensorEntry,
  type Weights,
  watchFinite,
} from "../../runtime/weights/index.ts";
import { checkSamWeights, inferSamConfig } from "./checkpoint.ts";
import type { SamConfig } from "./config.ts";
import { withMetaNames } from "./names.ts";
import { samModel } from "./program.ts";
import { samTensors } from "./tensors.ts";

export interface SamLoadOptions {
  readonly device: Device;
  /** Told by the shapes of the weights unless given. */
  readonly config?: SamConfig | undefined;
  /** The limits to compile for: the device's own unless given. */
  readonly profile?: Profile | undefined;
  /** What the weights are stored in on the device: `f32` unless given. */
  readonly weightFormat?: WeightFormat | undefined;
  readonly onProgress?: Progress | undefined;
  /** Stops loading. */
  readonly signal?: AbortSignal | undefined;
}

/** A SAM that is ready: `setImage` once, then `predict` many times, then `close`. */
export interface Sam extends SamPredictor {
  readonly config: SamConfig;
}

export const Sam = { load: loadSam };

/**
 * Loads a checkpoint in Meta's or Hugging Face's names onto a device. The weights are read while
 * they are uploaded, piece by piece; they must stay open until the SAM is closed, because another
 * bucket of the decoder reads its part again.
 *
 * @throws E230 to E233 for weights that are no SAM or not the configuration's, E205 for NaN or
 * infinite weights, all tensors in one message; what compiling and `createSession` throw.
 */
async function loadSam(weights: Weights, options: SamLoadOptions): Promise<Sam> {
  checkOptions<SamLoadOptions>("Sam.load", options, {
    device: true,
    config: true,
    profile: true,
    weightFormat: true,
    onProgress: true,
    signal: true,
  });
  const { weightFormat, onProgress, signal } = options;
  const device = asDevice(options.device);
  signal?.throwIfAborted();
  const named = withMetaNames(weights);
  const config = options.config ?? inferSamConfig(named);
  const tableRows = interpolatedTables(config, named);
  // The error speaks the file's own names.
  checkSamWeights(config, tableRows.size === 0 ? weights : resized(named, config, tableRows));
  const profile = options.profile ?? deviceProfile(device.capabilities);
  const compiled = { target: device.target, profile, weightFormat, tableRows };
  const plans = await compileSamAsync(config, { ...compiled, signal });
  const watched = whileRead(named);
  const predictor = await createSamPredictor({
    plans,
    weights: watched.weights,
    device,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  if (watched.found.size > 0) {
    await predictor.close();
    throw notFinite(weights.source, watched.found);
  }
  return Object.assign(predictor, { config });
}

export interface SamCompileOptions {
  readonly target: Device["target"];
  readonly profile?: Profile | undefined;
  /** What the weights are stored in: `f32` unless given. */
  readonly weightFormat?: WeightFormat | undefined;
  /** Rows of tables of relative positions that are to be interpolated, by path. */
  readonly tableRows?: ReadonlyMap<string, number> | undefined;
}

const compileNames: OptionNames<SamCompileOptions> = {
  target: true,
  profile: true,
  weightFormat: true,
  tableRows: true,
};

/** Both programs of a SAM for one image at a time; the decoder is compiled bucket by bucket. */
export function compileSam(config: SamConfig, options: SamCompileOptions): SamPlans {
  checkOptions<SamCompileOptions>("compileSam", options, compileNames);
  const { encode, decode } = samGraphs(config, options);
  const plan = ({ graph, ...more }: SamGraph) => compile(graph(), more);
  return { encode: plan(encode), buckets: tokenBuckets, decode: (tokens) => plan(decode(tokens)) };
}

/**
 * As `compileSam`, in many short turns: the event loop has its own about every 10 milliseconds. An abort
 * rejects with the signal's reason within a turn.
 */
export async function compileSamAsync(
  config: SamConfig,
  options: SamCompileOptions & TurnOptions,
): Promise<SamPlans> {
  checkOptions<SamCompileOptions & TurnOptions>("compileSamAsync", options, {
    ...compileNames,
    signal: true,
  });
  const { signal } = options;
  const { encode, decode } = samGraphs(config, options);
  const plan = ({ graph, ...more }: SamGraph, stop: TurnOptions) =>
    compileAsync(graph(), { ...more, ...stop });
  return {
    encode: await plan(encode, { signal }),
    buckets: tokenBuckets,
    decode: (tokens, stop = {}) => plan(decode(tokens), stop),
  };
}

interface SamGraph extends Pick<CompileOptions, "name" | "target" | "profile" | "weightFormat"> {
  readonly graph: () => Graph;
}

function samGraphs(config: SamConfig, options: SamCompileOptions) {
  const { target, profile, weightFormat, tableRows = new Map() } = options;
  const model = samModel(config, { tableRows });
  const of = (program: string, dims: Readonly<Record<string, number>>): SamGraph => ({
    graph: () => traceProgram(model, program, dims),
    name: `sam-${program}`,
    target,
    ...(profile ? { profile } : {}),
    weightFormat,
  });
  return {
    encode: of("encode", { batch: 1 }),
    decode: (tokens: number) => of("decode", { tokens }),
  };
}

/**
 * Tables of relative positions that are longer or shorter than the configuration's map asks for, as
 * where a model was trained further at another size: their rows, by path.
 */
function interpolatedTables(config: SamConfig, weights: Weights): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name, shape } of samTensors(config)) {
    if (!/\.rel_pos_[hw]$/.test(name)) continue;
    const [rows, depth, ...rest] = weights.tensors.get(name)?.shape ?? [];
    if (rows && rows !== shape[0] && depth === shape[1] && rest.length === 0) found.set(name, rows);
  }
  return found;
}

/** The weights as they will be seen once those tables are interpolated. */
function resized(
  weights: Weights,
  config: SamConfig,
  tableRows: ReadonlyMap<string, number>,
): Pick<Weights, "source" | "tensors"> {
  const tensors = new Map<string, TensorEntry>(weights.tensors);
  for (const { name, shape } of samTensors(config))
    if (tableRows.has(name)) tensors.set(name, { ...tensors.get(name)!, shape });
  return { source: weights.source, tensors };
}

/** The same weights; what passes by that is NaN or infinite is written down. */
function whileRead(weights: Weights) {
  const { found, look } = watchFinite();
  async function* chunks(name: string, ...how: [bytes?: number, isLent?: boolean]) {
    for await (const values of weights.chunks(name, ...how)) {
      look(name, values);
      yield values;
    }
  }
  return { weights: { ...weights, chunks }, found };
}
