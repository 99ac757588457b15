/**
 * PyTorch checkpoints as `torch.save` has written them since version 1.6: a zip with one pickle
 * that describes the tensors (`data.pkl`) and one entry per storage (`data/<key>`). The pickle is
 * read by a machine that cannot run anything; storages are read in place, when a tensor is asked
 * for, and compared with their checksums then.
 */

import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { fileBytes, fileFormat } from "../../formats/index.ts";
import { crc32 } from "./crc32.ts";
import { checkPickleSize, unpickle } from "./pickle.ts";
import { allocate, type ByteSource } from "./source.ts";
import { gather, isContiguous, swapBytes } from "./strides.ts";
import { findStateDict } from "./torch-dict.ts";
import { readStorage, spanOf, type TorchTensor, torchGlobals } from "./torch-globals.ts";
import { countElements, makeWeights, type TensorEntry, type Weights } from "./weights.ts";
import {
  checksumAgrees,
  locate,
  openZip,
  readEntry,
  type ZipArchive,
  type ZipEntry,
  zipError,
} from "./zip.ts";

interface StoredEntry {
  readonly entry: ZipEntry;
  /** Where the content lies, in bytes from the start of the file. */
  readonly start: number;
  /** Whether all of it has its checksum. Read once, then remembered. */
  agrees(): Promise<boolean>;
}

interface Placed extends TensorEntry, TorchTensor {
  readonly kind: "tensor";
  /** Where the first element lies, in bytes from the start of the file. */
  readonly start: number;
  readonly stored: StoredEntry;
}

export interface OpenWeightsOptions {
  /**
   * Of a PyTorch checkpoint with several dicts of tensors: the keys that lead to the one that is meant,
   * such as "ema" or "models[0].net". Without it the only one with names of parameters is.
   */
  readonly key?: string | undefined;
}

/**
 * Opens a checkpoint: reads the zip's directory and the pickle, and finds every storage.
 *
 * Errors: E220, E221 (the zip), E222 (a zip, but no checkpoint), E225 to E227 (the pickle), E228 (a
 * tensor and its storage contradict each other), E229 (no state dict inside, or several). Reading a tensor to
 * its end gives E220 when its storage does not have its checksum.
 */
export async function openTorch(
  source: ByteSource,
  options: OpenWeightsOptions = {},
): Promise<Weights> {
  checkOptions<OpenWeightsOptions>("openTorch", options, { key: true });
  const { key } = options;
  const archive = await openZip(source);
  const root = findRoot(archive);
  const pickle = archive.entries.get(`${root}data.pkl`)!;
  const name = `${source.name}, entry "${pickle.name}"`;
  checkPickleSize(pickle.size, name);
  const world = { name, globals: torchGlobals, persistent: readStorage };
  const value = unpickle(await readEntry(archive, pickle), world);
  const bigEndian = await isBigEndian(archive, root);
  const tensors = await placeTensors(archive, root, findStateDict(value, source.name, key));
  return makeWeights({
    source: source.name,
    tensors,
    metadata: {},
    stream: (name, elements) => stream(source, name, tensors.get(name)!, elements, bigEndian),
    close: async () => source.close?.(),
  });
}

/** The folder inside the zip, with its slash: the one that holds `data.pkl`. */
function findRoot({ source, entries }: ZipArchive): string {
  const names = [...entries.keys()];
  const roots = names
    .filter((name) => /^(?:[^/]+\/)?data\.pkl$/.test(name))
    .map((name) => name.slice(0, -"data.pkl".length));
  const [root] = roots;
  if (root === undefined || roots.length > 1) {
    const sample = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
    throw diagnose("E222", {
      message: `a checkpoint has one entry data.pkl, this zip ${roots.length}; it holds ${sample}`,
      where: source.name,
      help: "give the .pth or .pt file itself; if it was packed into this zip, unpack it first",
    });
  }
  if (entries.has(`${root}constants.pkl`)) {
    throw diagnose("E222", {
      message: "this is a TorchScript program, not a checkpoint: it holds code besides the weights",
      where: source.name,
      help: "in Python: torch.save(torch.jit.load(path).state_dict(), 'weights.pth')",
    });
  }
  return root;
}

