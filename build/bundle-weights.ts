/** The weights of a bundle: the parameters that its programs have, as 32-bit floats or fewer bits. */
import { join } from "node:path";
import type { PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { bytesOf, holdsSingles } from "../formats/index.ts";
import type { Progress } from "../runtime/devices/device.ts";
import { type WriteBytes, writeFileAtOnce } from "../runtime/node/save.ts";
import {
  type ByteSink,
  checkFloats,
  type FloatDtype,
  notFinite,
  openHash,
  planSafetensors,
  type SafetensorsPlan,
  streamSafetensors,
  type TensorPlan,
  type Weights,
  watchFinite,
} from "../runtime/weights/index.ts";
import { isAdapterFile, isSavedState, savedState } from "../runtime/weights/kinds.ts";
import { narrowed } from "../runtime/weights/narrow.ts";

/** The names of the file's pieces, which its content tells: one piece unless `split` says how long each may be. */
export function weightsFiles(
  { checksum, totalBytes }: SafetensorsPlan,
  split = Infinity,
): string[] {
  const name = `weights-${checksum!.slice(0, 12)}`;
  const count = Math.max(1, Math.ceil(totalBytes / split));
  if (count === 1) return [`${name}.safetensors`];
  return Array.from({ length: count }, (_, i) => `${name}-${i + 1}-of-${count}.safetensors`);
}

/** Whether a file has such a name. */
export const isWeightsFile = (name: string): boolean =>
  /^weights-[0-9a-f]{12}(?:-\d+-of-\d+)?\.safetensors$/.test(name);

/** What of a plan says which weights it reads. */
export interface Reading {
  readonly parameters: readonly Named[];
  readonly states: readonly (Named & Pick<PlanTensor, "init">)[];
}

type Named = Pick<PlanTensor, "name" | "shape">;

/**
 * Checks that a checkpoint has every parameter of the plans, all finite, and what their states begin as,
 * and lays the file out; surplus tensors are left out, and those that `isElsewhere`. Reads everything once, for the hashes that stand
 * in the file's header.
 * @throws E601, which names all that are missing or have another shape, E205 for NaN and infinite
 * values, all named, E242 for the first that `dtype` cannot hold.
 */
export async function planWeights(
  weights: Weights,
  plans: Iterable<Reading>,
  onProgress: Progress,
  isElsewhere: (name: string) => boolean = () => false,
  dtype: FloatDtype = "f32",
): Promise<SafetensorsPlan> {
  const needed = new Map<string, Named>();
  for (const { parameters, states } of plans) {
    for (const { name, shape, init } of states) {
      const saved = savedState(name);
      if (weights.tensors.has(saved)) needed.set(saved, { name: saved, shape });
      else if (init?.kind === "copy" && !needed.has(init.from)) {
        const { shape = [] } = weights.tensors.get(init.from) ?? {};
        needed.set(init.from, { name: init.from, shape });
      }
    }
    for (const one of parameters) if (!isElsewhere(one.name)) needed.set(one.name, one);
  }
  const problems = [...needed.values()].flatMap(({ name, shape }) => {
    const entry = weights.tensors.get(name);
    if (!entry) return [`${name} is missing`];
    if (entry.shape.join() === shape.join()) return [];
    return [`${name} is [${entry.shape.join(", ")}], the model has [${shape.join(", ")}]`];
  });
  if (problems.length > 0) throw unfit(problems, needed.size, weights);
  for (const name of needed.keys()) checkFloats(weights, name);
  const tensors = new Map<string, TensorPlan>();
  for (const { name, shape } of needed.values())
    tensors.set(name, { dtype: formatOf(name, dtype), shape });
  const hashes = await hashesOf(weights, planSafetensors(tensors, {}), dtype, onProgress);
  return planSafetensors(tensors, {}, hashes);
}

/** The most that one message lists: a wrong checkpoint has hundreds. */
const listed = 20;

const unfit = (problems: readonly string[], count: number, weights: Weights) =>
  diagnose("E601", {
    message: `${problems.length} of the model's ${count} parameters do not fit the weights:\n    ${[
      ...problems.slice(0, listed),
      ...(problems.length > listed ? [`and ${problems.length - listed} more`] : []),
    ].join("\n    ")}`,
    where: weights.source,
    help: isAdapterFile(weights)
      ? "this is an adapter's file: merge it into its base, inarch merge MODEL --weights BASE --weights ADAPTER -o FILE, and give that; or build with the base, and pass the adapter to load()"
      : "give the checkpoint of this model, or the configuration of this checkpoint",
  });

/** What training left in a state may count in whole numbers. */
const formatOf = (name: string, dtype: FloatDtype): FloatDtype =>
  isSavedState(name) ? "f32" : dtype;

async function hashesOf(
  weights: Weights,
  layout: SafetensorsPlan,
  dtype: FloatDtype,
  onProgress: Progress,
) {
  const hashes = new Map<string, string>();
  const { found: bad, look } = watchFinite();
  const report = reporter(layout, "bytes of weights checked", onProgress);
  for (const { name } of layout.order) {
    const hash = openHash();
    for await (const bytes of bytesIn(weights, name, formatOf(name, dtype), look)) {
      hash.add(bytes);
      report(bytes.byteLength);
    }
    hashes.set(name, hash.digits());
  }
  if (bad.size > 0) throw notFinite(weights.source, bad);
  return hashes;
}

/** A tensor in the format that the file is to have; `look` sees its values before. */
async function* bytesIn(
  { chunks, source }: Weights,
  name: string,
  format: FloatDtype,
  look: (name: string, values: Float32Array) => void = () => {},
) {
  let first = 0;
  for await (const values of chunks(name, undefined, true)) {
    look(name, values);
    yield holdsSingles(format)
      ? bytesOf(values)
      : narrowed(values, { name, format, first, file: source });
    first += values.length;
  }
}

interface WrittenAs {
  readonly split?: number | undefined;
  readonly dtype?: FloatDtype | undefined;
}

/** Streams the tensors into the folder, in pieces of at most `split` bytes. */
export async function writeWeights(
  folder: string,
  weights: Weights,
  layout: SafetensorsPlan,
  { split, dtype = "f32" }: WrittenAs,
  onProgress: Progress,
): Promise<void> {
  const report = reporter(layout, "bytes of weights", onProgress);
  const write: WriteBytes = (sink) =>
    streamSafetensors(sink, layout, async function* (name) {
      for await (const bytes of bytesIn(weights, name, formatOf(name, dtype))) {
        report(bytes.byteLength);
        yield bytes;
      }
    });
  const files = weightsFiles(layout, split).map((file) => join(folder, file));
  await writePieces(files, split ?? layout.totalBytes, write);
}

/** All pieces are open until the last one is whole. */
function writePieces(files: readonly string[], size: number, write: WriteBytes): Promise<void> {
  const sinks: ByteSink[] = [];
  const open = (): Promise<void> => {
    const file = files[sinks.length];
    if (file !== undefined)
      return writeFileAtOnce(file, (sink) => {
        sinks.push(sink);
        return open();
      });
    let written = 0;
    return write({
      async write(bytes) {
        for (let done = 0; done < bytes.byteLength; ) {
          const room = size - (written % size);
          const piece = bytes.subarray(done, done + room);
          await sinks[Math.floor(written / size)]!.write(piece);
          written += piece.byteLength;
          done += piece.byteLength;
        }
      },
    });
  };
  return open();
}

function reporter({ order }: SafetensorsPlan, unit: string, onProgress: Progress) {
  const total = order.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  return (bytes: number) => {
    done += bytes;
    onProgress(done, total, unit);
  };
}
