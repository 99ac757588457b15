/** The adapters of a bundle: their files as training has saved them, named by what they hold. */
import { basename, extname } from "node:path";
import type { Plan } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { BundleAdapter } from "../runtime/bundle/bundle.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";
import { withAdapter } from "../runtime/weights/adapted.ts";
import { readAdapterFile } from "../runtime/weights/adapter-file.ts";
import {
  bytesSource,
  checkFinite,
  openSafetensors,
  type TensorData,
  type Weights,
  writeWithChecksums,
} from "../runtime/weights/index.ts";

export interface StoredAdapter extends Omit<BundleAdapter, "urls"> {
  readonly content: Uint8Array;
}

/** Whether a file has the name of an adapter's. */
export const isAdapterName = (name: string): boolean =>
  /^adapter-[0-9a-f]{12}\.safetensors$/.test(name);

/**
 * Reads the files and compares each with the plans and with the base that it was trained on.
 * @throws E503 for two files of one name, E205, E431 and E434 to E437 for what does not fit.
 */
export async function readAdapters(
  paths: readonly string[],
  plans: readonly Plan[],
  base: Weights,
): Promise<readonly StoredAdapter[]> {
  const stored: StoredAdapter[] = [];
  for (const path of paths) {
    const name = basename(path, extname(path));
    if (stored.some((one) => one.name === name))
      throw diagnose("E503", {
        message: `two adapters are called "${name}", after their files`,
        where: path,
        help: "give one of the files another name: model.use(name) asks for it",
      });
    const file = await openWeightsFile(path);
    try {
      for (const plan of plans) await checkAdapter(plan, base, file);
      stored.push({ name, ...(await contentOf(file)) });
    } finally {
      await file.close();
    }
  }
  return stored;
}

/** Reads the beginning of each tensor of the base that the file knows: there the two are compared. */
async function checkAdapter(plan: Plan, base: Weights, file: Weights): Promise<void> {
  const weights = withAdapter(plan, base, file);
  const known = readAdapterFile(file).base;
  const names = plan.parameters.map(({ name }) => name);
  for (const name of names) if (known.has(name)) for await (const _ of weights.chunks(name)) break;
  await checkFinite(
    file,
    names.filter((name) => file.tensors.has(name)),
  );
}

/** As inarch writes it: with a hash of each tensor. */
async function contentOf(file: Weights): Promise<Omit<StoredAdapter, "name">> {
  const tensors = new Map<string, TensorData>();
  for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
  const content = writeWithChecksums(tensors, file.metadata);
  const { checksum = "" } = await openSafetensors(bytesSource(file.source, content));
  const files = [`adapter-${checksum.slice(0, 12)}.safetensors`];
  return { bytes: content.byteLength, checksum, files, content };
}
