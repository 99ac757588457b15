/**
 * Merging: where an adapter only changes a layer's weights, the layer alone can compute the same,
 * with other weights, at no cost at all. Which adapters these are is not listed anywhere. Each
 * adapted layer is traced, shown to be affine in what the layer itself is affine in, and solved.
 */

import { graphOf, parametersOf } from "../compiler/graph/graph.ts";
import type { Model } from "../compiler/graph/model.ts";
import { inTurns } from "../compiler/turns.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { fileBytes } from "../formats/index.ts";
import type { Device } from "../runtime/devices/device.ts";
import {
  findNonFinite,
  fitNames,
  floatEntry,
  makeWeights,
  notFinite,
  type TensorEntry,
  type Weights,
} from "../runtime/weights/index.ts";
import { exactDevice, openEvaluator } from "./evaluate.ts";
import { checkFiles, ownerOf, readFinite } from "./files.ts";
import { type Place, planMerging } from "./places.ts";
import { openSolver } from "./solve.ts";

export interface MergeOptions {
  /** Of a model of several tasks: the one that the merged weights are for. */
  readonly task?: number;
  /** Evaluates the layers: the reference device in double precision unless given. It stays open. */
  readonly device?: Device;
  /** Stops merging: what is under way rejects with its reason, reading what is merged included. */
  readonly signal?: AbortSignal | undefined;
}

/** Weights of the model without its adapters. */
export interface MergedWeights extends Weights {
  /** Tensors that are computed as they are read, by path: f32, whatever the base's are. */
  readonly merged: readonly string[];
  /** What of the model itself trained beside the adapters: tensors of a later file. */
  readonly replaced: readonly string[];
}

/**
 * The weights with which `model` without its adapters computes what it computes with them. The files `given`
 * are the base and the files of adapters; of two tensors of one name the later counts. Whatever no
 * adapter changes passes through as it lies in its file. The result takes over the files: `close` it
 * after the last read.
 *
 * LoRA, TA-LoRA for one task, SSF and adapters of one's own are merged where they come to other
 * weights of a linear layer, or to another scale and shift of a norm; what trains the model's own
 * parameters replaces them.
 *
 * @throws E160 for an adapter that depends on the input otherwise, E161 for a place that is no layer
 * with a weight, E162 for a layer without a bias that is needed, E163 for several tasks, E164 for
 * files that do not fit, E165 for a model without adapters, E205 for NaN and infinite values, E431
 * for another base, E435 to E437 for adapters that were made otherwise. Reading what is merged may throw E161 and E205 too.
 */
export async function mergeAdapters(
  model: Model,
  given: readonly Weights[],
  options: MergeOptions = {},
): Promise<MergedWeights> {
  const { signal } = options;
  checkOptions<MergeOptions>("mergeAdapters", options, { task: true, device: true, signal: true });
  const merging = await inTurns(planMerging(model, options.task), { signal });
  const { places, grafted, parameters } = merging;
  const files = given.map((file) => fitNames(file, parameters.keys()));
  await checkFiles(files, merging, [...new Set(places.flatMap(parametersAt))]);
  const placeOf = new Map(
    places.flatMap((place) =>
      [place.weight, place.bias].flatMap((name) => (name === undefined ? [] : [[name, place]])),
    ) as (readonly [string, Place])[],
  );
  const tensors = new Map<string, TensorEntry>();
  for (const { tensors: entries } of files)
    for (const [name, entry] of entries) if (!grafted.has(name)) tensors.set(name, entry);
  for (const name of placeOf.keys()) tensors.set(name, floatEntry(parameters.get(name)!));
  const evaluator = openEvaluator(options.device ?? exactDevice(), { signal });
  const read = reader(files, evaluator);
  const base = files[0]!;
  const isReplaced = (name: string) => !placeOf.has(name) && ownerOf(files, name) !== base;
  const weights = makeWeights({
    source: files.map(({ source }) => source).join(" + "),
    tensors,
    metadata: { ...base.metadata, merged: namesOf(model) },
    async *stream(name, elements) {
      const place = placeOf.get(name);
      if (place) yield* pieces(await read(place, name), elements);
      else yield* passed(ownerOf(files, name)!, name, elements);
    },
    async close() {
      evaluator.close();
      for (const file of files) await file.close();
    },
  });
  return {
    ...weights,
    merged: [...placeOf.keys()],
    replaced: [...tensors.keys()].filter(isReplaced),
  };
}

const namesOf = ({ bindings = [] }: Model): string =>
  bindings.map(({ adapter }) => adapter.name).join(", ");

/** Everything that is read to merge a place. */
function parametersAt({ base, adapted }: Place): readonly string[] {
  const tensors = [base.linear, base.constant, adapted.linear, adapted.constant];
  return tensors.flatMap((tensor) =>
    tensor ? parametersOf(graphOf([{ name: "y", tensor }])).map(({ name }) => name) : [],
  );
}

type Read = (place: Place, name: string) => Promise<Float32Array<ArrayBuffer>>;

/** Solves a place when one of its parameters is read; its other one is mostly read next. */
function reader(files: readonly Weights[], evaluator: ReturnType<typeof openEvaluator>): Read {
  const solver = openSolver(evaluator);
  let last: { readonly place: Place; readonly solved: ReturnType<typeof solver.solve> } | undefined;
  return async (place, name) => {
    if (last?.place !== place)
      last = { place, solved: solver.solve(place, (one) => readFinite(files, one)) };
    const values = Float32Array.from((await last.solved).get(name)!);
    const bad = findNonFinite(values);
    if (bad) throw notFinite(`${name}, merged`, new Map([[name, bad]]));
    return values;
  };
}

function* pieces(values: Float32Array<ArrayBuffer>, elements: number) {
  for (let i = 0; i < values.length; i += elements)
    yield new Uint8Array(values.slice(i, i + elements).buffer);
}

const passed = (file: Weights, name: string, elements: number) =>
  file.rawChunks(name, fileBytes(file.tensors.get(name)!.dtype, elements));
