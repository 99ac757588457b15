/**
 * The common view of a checkpoint. A file format only lists its tensors and streams their bytes
 * (`TensorReader`); reading whole, reading as floats and reading in pieces are built on that here.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { nearest } from "../../diagnostics/nearest.ts";
import { fileBytes, fileElements } from "../../formats/index.ts";
import { type Dtype, toFloat32 } from "./dtype.ts";
import { refuseForeign } from "./foreign-adapters.ts";
import { allocate } from "./source.ts";

export interface TensorEntry {
  readonly dtype: Dtype;
  /** `[]` is a single number. */
  readonly shape: readonly number[];
  /** Size of the elements: product of the shape times the bytes per element. */
  readonly bytes: number;
}

/** A tensor of 32-bit floats. */
export const floatEntry = (shape: readonly number[]): TensorEntry & { readonly dtype: "f32" } => ({
  dtype: "f32",
  shape,
  bytes: fileBytes(
    "f32",
    shape.reduce((a, b) => a * b, 1),
  ),
});

export interface TensorData {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The elements, row-major, little-endian. Starts at offset 0 of its buffer. */
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface Weights {
  /** What error messages call the checkpoint. */
  readonly source: string;
  /** Every tensor by its name, in the file's order. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Of a file that has checksums, as inarch writes them: no other file has the same. Every tensor is then
   * compared with its hash as it is read: E461 where it differs.
   */
  readonly checksum?: string;
  /** Errors: E204 (no such tensor), E202 and E203 (the bytes cannot be read). */
  read(name: string): Promise<TensorData>;
  /** As 32-bit floats; see `toFloat32` for what rounds. */
  readF32(name: string): Promise<Float32Array<ArrayBuffer>>;
  /**
   * The elements in row-major order in pieces of at most `bytes` bytes (16 MiB unless told) as they
   * lie in the file, whole elements each.
   */
  rawChunks(name: string, bytes?: number): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /**
   * The same pieces as 32-bit floats. Lent ones may lie in memory that is used again: a piece holds until
   * the next is asked for.
   */
  chunks(name: string, bytes?: number, isLent?: boolean): AsyncIterable<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** What a file format provides. */
export interface TensorReader {
  readonly source: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksum?: string;
  /**
   * Row-major little-endian elements, `elements` at a time (the last piece may be shorter; lent pieces as
   * short as the memory is). A tensor without elements yields nothing. Called only with names in `tensors`.
   */
  stream(name: string, elements: number, isLent?: boolean): AsyncIterable<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

const defaultChunk = 16 * 2 ** 20;

export function makeWeights(reader: TensorReader): Weights {
  const entry = (name: string) => reader.tensors.get(name) ?? missing(reader, name);

  async function read(name: string): Promise<TensorData> {
    const { dtype, shape, bytes } = entry(name);
    for await (const data of reader.stream(name, fileElements(dtype, bytes) || 1)) {
      return { dtype, shape, data };
    }
    return { dtype, shape, data: allocate(0, reader.source) };
  }

  async function* rawChunks(name: string, bytes = defaultChunk, isLent = false) {
    const { dtype } = entry(name);
    yield* reader.stream(name, Math.max(1, fileElements(dtype, bytes)), isLent);
  }

  return {
    source: reader.source,
    tensors: reader.tensors,
    metadata: reader.metadata,
    ...(reader.checksum === undefined ? {} : { checksum: reader.checksum }),
    read,
    async readF32(name) {
      const { dtype, data } = await read(name);
      return toFloat32(data, dtype);
    },
    rawChunks: (name, bytes) => rawChunks(name, bytes),
    async *chunks(name, bytes, isLent) {
      const { dtype } = entry(name);
      for await (const data of rawChunks(name, bytes, isLent)) yield toFloat32(data, dtype);
    },
    close: () => reader.close(),
  };
}

/**
 * The same checkpoint under other names: `names` maps each name to be seen to the name in the file.
 * Tensors that it does not mention cannot be seen.
 */
export function renameWeights(weights: Weights, names: ReadonlyMap<string, string>): Weights {
  const tensors = new Map<string, TensorEntry>();
  for (const [seen, inFile] of names) {
    const entry = weights.tensors.get(inFile);
    if (entry) tensors.set(seen, entry);
  }
  const { source, metadata } = weights;
  const inFile = (name: string) =>
    tensors.has(name) ? names.get(name)! : missing({ source, tensors }, name);
  return {
    source,
    tensors,
    metadata,
    read: async (name) => weights.read(inFile(name)),
    readF32: async (name) => weights.readF32(inFile(name)),
    rawChunks: (name, bytes) => weights.rawChunks(inFile(name), bytes),
    chunks: (name, bytes, isLent) => weights.chunks(inFile(name), bytes, isLent),
    close: () => weights.close(),
  };
}

/**
 * The checkpoint under the names that `namesIn` finds in it; as it is, where it finds none.
 * @throws E437 for an adapter of another program, whose names might become those of one of inarch's.
 */
export function namedBy(
  weights: Weights,
  namesIn:
    | ((names: readonly string[], file: string) => ReadonlyMap<string, string> | undefined)
    | undefined,
): Weights {
  if (namesIn !== undefined) refuseForeign(weights);
  const names = namesIn?.([...weights.tensors.keys()], weights.source);
  return names === undefined ? weights : renameWeights(weights, names);
}

/**
 * Number of elements, or `undefined` when a dimension is not a whole number of at least zero or the
 * product is beyond what a number counts exactly.
 */
export function countElements(shape: readonly unknown[]): number | undefined {
  let count = 1;
  let empty = false;
  for (const size of shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
    if (size === 0) empty = true;
    else count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return empty ? 0 : count;
}

function missing(weights: Pick<Weights, "source" | "tensors">, name: string): never {
  const near = nearest(name, weights.tensors.keys());
  throw diagnose("E204", {
    message: `there is no tensor "${name}" among the ${weights.tensors.size} of this checkpoint`,
    where: weights.source,
    help: near === undefined ? "the checkpoint is empty" : `the nearest name is "${near}"`,
  });
}
