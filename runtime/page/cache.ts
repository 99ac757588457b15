/**
 * Weights of bundles that a browser keeps for a site, in its private file system: a later visit fetches none. Files
 * are named by what they hold, so that a new build never meets the weights of an old one.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { atLeast, checkValues } from "../../diagnostics/values.ts";
import type { Bundle, BundleWeights, OpenBundleOptions } from "../bundle/bundle.ts";
import { arriving, openOwnWeights } from "../bundle/weights.ts";
import { openSafetensors } from "../weights/safetensors.ts";
import { type ByteSource, blobSource } from "../weights/source.ts";
import type { Weights } from "../weights/weights.ts";
import { notStored } from "./store.ts";

export interface WeightsCacheOptions {
  /**
   * The most that is kept, in bytes: 2 GiB unless given. What was used longest ago goes first, also where the browser gives
   * the site less.
   */
  readonly bytes?: number;
}

export interface CachedWeightsOptions extends OpenBundleOptions {
  /** Told why a file is not kept, such as E623 where the browser has no room. Its weights can be used all the same. */
  readonly onNotKept?: (cause: Error) => void;
}

export interface WeightsCache {
  /**
   * The weights of a bundle, for `load(device, { weights })`; close them once the model is loaded. They are those that are
   * kept, or come over the network, can be used as they come, and are kept once they are whole.
   * @throws E615 for a bundle without weights, E613, E614 and E617 as `openBundle`'s.
   */
  weights(
    bundle: Pick<Bundle, "name" | "weights">,
    options?: CachedWeightsOptions,
  ): Promise<Weights>;
  /** How many bytes are kept, once what is coming has come. */
  size(): Promise<number>;
  /** Removes everything, once what is coming has come. */
  clear(): Promise<void>;
}

/**
 * Opens the cache of the site, which its pages and workers share.
 * @throws E460, E465; E623 where the browser keeps nothing, such as in some private windows, and for a page that is
 * not served securely.
 */
export async function openWeightsCache(options: WeightsCacheOptions = {}): Promise<WeightsCache> {
  checkOptions<WeightsCacheOptions>("openWeightsCache", options, { bytes: true });
  checkValues<WeightsCacheOptions>("openWeightsCache", options, { bytes: atLeast(0) });
  const { bytes: most = 2 ** 31 } = options;
  const folder = await openFolder();
  const coming = new Set<Promise<unknown>>();
  return {
    async weights(bundle, given = {}) {
      const { url, signal, onNotKept } = given;
      checkOptions<CachedWeightsOptions>("weights", given, {
        url: true,
        signal: true,
        onNotKept: true,
      });
      const { weights } = bundle;
      // Which says that there are none.
      if (!weights) return openOwnWeights(bundle, url, signal);
      const again = () => arriving(weights, `the bundle of ${bundle.name}`, url, signal).source;
      const found = await keptWeights(folder, weights, again);
      signal?.throwIfAborted();
      if (found) return found;
      let end: (file?: Blob) => void = () => {};
      const come = new Promise<Blob | undefined>((resolve) => {
        end = resolve;
      });
      const kept = come
        .then((file) => file && keep(folder, nameOf(weights), file, most))
        .catch((cause) => onNotKept?.(cause));
      coming.add(kept);
      void kept.finally(() => coming.delete(kept));
      try {
        const opened = await openOwnWeights(bundle, url, signal, end);
        return {
          ...opened,
          async close() {
            await opened.close();
            await kept;
          },
        };
      } catch (error) {
        end();
        throw error;
      }
    },
    async size() {
      await Promise.all(coming);
      const files = await filesOf(folder);
      return files.reduce((sum, { size }) => sum + size, 0);
    },
    async clear() {
      await Promise.all(coming);
      for (const { name } of await filesOf(folder)) await remove(folder, name);
    },
  };
}

