/**
 * The weights of a bundle by their addresses: fetched where there is a network, read from the disk for `file:`
 * addresses, so that one generated module serves browsers and Node.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { openSafetensors } from "../weights/safetensors.ts";
import { type ByteSource, blobSource } from "../weights/source.ts";
import type { Weights } from "../weights/weights.ts";
import type { Bundle, BundleWeights } from "./bundle.ts";

/**
 * `onEnd` is given the whole file once it has come, and nothing where it does not come. Errors: E615 where there are none, E613 for
 * what cannot be read, E614 for another file, E617 for a page in its place.
 */
export async function openOwnWeights(
  { name, weights }: Pick<Bundle, "name" | "weights">,
  folder: string | URL | undefined,
  signal: AbortSignal | undefined,
  onEnd?: (file?: Blob) => void,
): Promise<Weights> {
  const where = `the bundle of ${name}`;
  if (!weights)
    throw diagnose("E615", {
      message: `${where} was built without weights`,
      help: "pass { weights: await openWeights(…) }, or build it with --weights FILE",
    });
  return openFile(weights, where, folder, signal, onEnd);
}

/** A file that a bundle says of. Errors: E613, E614, E617. */
export async function openFile(
  weights: BundleWeights,
  where: string,
  folder: string | URL | undefined,
  signal: AbortSignal | undefined,
  onEnd?: (file?: Blob) => void,
): Promise<Weights> {
  const { source, arrival } = arriving(weights, where, folder, signal, onEnd);
  try {
    const opened = await openSafetensors(source);
    if (opened.checksum === weights.checksum) return opened;
    const checksum = opened.checksum ?? "missing";
    throw notBuilt(
      "weights",
      `their checksum is ${checksum}, ${where} says ${weights.checksum}`,
      source.name,
    );
  } catch (error) {
    // Of a file of another length that says more than what its first bytes are.
    await arrival();
    throw error;
  }
}

export const notBuilt = (what: string, problem: string, where: string) =>
  diagnose("E614", {
    message: `the ${what} are not those that were built: ${problem}`,
    where,
    help: "copy all files of one build again",
  });

function filesIn(folder: string | URL, files: readonly string[]): readonly URL[] {
  const { location } = globalThis as HostGlobals;
  const base = new URL(folder, location?.href);
  base.pathname = base.pathname.replace(/\/?$/, "/");
  return files.map((file) => new URL(file, base));
}

/**
 * A file of a bundle on its way, whole or in pieces. What is read of it waits until it has come, so that the first tensors are
 * used while the last are fetched; what has come stays on the disk, or in the browser's store.
 */
export function arriving(
  { files, bytes: size, urls: addresses }: BundleWeights,
  where: string,
  folder: string | URL | undefined,
  signal: AbortSignal | undefined,
  onEnd?: (file?: Blob) => void,
) {
  const urls = folder === undefined ? addresses() : filesIn(folder, files);
  const name = urls[0]?.href ?? "no address";
  const stop = new AbortController();
  const pieces: Blob[] = [];
  let come = 0;
  let failure: unknown;
  let isWhole = false;
  let wake = () => {};
  let more = Promise.resolve();
  const next = () => {
    wake();
    more = new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  const arrive = async () => {
    next();
    const end = () => stop.abort(signal?.reason);
    signal?.addEventListener("abort", end);
    try {
      const all = urls.map((url) => answerOf(url, stop.signal));
      // A later one that fails is told in its turn.
      for (const one of all) one.catch(() => {});
      for (const one of all)
        for await (const piece of await one) {
          pieces.push(piece);
          come += piece.size;
          next();
        }
      if (come !== size)
        failure = notBuilt("weights", `they have ${come} bytes, ${where} says ${size}`, name);
    } catch (error) {
      failure = signal?.aborted ? signal.reason : error;
      stop.abort();
    }
    signal?.removeEventListener("abort", end);
    isWhole = true;
    onEnd?.(failure === undefined ? new Blob(pieces) : undefined);
    next();
  };
  const arrived = arrive();
  const arrival = async () => {
    await arrived;
    if (failure !== undefined) throw failure;
  };
  const source: ByteSource = {
    name,
    size,
    async read(offset, length) {
      while (!isWhole && come < offset + length) await more;
      // The last bytes tell whether more come behind them.
      if (offset + length >= size || come < offset + length) await arrival();
      return blobSource(name, partOf(pieces, offset, length)).read(0, length);
    },
    async close() {
      stop.abort();
    },
  };
  return { source, arrival };
}

/** Of these one after the other, so many bytes: engines read blobs that are nested deeply slowly, or not at all. */
function partOf(pieces: readonly Blob[], offset: number, length: number): Blob {
  let begin = -offset;
  const parts = pieces.map((piece) => {
    const part = piece.slice(Math.max(0, -begin), Math.max(0, length - begin));
    begin += piece.size;
    return part;
  });
  return new Blob(parts);
}

/** The bytes of an address as they come. */
async function answerOf(url: URL, signal: AbortSignal): Promise<AsyncIterable<Blob>> {
  if (url.protocol === "file:") return one(await fromDisk(url));
  const response = await fetch(url, { signal }).catch((cause) => {
    signal.throwIfAborted();
    throw unread("E613", url, cause.message, cause);
  });
  // Of a site with one page, which it gives for every address.
  if (response.headers.get("content-type")?.startsWith("text/html"))
    throw unread("E617", url, "the server answers with an HTML page");
  if (response.ok) return bodyOf(url, response, signal);
  throw unread(
    "E613",
    url,
    `the server answers ${response.status} ${response.statusText}`.trimEnd(),
  );
}

async function* one(blob: Blob) {
  yield blob;
}

/** In pieces that grow with what has come: the header is read at once, and there are few pieces in all. */
async function* bodyOf(url: URL, { body }: Response, signal: AbortSignal) {
  const reader = body?.getReader();
  let parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let before = 0;
  for (;;) {
    const { done, value } = (await reader?.read().catch((cause) => {
      signal.throwIfAborted();
      throw unread("E613", url, `the connection breaks off (${cause.message})`, cause);
    })) ?? { done: true };
    if (value) parts.push(value);
    bytes += value?.byteLength ?? 0;
    if (!done && bytes < Math.min(piece, before / 4)) continue;
    yield new Blob(parts);
    if (done) return;
    before += bytes;
    parts = [];
    bytes = 0;
  }
}

/** In bytes. */
const piece = 2 ** 20;

const unread = (code: "E613" | "E617", url: URL, problem: string, cause?: unknown) =>
  diagnose(code, {
    message: `the weights cannot be read: ${problem}`,
    where: url.href,
    help: "serve the file beside the module, or say in which folder it is: load(device, { url })",
    cause,
  });

/** What only pages have, and what only Node has. */
interface HostGlobals {
  readonly location?: { readonly href: string };
  readonly process?: {
    getBuiltinModule?(name: "node:fs"): { openAsBlob(path: URL): Promise<Blob> };
  };
}

async function fromDisk(url: URL): Promise<Blob> {
  // Not an import, which bundlers for browsers would follow.
  const files = (globalThis as HostGlobals).process?.getBuiltinModule?.("node:fs");
  if (!files) throw unread("E613", url, "a page reads no files of the disk");
  try {
    return await files.openAsBlob(url);
  } catch (cause) {
    throw unread("E613", url, (cause as Error).message, cause);
  }
}
