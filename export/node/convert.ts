/**
 * A checkpoint of any readable kind as one safetensors file, with the names and the number format asked
 * for. Tensor by tensor, so that memory does not grow with the model.
 */
import { diagnose } from "../../diagnostics/index.ts";
import {
  detectNaming,
  gaussian,
  iouHeadDepth,
  type Naming,
  ownNames,
  toHuggingFace,
  toMeta,
} from "../../models/sam/names.ts";
import { checkOutput } from "../../runtime/node/output.ts";
import { writeFileAtOnce } from "../../runtime/node/save.ts";
import { openWeightsFile } from "../../runtime/node/weights.ts";
import {
  type Dtype,
  type FloatDtype,
  isFloat,
  planSafetensors,
  refuseForeign,
  seenAs,
  streamSafetensors,
  type TensorPlan,
  toFloat32,
  type Weights,
} from "../../runtime/weights/index.ts";
import { narrowed } from "../../runtime/weights/narrow.ts";

export interface ConvertRequest {
  readonly input: string;
  /**
   * Ends in `.safetensors`. An existing file is replaced when all is written, unless it is the
   * input.
   */
  readonly output: string;
  /** Whose names a SAM's tensors get; without it they stay. */
  readonly names?: Naming | undefined;
  /** The format of float tensors; without it each keeps its own. Whole numbers always do. */
  readonly dtype?: FloatDtype | undefined;
  /** Of a PyTorch checkpoint with several dicts of tensors: the keys that lead to the one that is meant. */
  readonly key?: string | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
}

export interface ConvertProgress {
  /** The tensor that is being written. */
  readonly tensor: string;
  readonly writtenBytes: number;
  readonly totalBytes: number;
}

export interface ConvertReport {
  readonly output: string;
  readonly tensors: number;
  /** Size of the file. */
  readonly bytes: number;
  /** What stood in front of a SAM's names, and was left out. */
  readonly prefix: string | null;
}

/**
 * Converts a checkpoint.
 *
 * Errors: E240 (the output is the input, or no place for a safetensors file), E233 (names of no
 * SAM), E437 (names asked for of another program's adapter), E242 (a value too large for the format), E241 (the output cannot be written), those of
 * `openWeightsFile`.
 */
export async function convert(request: ConvertRequest): Promise<ConvertReport> {
  const { input, output, names, dtype, key, onProgress } = request;
  const opened = await openWeightsFile(input, { key });
  try {
    await checkOutput(output, opened.files);
    if (names !== undefined) refuseForeign(opened);
    // Names that stay, stay with all that is in front of them.
    const own = names === undefined ? undefined : ownNames(opened.tensors.keys(), opened.source);
    const weights: Weights = own ? seenAs(opened, own) : opened;
    const origins = names === undefined ? sameNames(weights) : await renamed(weights, names);
    const plan = new Map<string, TensorPlan>();
    for (const [name, origin] of origins) {
      const entry = weights.tensors.get(origin)!;
      plan.set(name, { shape: entry.shape, dtype: (isFloat(entry.dtype) && dtype) || entry.dtype });
    }
    // Programs of the PyTorch family refuse a file that does not say so.
    const metadata = { format: "pt", ...weights.metadata };
    const layout = planSafetensors(plan, metadata);
    const { totalBytes, header } = layout;
    let writtenBytes = header.byteLength;
    await writeFileAtOnce(output, async (file) => {
      await streamSafetensors(file, layout, async function* (tensor) {
        for await (const piece of elements(
          weights,
          origins.get(tensor)!,
          plan.get(tensor)!.dtype,
        )) {
          writtenBytes += piece.byteLength;
          onProgress?.({ tensor, writtenBytes, totalBytes });
          yield piece;
        }
      });
    });
    return { output, tensors: plan.size, bytes: totalBytes, prefix: own?.prefix ?? null };
  } finally {
    await opened.close();
  }
}

/** Each name to be written, with its name in the input. */
type Origins = ReadonlyMap<string, string>;

const sameNames = (weights: Weights): Origins =>
  new Map([...weights.tensors.keys()].map((name) => [name, name]));

async function renamed(weights: Weights, names: Naming): Promise<Origins> {
  const all = [...weights.tensors.keys()];
  const naming = detectNaming(all, weights.source);
  if (naming === undefined) {
    const sample = all.slice(0, 3).join(", ") + (all.length > 3 ? ", …" : "");
    throw diagnose("E233", {
      message: `--names ${names} renames the tensors of a SAM, and these are of none: ${sample}`,
      where: weights.source,
      help: "leave --names out: the names stay as they are",
    });
  }
  if (naming === names) return sameNames(weights);
  const depth = iouHeadDepth(all);
  if (names === "hf") {
    return new Map(
      all.flatMap((name) => toHuggingFace(name, depth).map((hf) => [hf, name] as const)),
    );
  }
  await checkTied(weights);
  return new Map(all.map((name) => [toMeta(name, depth), name]));
}

/** Meta's naming has one positional encoding; two different ones cannot be written in it. */
async function checkTied(weights: Weights): Promise<void> {
  const { hf, tied } = gaussian;
  if (!weights.tensors.has(hf) || !weights.tensors.has(tied)) return;
  const [a, b] = [await weights.readF32(hf), await weights.readF32(tied)];
  if (a.length === b.length && a.every((value, i) => Object.is(value, b[i]))) return;
  throw diagnose("E240", {
    message: `"${hf}" and "${tied}" are one tensor in Meta's naming, but differ here`,
    where: weights.source,
    help: "keep Hugging Face's naming: leave --names out",
  });
}

async function* elements(weights: Weights, name: string, to: Dtype) {
  const from = weights.tensors.get(name)!.dtype;
  let first = 0;
  for await (const raw of weights.rawChunks(name)) {
    if (from === to) {
      yield raw;
      continue;
    }
    // Only float tensors change their format, and only to one of these.
    const format = to as FloatDtype;
    const values = toFloat32(raw, from);
    const before = from === "f64" ? new Float64Array(raw.buffer) : values;
    yield narrowed(values, { name, format, first, file: weights.source }, before);
    first += values.length;
  }
}