async function openFolder(): Promise<FileSystemDirectoryHandle> {
  const storage = (globalThis.navigator as Navigator | undefined)?.storage;
  if (!storage?.getDirectory)
    throw diagnose("E623", {
      message: "the browser keeps no weights for this page: it has no private file system here",
      help: "serve the page by https or from localhost, or load the model without a cache",
    });
  try {
    const root = await storage.getDirectory();
    return await root.getDirectoryHandle("inarch-weights", { create: true });
  } catch (cause) {
    throw notStored("weights", cause as Error);
  }
}

const nameOf = ({ checksum }: BundleWeights): string =>
  `${checksum.replaceAll(/\W/g, "-")}.safetensors`;

/** Beside each file there is an empty one, which is written whenever the file is used. */
const used = ".used";

/**
 * Those that are kept; undefined where there are none, or where a hash says that they are broken. What another tab removes
 * meanwhile comes over the network, `again`.
 */
async function keptWeights(
  folder: FileSystemDirectoryHandle,
  wanted: BundleWeights,
  again: () => ByteSource,
): Promise<Weights | undefined> {
  const name = nameOf(wanted);
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    const kept = blobSource(name, file);
    const opened = await openSafetensors(kept);
    if (file.size !== wanted.bytes || opened.checksum !== wanted.checksum) return undefined;
    for (const tensor of opened.tensors.keys()) for await (const _ of opened.chunks(tensor));
    await touch(folder, name).catch(() => {});
    let network: ByteSource | undefined;
    return await openSafetensors({
      ...kept,
      read: (offset, length) =>
        kept.read(offset, length).catch(() => {
          network ??= again();
          return network.read(offset, length);
        }),
      close: async () => network?.close?.(),
    });
  } catch {
    return undefined;
  }
}

async function touch(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  const mark = await folder.getFileHandle(`${name}${used}`, { create: true });
  const writer = await mark.createWritable();
  await writer.close();
}

/** What is kept, with the time of its last use in milliseconds. */
async function filesOf(folder: FileSystemDirectoryHandle) {
  const files: { name: string; size: number; time: number }[] = [];
  for await (const name of folder.keys()) {
    if (name.endsWith(used)) continue;
    const [file, mark] = await Promise.all(
      [name, `${name}${used}`].map(async (one) =>
        (await folder.getFileHandle(one).catch(() => undefined))?.getFile(),
      ),
    );
    if (file) files.push({ name, size: file.size, time: mark?.lastModified ?? 0 });
  }
  return files;
}

async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  for (const one of [name, `${name}${used}`]) await folder.removeEntry(one).catch(() => {});
}

/** Keeps a file, in place of those that were used longest ago. @throws E623 */
async function keep(folder: FileSystemDirectoryHandle, name: string, file: Blob, most: number) {
  if (file.size > most)
    throw diagnose("E623", {
      message: `the cache keeps at most ${most} bytes, and ${name} has ${file.size}`,
      help: "open it with room for that: openWeightsCache({ bytes: … })",
    });
  const others = (await filesOf(folder)).filter((other) => other.name !== name);
  others.sort((a, b) => a.time - b.time);
  let sum = others.reduce((all, { size }) => all + size, file.size);
  for (;;) {
    const oldest = others.shift();
    try {
      if (sum <= most) return await write(folder, name, file);
    } catch (cause) {
      const { name: problem } = cause as Error;
      if (problem !== "QuotaExceededError" || !oldest) throw notStored(name, cause as Error);
    }
    // While the sum is too large, there are others.
    await remove(folder, oldest!.name);
    sum -= oldest!.size;
  }
}

/** There whole in the end, or as it was: what is written is in a file of its own until it is closed. */
async function write(folder: FileSystemDirectoryHandle, name: string, file: Blob): Promise<void> {
  const writer = await (await folder.getFileHandle(name, { create: true })).createWritable();
  try {
    await writer.write(file);
  } catch (cause) {
    await writer.abort().catch(() => {});
    throw cause;
  }
  await writer.close();
  await touch(folder, name);
}
