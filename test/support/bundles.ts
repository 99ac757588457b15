/** Bundles in memory, as generated modules hold them. */
import { profileEntry } from "../../build/bundle-content.ts";
import type { Plan } from "../../compiler/index.ts";
import { type Bundle, bundleFormat } from "../../runtime/bundle/bundle.ts";
import { openBytes } from "./weights-files.ts";

export interface BundleParts {
  readonly name: string;
  readonly plans: ReadonlyMap<string, Plan>;
  /** A safetensors file with checksums. */
  readonly weights?: Uint8Array<ArrayBuffer>;
}

export async function bundleOf({ name, plans, weights }: BundleParts): Promise<Bundle> {
  const { content, ...entry } = profileEntry({ name: "only", plans });
  const profile = { ...entry, load: async () => content };
  return {
    format: bundleFormat,
    name,
    profiles: [profile],
    ...(weights ? { weights: await weightsOf(weights) } : {}),
  };
}

/** What a bundle says of a file of weights, which is read from memory. */
export async function weightsOf(
  file: Uint8Array<ArrayBuffer>,
  lies: Uint8Array<ArrayBuffer> = file,
): Promise<NonNullable<Bundle["weights"]>> {
  const { checksum = "" } = await openBytes(file);
  const url = new URL(URL.createObjectURL(new Blob([lies])));
  return { bytes: file.byteLength, checksum, files: ["w.safetensors"], urls: () => [url] };
}
