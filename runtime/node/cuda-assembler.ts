/** Threads in which a driver assembles PTX: it takes tenths of a second a kernel, and a training has hundreds. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Assembled, Job } from "./cuda-assembling.ts";
import type { ThreadStart } from "./cuda-thread.ts";

/** More gain little, and each has the driver's assembler in memory. */
const mostThreads = 16;
/** Milliseconds without work after which threads end. */
const idle = 2000;
/** The built file: what loads sources directly must build it first. */
const script = new URL("./cuda-thread.js", import.meta.url);

interface Asked extends Job {
  resolve(found: Assembled): void;
  reject(cause: Error): void;
}

export class Assembler {
  readonly #start: ThreadStart;
  readonly #here: (job: Job) => Assembled;
  readonly #waiting: Asked[] = [];
  /** What each thread is doing. */
  readonly #threads = new Map<Worker, Asked | undefined>();
  #most = Math.min(mostThreads, availableParallelism());
  #idle: NodeJS.Timeout | undefined;

  /** `here` assembles in this thread, in the GPU's context: for where no thread can be started. */
  constructor(start: ThreadStart, here: (job: Job) => Assembled) {
    this.#start = start;
    this.#here = here;
  }

  assemble(job: Job): Promise<Assembled> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...job, resolve, reject });
      this.#share();
    });
  }

  /**
   * Ends the threads; what was asked and is not done is refused with `cause`.
   * @returns what resolves when no thread calls the driver any more; undefined if none does.
   */
  close(cause: Error): Promise<unknown> | undefined {
    clearTimeout(this.#idle);
    const threads = [...this.#threads];
    this.#threads.clear();
    const asked = [...threads.flatMap(([, one]) => one ?? []), ...this.#waiting.splice(0)];
    const ended = Promise.all(threads.map(([worker]) => endOf(worker)));
    for (const { reject } of asked) reject(cause);
    return asked.length > 0 ? ended : undefined;
  }

  #share(): void {
    clearTimeout(this.#idle);
    while (this.#waiting.length > 0) {
      const free = [...this.#threads].find(([, asked]) => asked === undefined)?.[0];
      const worker = free ?? (this.#threads.size < this.#most ? this.#started() : undefined);
      if (worker === undefined && this.#threads.size > 0) return;
      const asked = this.#waiting.shift()!;
      if (worker === undefined) this.#doHere(asked);
      else this.#give(worker, asked);
    }
    if ([...this.#threads.values()].some((asked) => asked !== undefined)) return;
    this.#idle = setTimeout(() => void this.close(new Error("idle")), idle).unref();
  }

  #give(worker: Worker, asked: Asked): void {
    this.#threads.set(worker, asked);
    worker.ref();
    worker.postMessage({ name: asked.name, text: asked.text } satisfies Job);
  }

  #started(): Worker {
    const worker = new Worker(script, { workerData: this.#start });
    this.#threads.set(worker, undefined);
    worker.on("message", (found: Assembled) => {
      if (!this.#threads.has(worker)) return;
      const asked = this.#threads.get(worker);
      this.#threads.set(worker, undefined);
      worker.unref();
      asked?.resolve(found);
      this.#share();
    });
    const fail = () => {
      const asked = this.#threads.get(worker);
      if (!this.#threads.delete(worker)) return;
      this.#most = 0;
      if (asked) this.#doHere(asked);
      this.#share();
    };
    worker.on("error", fail);
    worker.on("exit", fail);
    return worker;
  }

  #doHere(asked: Asked): void {
    try {
      asked.resolve(this.#here(asked));
    } catch (cause) {
      asked.reject(cause as Error);
    }
  }
}

/** Ends a thread once it has done what it is doing: one that is ended within a call of koffi takes the process with it. */
function endOf(worker: Worker): Promise<unknown> {
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  worker.ref();
  worker.postMessage(undefined);
  return ended;
}
