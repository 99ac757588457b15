/** Checkpoints by path, in one file or in several with an index beside them. */
import { basename, dirname, join } from "node:path";
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { fileBytes } from "../../formats/index.ts";
import { peftSettings } from "../weights/foreign-adapters.ts";
import { isRecord, parseJson } from "../weights/json.ts";
import { openWeights } from "../weights/open.ts";
import type { OpenWeightsOptions } from "../weights/torch.ts";
import { makeWeights, type TensorEntry, type Weights } from "../weights/weights.ts";
import { fileSource } from "./files.ts";

/**
 * Opens a checkpoint: safetensors, a PyTorch zip, or the index of a checkpoint in several files
 * (`*.safetensors.index.json`). `files` are the paths that are read.
 *
 * Errors: E200, E201 (the file), E215 (the index and its files), those of `openWeights`.
 */
export async function openWeightsFile(
  path: string,
  options: OpenWeightsOptions = {},
): Promise<Weights & { readonly files: readonly string[] }> {
  checkOptions<OpenWeightsOptions>("openWeightsFile", options, { key: true });
  if (path.endsWith(".json")) return openSharded(path);
  return { ...(await openWeights(await fileSource(path), options)), files: [path] };
}

/** An index is a few hundred kilobytes. */
const maxIndex = 64 * 2 ** 20;

async function openSharded(path: string) {
  const { metadata, files, places } = await readIndex(path);
  const opened = new Map<string, Weights>();
  const closeAll = async () => {
    for (const weights of opened.values()) await weights.close();
  };
  try {
    await openShards(path, files, opened);
    checkPlaces(path, places, opened);
    const owner = (name: string) => opened.get(places.get(name)!)!;
    const tensors = new Map<string, TensorEntry>();
    for (const name of places.keys()) tensors.set(name, owner(name).tensors.get(name)!);
    const weights = makeWeights({
      source: path,
      tensors,
      metadata,
      stream: (name, elements) =>
        owner(name).rawChunks(name, fileBytes(tensors.get(name)!.dtype, elements)),
      close: closeAll,
    });
    return { ...weights, files: [path, ...files.map((file) => join(dirname(path), file))] };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Index {
  readonly metadata: Readonly<Record<string, string>>;
  /** The files it names, each once. */
  readonly files: readonly string[];
  /** In which file each tensor lies. */
  readonly places: ReadonlyMap<string, string>;
}

/** Reads `{"metadata": {…}, "weight_map": {"tensor": "file"}}`. */
async function readIndex(path: string): Promise<Index> {
  const source = await fileSource(path);
  try {
    if (source.size > maxIndex) throw indexError(path, `it has ${source.size} bytes`);
    const parsed = parseJson(await source.read(0, source.size));
    if ("problem" in parsed) throw indexError(path, `it is not JSON: ${parsed.problem}`);
    const { value } = parsed;
    if (isRecord(value) && "peft_type" in value)
      throw diagnose("E437", {
        message: `the file ${peftSettings.looks}`,
        where: path,
        help: peftSettings.help,
      });
    if (!isRecord(value) || !isRecord(value.weight_map)) {
      throw indexError(path, "it has no weight_map, so it is not the index of a checkpoint");
    }
    const places = new Map<string, string>();
    for (const [name, file] of Object.entries(value.weight_map)) {
      // A file elsewhere would let an index read what its owner may not.
      if (typeof file !== "string" || file !== basename(file) || /^\.*$|\\/.test(file)) {
        throw indexError(
          path,
          `tensor "${name}" is placed in ${JSON.stringify(file)}, not a file beside it`,
        );
      }
      places.set(name, file);
    }
    // The total size describes the index and its files, not the tensors.
    const metadata = Object.entries(isRecord(value.metadata) ? value.metadata : {}).filter(
      ([key]) => key !== "total_size",
    );
    return {
      // Numbers are kept as text: metadata of tensors is text.
      metadata: Object.fromEntries(
        metadata.map(([key, item]) => [
          key,
          typeof item === "string" ? item : JSON.stringify(item),
        ]),
      ),
      files: [...new Set(places.values())],
      places,
    };
  } finally {
    await source.close?.();
  }
}

async function openShards(path: string, files: readonly string[], opened: Map<string, Weights>) {
  const missing: string[] = [];
  for (const file of files) {
    try {
      opened.set(file, await openWeights(await fileSource(join(dirname(path), file))));
    } catch (error) {
      if (!(error instanceof InarchError && error.code === "E200")) throw error;
      missing.push(file);
    }
  }
  if (missing.length === 0) return;
  throw indexError(
    path,
    `${missing.length} of its ${files.length} files are missing: ${missing.join(", ")}`,
  );
}

/** The index and its files must name the same tensors. */
function checkPlaces(
  path: string,
  places: ReadonlyMap<string, string>,
  opened: ReadonlyMap<string, Weights>,
) {
  const problems: string[] = [];
  for (const [name, file] of places) {
    if (!opened.get(file)?.tensors.has(name)) problems.push(`"${name}" is not in ${file}`);
  }
  for (const [file, weights] of opened) {
    for (const name of weights.tensors.keys()) {
      if (places.get(name) !== file) problems.push(`"${name}" of ${file} is not in the index`);
    }
  }
  if (problems.length > 0)
    throw indexError(path, `it and its files disagree: ${problems.join("; ")}`);
}

const indexError = (path: string, message: string) =>
  diagnose("E215", {
    message: `the index of the checkpoint cannot be used: ${message}`,
    where: path,
    help: "keep the index beside all of its files, as they were written together",
  });
