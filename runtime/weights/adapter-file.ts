/**
 * What an adapter's file says of itself in its metadata: what the adapters were made with, where they
 * work, and which base they were trained on. Whoever loads the file compares all of that.
 */
import type { PlanAdapter } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { refuseForeign } from "./foreign-adapters.ts";
import { isRecord } from "./json.ts";
import { adapterKind, isAdapterFile } from "./kinds.ts";
import type { Weights } from "./weights.ts";

/** The version of this format. Files of version 1 say the base alone, and no version. */
export const adapterFormat = 2;

/** An adapter as its file describes it. */
export type FileAdapter = Pick<PlanAdapter, "name" | "settings" | "places">;

export interface AdapterFile {
  /** In the order in which they were grafted; undefined in a file that does not say. */
  readonly adapters: readonly FileAdapter[] | undefined;
  /** Fingerprints of the frozen tensors of the base, by name. */
  readonly base: ReadonlyMap<string, string>;
  /** Names of tensors that no base need have; undefined in a file that does not say. */
  readonly own: ReadonlySet<string> | undefined;
}

export type Fingerprints = ReadonlyMap<string, string>;

/** What is kept of a base and of adapters: metadata that `readMetadata` reads. */
export const describeTraining = (base: Fingerprints, adapters: readonly PlanAdapter[]) => ({
  base: JSON.stringify(Object.fromEntries(base)),
  adapters: JSON.stringify(
    adapters.map(({ name, settings, places }): FileAdapter => ({ name, settings, places })),
  ),
});

/** The metadata of an adapter's file. */
export const adapterMetadata = (
  model: string,
  base: Fingerprints,
  adapters: readonly PlanAdapter[],
  own: readonly string[],
) => ({
  kind: adapterKind,
  format: String(adapterFormat),
  model,
  own: JSON.stringify(own),
  ...describeTraining(base, adapters),
});

/**
 * Reads the tensors of an adapter's file that nobody reads otherwise, so that one that was changed is refused
 * whatever is needed of it. @throws E461
 */
export async function checkUnread(
  { tensors, rawChunks }: Weights,
  isRead: (name: string) => boolean = () => false,
): Promise<void> {
  for (const name of tensors.keys()) if (!isRead(name)) for await (const _ of rawChunks(name));
}

/**
 * What an adapter's file says of itself. `lora(file.adapters[0].settings)` makes the adapter that it
 * was trained with.
 * @throws E437 for a file that is no adapter's, or of a format that this version does not read.
 */
export function readAdapterFile(
  file: Pick<Weights, "metadata" | "source" | "tensors">,
): AdapterFile {
  const { metadata, source } = file;
  if (!isAdapterFile(file)) {
    refuseForeign(file);
    throw diagnose("E437", {
      message: metadata.kind
        ? `the file is no adapter: it says that it is "${metadata.kind}"`
        : "the file does not say that it is an adapter",
      where: source,
      help: "give a file that saveAdapter() of a training session wrote",
    });
  }
  if (metadata.format !== undefined && metadata.format !== String(adapterFormat))
    throw diagnose("E437", {
      message: `the adapter's file has format ${metadata.format}, this version reads up to ${adapterFormat}`,
      where: source,
      help: "update inarch",
    });
  return readMetadata(file);
}

/** The same of any file of training. @throws E437 where its metadata is damaged. */
export function readMetadata({ metadata, source }: Pick<Weights, "metadata" | "source">) {
  const base = parsed(metadata.base ?? "{}", "base", source);
  const [adapters, own] = (["adapters", "own"] as const).map((name) => {
    const text = metadata[name];
    return text === undefined ? undefined : parsed(text, name, source);
  });
  if (!isRecord(base) || Object.values(base).some((print) => typeof print !== "string"))
    throw damaged("base", source);
  if (adapters !== undefined && !(Array.isArray(adapters) && adapters.every(isAdapter)))
    throw damaged("adapters", source);
  if (own !== undefined && !isNames(own)) throw damaged("own", source);
  return { adapters, base: new Map(Object.entries(base)), own: own && new Set(own) } as AdapterFile;
}

const isAdapter = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.name === "string" &&
  isRecord(value.settings) &&
  isNames(value.places);

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === "string");

function parsed(text: string, name: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(name, source);
  }
}

const damaged = (name: string, source: string) =>
  diagnose("E437", {
    message: `"${name}" of the file's metadata is damaged`,
    where: source,
    help: "fetch it again",
  });