/** Since PyTorch 2.1 a record says in which byte order the storages are; before, it was little. */
async function isBigEndian(archive: ZipArchive, root: string): Promise<boolean> {
  const entry = archive.entries.get(`${root}byteorder`);
  if (!entry) return false;
  const order = entry.size > 16 ? "" : new TextDecoder().decode(await readEntry(archive, entry));
  if (order === "little" || order === "big") return order === "big";
  throw diagnose("E222", {
    message: `the byte order is recorded as ${JSON.stringify(order)}, neither little nor big`,
    where: `${archive.source.name}, entry "${entry.name}"`,
    help: "the file is damaged: fetch it again",
  });
}

/** A view may repeat elements, but a small file must not turn into a huge tensor. */
const maxRepeated = 64 * 2 ** 20;

async function placeTensors(
  archive: ZipArchive,
  root: string,
  tensors: ReadonlyMap<string, TorchTensor>,
): Promise<Map<string, Placed>> {
  const file = archive.source;
  const storages = new Map<string, StoredEntry>();
  const placed = new Map<string, Placed>();
  let total = 0;
  for (const [name, tensor] of tensors) {
    const { storage, offset, shape } = tensor;
    const { dtype, key, elements } = storage;
    const wrong = (message: string) =>
      diagnose("E228", {
        message,
        where: `${file.name}, tensor "${name}"`,
        help: "the file is damaged, or not written by torch.save: fetch it again",
      });
    const entry = archive.entries.get(`${root}data/${key}`);
    if (!entry) throw wrong(`its storage, the entry "${root}data/${key}", is missing`);
    const storageBytes = fileBytes(dtype, elements);
    if (entry.size !== storageBytes) {
      throw wrong(
        `its storage of ${elements} ${dtype} takes ${storageBytes} bytes, but has ${entry.size}`,
      );
    }
    const bytes = fileBytes(dtype, countElements(shape)!);
    if (bytes > Math.max(entry.size, maxRepeated)) {
      throw wrong(`it repeats ${entry.size} stored bytes until they are ${bytes}`);
    }
    total += bytes;
    if (total > Math.max(2 ** 30, 16 * file.size)) {
      throw wrong(
        `up to this tensor the file of ${file.size} bytes claims ${total} bytes of tensors`,
      );
    }
    const stored = storages.get(key) ?? storedEntry(file, entry, await locate(archive, entry));
    storages.set(key, stored);
    const start = stored.start + fileBytes(dtype, offset);
    placed.set(name, { ...tensor, dtype, bytes, start, stored });
  }
  return placed;
}

function storedEntry(source: ByteSource, entry: ZipEntry, start: number): StoredEntry {
  let agreement: Promise<boolean> | undefined;
  const check = () =>
    checksumAgrees(source, entry, start).catch((cause: unknown) => {
      // A read that failed says nothing about the content: the next one may try again.
      agreement = undefined;
      throw cause;
    });
  return { entry, start, agrees: () => (agreement ??= check()) };
}

async function* stream(
  source: ByteSource,
  name: string,
  tensor: Placed,
  elements: number,
  bigEndian: boolean,
) {
  const { entry, agrees } = tensor.stored;
  const { width } = fileFormat(tensor.dtype);
  const count = tensor.bytes / width;
  if (count === 0) return;
  const damaged = () =>
    zipError(`its storage, the entry "${entry.name}", does not match its checksum`, {
      where: `${source.name}, tensor "${name}"`,
    });
  const contiguous = isContiguous(tensor);
  // A tensor that is all of its storage is checked as it passes; a part says nothing of the rest.
  const whole = contiguous && tensor.bytes === entry.size;
  if (!whole && !(await agrees())) throw damaged();
  // A view with strides needs its whole span at once: any piece of it may be scattered all over.
  const span = contiguous ? undefined : await readSpan(source, tensor, width);
  let crc = 0;
  for (let first = 0; first < count; first += elements) {
    const length = Math.min(elements, count - first) * width;
    const data = span
      ? gather(span, tensor, width, first, allocate(length, source.name))
      : await source.read(tensor.start + first * width, length);
    // The checksum is that of the bytes as they lie in the file, so it comes before any swap; and
    // before the last piece is given away, because who has that need not come back for an error.
    if (whole) crc = crc32(data, crc);
    if (whole && first + elements >= count && crc !== entry.crc) throw damaged();
    if (bigEndian) swapBytes(data, width);
    yield data;
  }
}

const readSpan = (source: ByteSource, tensor: Placed, width: number) =>
  source.read(tensor.start, spanOf(tensor) * width);
