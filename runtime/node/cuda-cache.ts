/** Kernels as a driver assembled them, which are kept: by their text, the GPU's architecture and the driver. */
import { join } from "node:path";
import { cacheFolder, findKept, keepFile, keptName } from "./kept-files.ts";

/** Bytes that are kept; the files that were used last. */
const mostBytes = 256 * 2 ** 20;

/** The kernel of a key: from the folder, or as `make` makes it. Where nothing can be kept it is made each time. */
export async function cachedCubin(
  key: string,
  make: () => Promise<Uint8Array<ArrayBuffer>>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = join(cacheFolder(env), "cuda");
  const kept = await findKept(folder, key, ".cubin", "remove");
  if (kept) return kept.bytes;
  const bytes = await make();
  await keepFile(folder, keptName(key, bytes, ".cubin"), bytes, mostBytes).catch(() => undefined);
  return bytes;
}
