/** The files that are merged: which of them has a tensor, and whether they belong together. */
import { diagnose } from "../diagnostics/index.ts";
import { nearest } from "../diagnostics/nearest.ts";
import { readAdapterFile } from "../runtime/weights/adapter-file.ts";
import { checkFloats, findNonFinite, notFinite, type Weights } from "../runtime/weights/index.ts";
import { fingerprint, isAdapterFile, isSavedState } from "../runtime/weights/kinds.ts";
import { checkAdapters, checkAllSaid, type Described } from "../runtime/weights/same-adapters.ts";
import type { Merging } from "./places.ts";
import { unfitFiles } from "./refusals.ts";

/** The file that has a tensor: of several the last. */
export const ownerOf = (files: readonly Weights[], name: string): Weights | undefined =>
  files.findLast(({ tensors }) => tensors.has(name));

/**
 * Compares the files with the model and with one another: by names, shapes, and what adapter files
 * say of their adapters and their base. `needed` are the parameters that merging reads.
 * @throws E164 for what is missing, unknown or of another shape, E431 for another base, E435 to E437
 * for adapters that were made otherwise.
 */
export async function checkFiles(
  files: readonly Weights[],
  { adapters, grafted, parameters }: Merging,
  needed: readonly string[],
): Promise<void> {
  const [base, ...others] = files;
  if (!base)
    throw unfitFiles("there are no weights to merge", "mergeAdapters", "give [base, adapter]");
  const described = await checkAdapterFiles({ adapters, parameters }, files);
  const sources = files.map(({ source }) => source).join(", ");
  for (const name of needed) {
    const shape = parameters.get(name)!;
    const entry = ownerOf(files, name)?.tensors.get(name);
    if (entry) checkFloats(ownerOf(files, name)!, name);
    if (entry && entry.shape.join() === shape.join()) continue;
    throw entry
      ? unfitFiles(
          `${name} is [${entry.shape.join(", ")}] in the file but [${shape.join(", ")}] in the model`,
          ownerOf(files, name)!.source,
          "graft the adapter with the settings that it was trained with: inarch merge --setting rank=8",
        )
      : unfitFiles(
          `no file has ${name}, which ${grafted.has(name) ? "an adapter" : "the model"} needs`,
          sources,
          "give the model's checkpoint and the file of the adapter: --weights BASE --weights ADAPTER",
        );
  }
  for (const file of others)
    for (const name of file.tensors.keys())
      if (!base.tensors.has(name) && !parameters.has(name) && !isSavedState(name))
        throw unknown(name, file, parameters);
  checkAllSaid({ adapters, parameters: parameters.keys() }, described, sources);
}

/**
 * Compares a model's adapters with what those of its files say that are adapters', and the base that
 * they say with the files before them. Returns what the files say.
 * @throws E431 for another base, E435 to E437 for adapters that were made otherwise.
 */
export async function checkAdapterFiles(
  { adapters, parameters }: Pick<Merging, "adapters" | "parameters">,
  files: readonly Weights[],
): Promise<readonly Described[]> {
  const described = files
    .filter(isAdapterFile)
    .map((file) => ({ ...readAdapterFile(file), source: file.source }));
  checkAdapters({ adapters, parameters: parameters.keys() }, described);
  for (const [i, file] of files.entries())
    if (isAdapterFile(file)) await checkBase(files.slice(0, i), file, parameters);
  return described;
}

const unknown = (name: string, { source }: Weights, parameters: Merging["parameters"]) => {
  const near = nearest(name, parameters.keys());
  return unfitFiles(
    `neither the adapted model nor its checkpoint has ${name}`,
    source,
    `graft the adapter where it was trained${near === undefined ? "" : `; the nearest name is ${near}`}`,
  );
};

/** An adapter file says which frozen tensors it was trained beside. */
async function checkBase(
  files: readonly Weights[],
  adapter: Weights,
  parameters: Merging["parameters"],
): Promise<void> {
  for (const [name, print] of readAdapterFile(adapter).base) {
    const file = ownerOf(files, name);
    // What begins otherwise than in the file has a fingerprint of other numbers.
    if (file?.tensors.get(name)?.shape.join() !== parameters.get(name)?.join()) continue;
    for await (const chunk of file!.chunks(name, 16384)) {
      if (fingerprint(chunk) === print) break;
      throw diagnose("E431", {
        message: `the adapter was trained on another base: ${name} is not that of ${file!.source}`,
        where: adapter.source,
        help: "give the checkpoint that it was trained on",
      });
    }
  }
}

/** A tensor's values. Throws E205 where they are NaN or infinite. */
export async function readFinite(
  files: readonly Weights[],
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  const file = ownerOf(files, name)!;
  const values = await file.readF32(name);
  const bad = findNonFinite(values);
  if (bad) throw notFinite(file.source, new Map([[name, bad]]));
  return values;
}
