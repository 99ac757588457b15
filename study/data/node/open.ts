/** Opens a set of pictures and targets in whatever files it lies, and checks every item before anything starts. */
import { diagnose, InarchError } from "../../../diagnostics/index.ts";
import { checkOptions } from "../../../diagnostics/options.ts";
import { callback, checkValues, object } from "../../../diagnostics/values.ts";
import { keptInMemory } from "../ahead.ts";
import type { Sample, Samples } from "../sample.ts";
import { type ItemCounts, type SetSummary, summaryOf } from "../summary.ts";
import { taskOf } from "../task-files.ts";
import { checkDescription } from "./check-description.ts";
import { type CocoSet, readCoco } from "./coco.ts";
import { byName } from "./files.ts";
import { type FolderSet, readFolders } from "./folders.ts";
import { type LabelmeSet, readLabelme } from "./labelme.ts";
import type { RawItem, RawSet } from "./raw.ts";
import { readItem } from "./read.ts";
import { type CsvSet, type HuggingFaceSet, readCsv, readHuggingFace } from "./tables.ts";
import { startThreads } from "./threads.ts";
import { readVoc, type VocSet } from "./voc.ts";
import { readYolo, type YoloSet } from "./yolo.ts";

/** A set, by the format of its files. */
export type SetDescription =
  | FolderSet
  | CsvSet
  | CocoSet
  | VocSet
  | LabelmeSet
  | HuggingFaceSet
  | YoloSet;

/** A set whose items were all read once, and can be used. */
export interface DataSet extends Samples {
  /** Of the items, in their order: by name. */
  readonly names: readonly string[];
  /** Sizes, and how often each class is there. */
  readonly summary: SetSummary;
  /** Of the items, in their order. */
  readonly counts: readonly ItemCounts[];
  /** Ends its threads. Without threads there is nothing to end. */
  close(): void;
}

export interface OpenOptions {
  /** So many threads decode items and see them; 0 unless given: this thread does. */
  readonly threads?: number | undefined;
  /** So many bytes of decoded items are kept in memory; 0 unless given. */
  readonly keep?: number | undefined;
  /** Told after each item that was checked. */
  readonly onProgress?: ((done: number, all: number) => void) | undefined;
  /** Stops checking. */
  readonly signal?: AbortSignal | undefined;
}

type Reader = (set: never) => Promise<RawSet>;

const readers: Readonly<Record<SetDescription["format"], Reader>> = {
  folders: (set: FolderSet) => readFolders(set),
  csv: readCsv,
  coco: readCoco,
  voc: readVoc,
  labelme: readLabelme,
  huggingface: readHuggingFace,
  yolo: readYolo,
};

/** A set of which no item was read yet. */
export interface DescribedSet extends Pick<DataSet, "size" | "tasks" | "names"> {
  /** Reads every item once. @throws E1001 with every item that cannot be used, and as `openSet`. */
  open(options?: OpenOptions): Promise<DataSet>;
}

/**
 * Reads what describes the set, and then every item once. Items stand in the order of their names.
 *
 * @throws E1001 with every item that cannot be used, E1002 for a set without items, E1003 for what describes the set
 * and cannot be read, E1004 for a description that is none, E400 and E401 without the packages sharp and, for YAML, yaml; the signal's
 * reason when it is aborted.
 */
export async function openSet(
  description: SetDescription,
  options: OpenOptions = {},
): Promise<DataSet> {
  checkOptions<OpenOptions>("openSet", options, wants);
  checkValues<OpenOptions>("openSet", options, wants);
  return (await describeSet(description)).open(options);
}

/**
 * Reads what describes the set, and no picture. Items stand in the order of their names.
 * @throws as `openSet`; E1001 where there is no item but what is wrong with some.
 */
export async function describeSet(description: SetDescription): Promise<DescribedSet> {
  checkDescription(description);
  const raw = await readers[description.format](description as never);
  const items = [...raw.items].sort((a, b) => byName(a.name, b.name));
  const tasks = Object.fromEntries(
    Object.entries(raw.tasks).map(([name, files]) => [name, taskOf(files)]),
  );
  if (items.length === 0 && raw.problems.length > 0) throw unusable(raw.where, raw.problems, 0);
  if (items.length === 0)
    throw diagnose("E1002", {
      message: "the set has no pictures",
      where: raw.where,
      help: "check the path and the format; PNG, JPEG, WebP, TIFF, GIF and AVIF are read",
    });
  return {
    ...{ size: items.length, tasks, names: items.map(({ name }) => name) },
    open: (options = {}) => openItems({ ...raw, items }, tasks, options),
  };
}

async function openItems(
  raw: RawSet,
  tasks: Samples["tasks"],
  options: OpenOptions,
): Promise<DataSet> {
  const { items } = raw;
  const summary = summaryOf(tasks);
  const counts: ItemCounts[] = [];
  const add = (sample: Sample) => counts.push(summary.add(sample));
  const problems = [...raw.problems, ...(await check(raw, add, options))];
  if (problems.length > 0) throw unusable(raw.where, problems, items.length);
  const { threads: count = 0, keep = 0 } = options;
  const samples = {
    size: items.length,
    tasks,
    read: (item: number) => readItem(items[item]!, raw.tasks),
  };
  const threads = count > 0 ? startThreads(count, { items, tasks: raw.tasks, keep }) : undefined;
  return {
    // Threads keep what they read themselves.
    ...(threads ? { ...samples, view: threads.view } : keptInMemory(samples, keep)),
    names: items.map(({ name }) => name),
    summary: summary.result(),
    counts,
    close: () => threads?.close(),
  };
}

const wants = {
  threads: { words: "a whole number of threads", is: isCount },
  keep: { words: "a number of bytes", is: isCount },
  onProgress: callback,
  signal: object("an AbortSignal"),
};

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** How many items are read at once: decoding has threads of its own. */
const atOnce = 4;

/** Reads every item, and returns what is wrong, a line for each in the order of the items. */
async function check(
  { items, tasks }: RawSet,
  add: (sample: Sample) => void,
  { onProgress, signal }: OpenOptions,
): Promise<string[]> {
  const problems: string[] = [];
  let done = 0;
  for (let first = 0; first < items.length; first += atOnce) {
    signal?.throwIfAborted();
    const some = items.slice(first, first + atOnce);
    const read = await Promise.all(
      some.map((item) => readItem(item, tasks).catch(problemOf(item))),
    );
    for (const one of read) {
      if (typeof one === "string") problems.push(one);
      else add(one);
      onProgress?.(++done, items.length);
    }
  }
  return problems;
}

/** What is wrong with an item; what is wrong with the machine is thrown. */
const problemOf = (item: RawItem) => (error: unknown) => {
  if (!(error instanceof InarchError) || error.kind !== "user") throw error;
  const { message, where, help } = error.details;
  return `${where ?? item.name}: ${message}${help ? ` (${help})` : ""}`;
};

function unusable(where: string, problems: readonly string[], items: number) {
  const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  return diagnose("E1001", {
    message: [`the set of ${items} items has ${count}:`, ...problems].join("\n    "),
    where,
    help: "mend these, or take them out of the set",
  });
}
