/** Threads that decode items and see them, beside the thread that trains. */
import { Worker } from "node:worker_threads";
import { type Code, diagnose } from "../../../diagnostics/index.ts";
import type { Viewed } from "../sample.ts";
import type { ViewRequest } from "../view.ts";
import type { ThreadStart } from "./item-thread.ts";

export interface Question {
  readonly id: number;
  readonly item: number;
  readonly request: ViewRequest;
}

export interface Answer {
  readonly id: number;
  readonly viewed?: Viewed | undefined;
  readonly error?:
    | {
        readonly code?: Code | undefined;
        readonly message: string;
        readonly where?: string | undefined;
        readonly help?: string | undefined;
      }
    | undefined;
}

export interface ItemThreads {
  /** An item as it is seen. @throws what reading it throws, and E1007 where its thread has ended. */
  view(item: number, request: ViewRequest): Promise<Viewed>;
  /** Ends the threads; what was asked and not answered is refused with E1007. */
  close(): void;
}

/** The built file: what loads sources directly must build it first. */
const script = new URL("./item-thread.js", import.meta.url);

/** Node's permissions may forbid threads. */
export const mayStartThreads = (): boolean =>
  // Undefined without permissions, whatever its type says.
  (process.permission as typeof process.permission | undefined)?.has("worker") ?? true;

/**
 * Starts threads. An item is always read by the same one, which may keep it; a thread without work does not keep the
 * process alive.
 */
export function startThreads(count: number, start: ThreadStart, file: URL = script): ItemThreads {
  const keep = Math.floor(start.keep / count);
  const threads = Array.from({ length: count }, () => startThread({ ...start, keep }, file));
  return {
    view: (item, request) => threads[item % count]!.ask(item, request),
    close() {
      for (const thread of threads) thread.end("it was closed");
    },
  };
}

interface Waiting {
  resolve(viewed: Viewed): void;
  reject(error: unknown): void;
}

function startThread(workerData: ThreadStart, file: URL) {
  // Flags of the process, such as --input-type, need not suit a file.
  const worker = new Worker(file, { workerData, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let ended: string | undefined;
  let asked = 0;
  const end = (reason: string) => {
    ended ??= reason;
    for (const { reject } of waiting.values()) reject(hasEnded(ended));
    waiting.clear();
    worker.unref();
    void worker.terminate();
  };
  worker.unref();
  worker.on("message", ({ id, viewed, error }: Answer) => {
    const asking = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (viewed) asking?.resolve(viewed);
    else asking?.reject(errorOf(error));
  });
  worker.on("error", ({ message }) => end(message));
  worker.on("exit", (code) => end(`exit code ${code}`));
  return {
    end,
    ask: (item: number, request: ViewRequest) =>
      new Promise<Viewed>((resolve, reject) => {
        if (ended !== undefined) return reject(hasEnded(ended));
        const id = asked++;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ id, item, request } satisfies Question);
      }),
  };
}

/** As it was thrown there: the environment's, the user's, or ours. */
const errorOf = (error: NonNullable<Answer["error"]> | undefined) =>
  diagnose(error?.code ?? "E900", {
    ...error,
    message: error?.code
      ? error.message
      : `bug in inarch: an item could not be read: ${error?.message}`,
  });

const hasEnded = (reason: string) =>
  diagnose("E1007", {
    message: `a thread that reads items has ended: ${reason}`,
    help: "open the set again, with fewer threads or a smaller cache where memory is short",
  });
