/**
 * A reference file: tensors that the published implementation computed, and what it computed them
 * with. A checker takes what it needs; what nobody took is named at the end.
 */
import { basename } from "node:path";
import { diagnose } from "../diagnostics/index.ts";
import { openWeightsFile } from "../runtime/node/weights.ts";

export interface ReferenceTensor {
  readonly shape: readonly number[];
  /** Row-major; whole numbers too. */
  readonly data: Float32Array<ArrayBuffer>;
}

export interface Reference {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  has(name: string): boolean;
  /** @throws E361 if there is no such tensor, or it has another rank than `rank`. */
  read(name: string, rank?: number): Promise<ReferenceTensor>;
  /** A value of the metadata. @throws E361 if there is none. */
  fact(name: string): string;
  /** A value of the metadata that is JSON. @throws E361 if there is none, or it is no JSON. */
  json(name: string): unknown;
  /** The names that were never read. */
  unread(): readonly string[];
  close(): Promise<void>;
}

/** @throws E2xx for a file that cannot be read. */
export async function openReference(path: string): Promise<Reference> {
  const weights = await openWeightsFile(path);
  const { metadata } = weights;
  const taken = new Set<string>();
  const names = [...weights.tensors.keys()];
  const fact = (name: string) => {
    const value = metadata[name];
    if (value !== undefined) return value;
    throw garbled(path, `its metadata has no "${name}", only ${Object.keys(metadata).join(", ")}`);
  };
  return {
    path,
    metadata,
    names,
    has: (name) => weights.tensors.has(name),
    async read(name, rank) {
      const entry = weights.tensors.get(name);
      if (!entry) throw garbled(path, `it has no tensor "${name}"`);
      const { shape } = entry;
      if (rank !== undefined && shape.length !== rank)
        throw garbled(path, `${name} is [${shape.join(", ")}], not of ${rank} dimensions`);
      taken.add(name);
      return { shape, data: await weights.readF32(name) };
    },
    fact,
    json(name) {
      const text = fact(name);
      try {
        return JSON.parse(text);
      } catch {
        throw garbled(path, `"${name}" of its metadata is no JSON: ${text.slice(0, 60)}`);
      }
    },
    unread: () => names.filter((name) => !taken.has(name)),
    close: () => weights.close(),
  };
}

/** E361: the file is of a known kind, but not what that kind should be. */
export const garbled = (path: string, message: string) =>
  diagnose("E361", {
    message: `${basename(path)} cannot be checked: ${message}`,
    where: path,
    help: "compare it with a file of its kind under test/fixtures, or write it again",
  });
