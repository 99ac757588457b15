/**
 * What runs in a thread that reads items: it decodes the files of an item, sees it as asked, and sends the arrays back
 * without a copy. Items that it has read stay in its memory, as many as it may keep.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InarchError } from "../../../diagnostics/index.ts";
import { keptInMemory } from "../ahead.ts";
import { see } from "../apply.ts";
import type { TaskFiles } from "../task-files.ts";
import type { RawItem } from "./raw.ts";
import { readItem } from "./read.ts";
import type { Answer, Question } from "./threads.ts";

/** What a thread is given when it starts. */
export interface ThreadStart {
  readonly items: readonly RawItem[];
  readonly tasks: Readonly<Record<string, TaskFiles>>;
  /** How many bytes of decoded items it keeps. */
  readonly keep: number;
}

const { items, tasks, keep } = workerData as ThreadStart;
const samples = keptInMemory(
  { size: items.length, tasks: {}, read: (item) => readItem(items[item]!, tasks) },
  keep,
);

parentPort?.on("message", async ({ id, item, request }: Question) => {
  try {
    const viewed = see(await samples.read(item), request);
    const arrays = [
      viewed.image,
      viewed.valid,
      ...Object.values(viewed.targets).map((t) => t.data),
    ];
    const buffers = arrays.map(({ buffer }) => buffer as ArrayBuffer);
    parentPort?.postMessage({ id, viewed } satisfies Answer, buffers);
  } catch (error) {
    parentPort?.postMessage({ id, error: describe(error) } satisfies Answer);
  }
});

/** An error loses its class on the way: its code and its words are sent. */
function describe(error: unknown): NonNullable<Answer["error"]> {
  if (!(error instanceof InarchError)) return { message: String(error) };
  const { message, where, help } = error.details;
  return { code: error.code, message, where, help };
}
