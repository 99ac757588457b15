/** Bundles in memory, as generated modules hold them. */
import { profileEntry } from "../../build/bundle-content.ts";
import type { Plan } from "../../compiler/index.ts";
import {
  type Bundle,
  bundleFormat,
  contentHash,
  type ProfileContent,
} from "../../runtime/bundle/bundle.ts";
import { openBytes } from "./weights-files.ts";

export interface BundleParts {
  readonly name: string;
  readonly plans: ReadonlyMap<string, Plan>;
  /** A safetensors file with checksums. */
  readonly weights?: Uint8Array<ArrayBuffer>;
  /** What the module holds instead, under a right hash. */
  readonly change?: (content: ProfileContent) => ProfileContent;
}

export async function bundleOf({ name, plans, weights, change }: BundleParts): Promise<Bundle> {
  const { content, ...entry } = profileEntry({ name: "only", plans });
  const held = change?.(content) ?? content;
  const profile = { ...entry, hash: contentHash(held), load: async () => held };
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

/** The bundle whose one profile has other plans, a JSON value by program, under a right hash. */
export const withPlans = (parts: BundleParts, plans: unknown): Promise<Bundle> =>
  bundleOf({ ...parts, change: ({ kernels }) => ({ plans: JSON.stringify(plans), kernels }) });
