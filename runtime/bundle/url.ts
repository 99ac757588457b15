/**
 * Bundles by address: fetched where there is a network, read from the disk for `file:` addresses, so
 * that one generated wrapper serves browsers and Node.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { blobSource } from "../weights/source.ts";
import { type Bundle, type OpenBundleOptions, openForeignBundle } from "./bundle.ts";

/**
 * Opens the bundle at an address: that of its folder, which ends in a slash, or of one of its manifests.
 * The signal stops what is fetched, weights included.
 * @throws E517 for a bundle that is JavaScript, what `openBundle` throws, and the reason of the signal.
 */
export async function openBundleUrl(
  address: string | URL,
  options: Pick<OpenBundleOptions, "signal"> = {},
): Promise<Bundle> {
  checkOptions<typeof options>("openBundleUrl", options, { signal: true });
  const { signal } = options;
  const { location } = globalThis as HostGlobals;
  const given = new URL(address, location?.href);
  const folder = new URL(".", given);
  const [manifest] = /manifest-\w+\.json$/.exec(given.pathname) ?? [];
  const get = folder.protocol === "file:" ? fromDisk : fromNetwork;
  const blob = (path: string) => get(new URL(path, folder), signal);
  return openForeignBundle(async (path) => new Uint8Array(await (await blob(path)).arrayBuffer()), {
    source: folder.href,
    ...(manifest === undefined ? {} : { manifest }),
    ...(signal ? { signal } : {}),
    // A blob stays on the disk, or in the browser's store, and is read piece by piece.
    open: async (path) => blobSource(new URL(path, folder).href, await blob(path)),
  });
}

async function fromNetwork(url: URL, signal: AbortSignal | undefined): Promise<Blob> {
  const response = await fetch(url, signal ? { signal } : {});
  if (response.ok) return response.blob();
  throw diagnose("E613", {
    message: `the server answers ${response.status} ${response.statusText}`.trimEnd(),
    where: url.href,
    help: "check the address; the server must serve the whole folder",
  });
}

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
  if (files) return files.openAsBlob(url);
  throw diagnose("E613", {
    message: "a page cannot read files of the disk by their address",
    where: url.href,
    help: "serve the folder over http, or give openBundle a function that reads it",
  });
}
