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
 * Errors: E615 where there are none, E613 for what cannot be read, E614 for another file, E617 for a page in
 * its place.
 */
export async function openOwnWeights(
  { name, weights }: Bundle,
  folder: string | URL | undefined,
  signal: AbortSignal | undefined,
): Promise<Weights> {
  const where = `the bundle of ${name}`;
  if (!weights)
    throw diagnose("E615", {
      message: `${where} was built without weights`,
      help: "pass { weights: await openWeights(…) }, or build it with --weights FILE",
    });
  return openFile(weights, where, folder, signal);
}

/** A file that a bundle says of. Errors: E613, E614, E617. */
export async function openFile(
  weights: BundleWeights,
  where: string,
  folder: string | URL | undefined,
  signal: AbortSignal | undefined,
): Promise<Weights> {
  const urls = folder === undefined ? weights.urls() : filesIn(folder, weights.files);
  const bytes = await readPieces(urls, signal);
  const opened = bytes.size === weights.bytes ? await openSafetensors(bytes) : undefined;
  if (opened?.checksum === weights.checksum) return opened!;
  throw diagnose("E614", {
    message: `the weights are not those that were built: ${
      opened
        ? `their checksum is ${opened.checksum ?? "missing"}, ${where} says ${weights.checksum}`
        : `they have ${bytes.size} bytes, ${where} says ${weights.bytes}`
    }`,
    where: bytes.name,
    help: "copy the files again as they are, all of one build",
  });
}

function filesIn(folder: string | URL, files: readonly string[]): readonly URL[] {
  const { location } = globalThis as HostGlobals;
  const base = new URL(folder, location?.href);
  base.pathname = base.pathname.replace(/\/?$/, "/");
  return files.map((file) => new URL(file, base));
}

/** One file, or one that was cut into pieces. A blob stays on the disk, or in the browser's store. */
async function readPieces(urls: readonly URL[], signal: AbortSignal | undefined) {
  const blobs = await Promise.all(
    urls.map((url) => (url.protocol === "file:" ? fromDisk(url) : fromNetwork(url, signal))),
  );
  return blobSource(urls[0]?.href ?? "no address", new Blob(blobs)) satisfies ByteSource;
}

async function fromNetwork(url: URL, signal: AbortSignal | undefined): Promise<Blob> {
  const response = await fetch(url, signal ? { signal } : {}).catch((cause) => {
    signal?.throwIfAborted();
    throw unread("E613", url, cause.message, cause);
  });
  // Of a site with one page, which it gives for every address.
  if (response.headers.get("content-type")?.startsWith("text/html"))
    throw unread("E617", url, "the server answers with an HTML page");
  if (response.ok) return response.blob();
  throw unread(
    "E613",
    url,
    `the server answers ${response.status} ${response.statusText}`.trimEnd(),
  );
}

const unread = (code: "E613" | "E617", url: URL, problem: string, cause?: unknown) =>
  diagnose(code, {
    message: `the weights cannot be read: ${problem}`,
    where: url.href,
    help: "serve the file that lies beside the module, or say in which folder it is: load(device, { url })",
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
