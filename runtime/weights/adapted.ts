/** Weights of a base beside an adapter's file: of two tensors of one name the adapter's counts. */
import type { Plan } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { nearest } from "../../diagnostics/nearest.ts";
import { type AdapterFile, readAdapterFile } from "./adapter-file.ts";
import { finite } from "./finite.ts";
import { fingerprint, isAdapterFile, isSavedState } from "./kinds.ts";
import { checkAdapters } from "./same-adapters.ts";
import { otherShape } from "./shapes.ts";
import type { Weights } from "./weights.ts";

/** What a session reads of weights. */
export type Readable = Pick<Weights, "source" | "chunks" | "tensors">;

/**
 * The weights of a plan of an adapted model, from the base and the file of its adapters. That the base
 * is the one of the training is seen as its tensors are read.
 * @throws E434 for a tensor that is missing, unknown or of another shape, E435 for other settings or
 * places, E436 for a setting that the file does not say, E437 for a file that is no adapter's. Reading
 * a tensor throws E431 for another base, E205 for NaN and infinite values in the file.
 */
export function withAdapter(plan: Plan, base: Readable, file: Weights): Readable {
  const { parameters, adapters = [] } = plan;
  const described = readAdapterFile(file);
  const { source } = file;
  checkAdapters({ adapters, parameters: parameters.map(({ name }) => name) }, [
    { ...described, source },
  ]);
  checkTensors(plan, base, file, described);
  if (file.metadata.base === undefined)
    throw diagnose("E431", {
      message: "the file does not say which base it was trained on",
      where: source,
      help: "save it again, with saveAdapter() of a training session",
    });
  return {
    source: `${base.source} + ${source}`,
    tensors: new Map([...base.tensors, ...file.tensors]),
    chunks: (name, ...how) =>
      file.tensors.has(name)
        ? finite(file.chunks(name, ...how), name, source)
        : checked(base.chunks(name, ...how), name, described.base.get(name), base.source, source),
  };
}

/**
 * An adapter's file may hold all that a plan reads, where everything trained. Its settings count all the
 * same. @throws E435 for other settings or places, E436 for a setting that it does not say.
 */
export function checkWholeFile(
  { adapters = [], parameters }: Pick<Plan, "adapters" | "parameters">,
  { metadata = {}, source, tensors }: Readable & Partial<Pick<Weights, "metadata">>,
): void {
  if (!isAdapterFile({ metadata })) return;
  if (parameters.some(({ name }) => !tensors.has(name))) return;
  checkAdapters({ adapters, parameters: parameters.map(({ name }) => name) }, [
    { ...readAdapterFile({ metadata, source, tensors }), source },
  ]);
}

function checkTensors(
  plan: Plan,
  base: Readable,
  { source, tensors }: Weights,
  { own }: AdapterFile,
): void {
  for (const { name, shape } of plan.parameters) {
    const entry = tensors.get(name);
    if (entry ? entry.shape.join() === shape.join() : base.tensors.has(name)) continue;
    const near = nearest(name, tensors.keys());
    throw diagnose("E434", {
      message: entry
        ? otherShape(name, entry, { shape }, "plan")
        : `neither ${base.source} nor the adapter's file has ${name}`,
      where: source,
      help: near ? `the nearest name in the file is ${near}` : "the file is empty",
    });
  }
  const known = new Set(plan.parameters.map(({ name }) => name));
  // Not everything that an adapter makes is read outside training.
  const places = plan.adapters?.flatMap((adapter) => adapter.places) ?? [];
  const isOwn = (name: string) =>
    own ? own.has(name) : places.some((place) => name.startsWith(`${place}.`));
  for (const name of tensors.keys()) {
    if (known.has(name) || base.tensors.has(name) || isOwn(name) || isSavedState(name)) continue;
    const near = nearest(name, known);
    throw diagnose("E434", {
      message: `neither plan ${plan.name} nor ${base.source} has ${name}`,
      where: source,
      help: `compile the model with the adapters that it was trained with${near ? `; the nearest name is ${near}` : ""}`,
    });
  }
}

/** The same chunks, if they begin as the tensor did when the adapter was trained. */
async function* checked(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  name: string,
  print: string | undefined,
  base: string,
  adapter: string,
) {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && print !== undefined && fingerprint(chunk) !== print)
      throw diagnose("E431", {
        message: `the adapter was trained on another base: ${name} is not that of ${base}`,
        where: adapter,
        help: "give the checkpoint that it was trained on",
      });
    isFirst = false;
    yield chunk;
  }
}
