/**
 * The threads of the processor device: the one that calls it, and workers. Who calls opens a step that is
 * long enough, and all take parts of its workgroups from one counter, itself included: so a step waits for
 * no worker that is not at work on it already, and what a workgroup computes does not depend on who
 * computes it.
 */
import { bug, diagnose } from "../../diagnostics/index.ts";
import { storedBytes } from "../../formats/index.ts";
import {
  controlWords,
  type Message,
  type Run,
  type ThreadProgram,
  type ThreadStep,
  words,
  work,
} from "./cpu-worker.ts";
import { othersTurn } from "./pauses.ts";
import { startWorker, type WorkerThread } from "./workers.ts";

/** A program as this thread has it. */
export interface TeamProgram extends ThreadProgram {
  /** In the order of its modules. */
  readonly kernels: readonly { readonly name: string; readonly run: Run }[];
}

/** What of a program is run. */
export interface TeamStep {
  readonly program: TeamProgram;
  /** What `load` returned. */
  readonly id: number;
  readonly index: number;
  /** Where the threads' scratch memory begins. */
  readonly scratch: number;
  /** Lets events pass, where it is time: between two parts. What it throws stops the step. */
  pause(): Promise<void> | undefined;
}

export interface TeamOptions {
  readonly memory: object;
  /** The calling one included. Of several the memory is shared. */
  readonly threads: number;
  /** Whether there must be so many; else a worker that cannot start is done without. */
  readonly exactly: boolean;
  /** A worker has ended by itself. */
  onLost(reason: string): void;
}

/** Milliseconds of work that workers are called for: waking them, and waiting for them, takes longer than less. */
const worthSharing = 0.03;
/** Milliseconds for which workers are waited for before this thread sleeps. */
const patience = 0.05;
/** Milliseconds of sleep between two looks. */
const nap = 2;

export class Team {
  readonly #options: TeamOptions;
  readonly #control: Int32Array;
  readonly #forgotten = new FinalizationRegistry<number>((id) =>
    this.#send({ kind: "forget", id }),
  );
  /** Steps that were seen to be worth sharing. */
  readonly #long = new WeakSet<ThreadStep>();
  #workers: WorkerThread[] | undefined;
  #programs = 0;
  #steps = 0;
  #isLost = false;
  /** What a worker says of a kernel that failed. */
  #failure: string | undefined;

  constructor(options: TeamOptions) {
    this.#options = options;
    const bytes = storedBytes("i32", controlWords);
    const isShared = options.threads > 1;
    this.#control = new Int32Array(
      isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes),
    );
  }

  get threads(): number {
    return this.#options.threads;
  }

  /**
   * Gives every worker a program, until `owner` is collected; starts them for the first one.
   * @throws E484 where there must be workers and none can be started.
   */
  load({ modules, entries, steps }: ThreadProgram, owner: object): number {
    const id = ++this.#programs;
    if (this.#options.threads === 1) return id;
    this.#workers ??= this.#start();
    this.#send({ kind: "load", id, program: { modules, entries, steps } });
    this.#forgotten.register(owner, id);
    return id;
  }

  async run(step: TeamStep): Promise<void> {
    const control = this.#control;
    const thread = step.program.steps[step.index]!;
    const start = performance.now();
    Atomics.store(control, words.next, 0);
    if (this.#long.has(thread)) this.#open(step);
    try {
      await this.#takeParts(step, thread);
    } finally {
      // Whatever ended it, nobody takes another part.
      Atomics.store(control, words.next, thread.groups[0]);
      await this.#close();
    }
    const milliseconds = (performance.now() - start) * this.threads;
    if (milliseconds < worthSharing) this.#long.delete(thread);
    if (Atomics.exchange(control, words.failed, 0) === 0) return;
    failed(step.program.kernels[thread.kernel]!.name, await this.#reason());
  }

  /** Ends the workers. */
  destroy(): void {
    this.#isLost = true;
    for (const worker of this.#workers ?? []) worker.end();
    this.#workers = [];
  }

  async #takeParts(step: TeamStep, thread: ThreadStep): Promise<void> {
    const { addresses, groups, kernel } = thread;
    const [all, columns, rows] = groups;
    const { name, run } = step.program.kernels[kernel]!;
    let { part } = thread;
    let isKnown = this.#long.has(thread);
    for (;;) {
      const due = step.pause();
      if (due) await due;
      const first = Atomics.add(this.#control, words.next, part);
      if (first >= all) return;
      const start = isKnown ? 0 : performance.now();
      try {
        run(...addresses, step.scratch, first, Math.min(all, first + part), columns, rows);
      } catch (cause) {
        failed(name, cause);
      }
      if (isKnown || part >= all) continue;
      // The first part tells how long the step is.
      isKnown = true;
      if (((performance.now() - start) * all) / part < worthSharing) part = all;
      else {
        this.#long.add(thread);
        this.#open(step);
      }
    }
  }

  #open({ id, index, scratch }: TeamStep): void {
    const control = this.#control;
    this.#steps = (this.#steps % 2 ** 30) + 1;
    Atomics.store(control, words.program, id);
    Atomics.store(control, words.step, index);
    Atomics.store(control, words.scratch, scratch);
    Atomics.store(control, words.open, this.#steps);
    this.#wake();
  }

  /** Waits for those who are at work. Who is not by then finds the step closed. */
  async #close(): Promise<void> {
    const control = this.#control;
    if (Atomics.exchange(control, words.open, 0) === 0) return;
    const start = performance.now();
    for (let last = start; ; ) {
      for (let i = 0; i < 50; i++) if (Atomics.load(control, words.active) === 0) return;
      if (this.#isLost) return;
      const now = performance.now();
      if (now - last > 30) {
        await othersTurn();
        last = performance.now();
      } else if (now - start > patience) sleep(control);
    }
  }

  /** Why a kernel failed in a worker: the message is under way. */
  async #reason(): Promise<string> {
    const end = performance.now() + 1000;
    while (this.#failure === undefined && performance.now() < end) await othersTurn();
    const reason = this.#failure ?? "in a worker";
    this.#failure = undefined;
    return reason;
  }

  #wake(): void {
    Atomics.add(this.#control, words.news, 1);
    if (Atomics.load(this.#control, words.sleepers) > 0) Atomics.notify(this.#control, words.news);
  }

  #send(message: Message): void {
    // Counted before it is sent: a worker that has received it then finds no more than it has.
    Atomics.add(this.#control, words.messages, 1);
    this.#wake();
    for (const worker of this.#workers ?? []) worker.send(message);
  }

  #start(): WorkerThread[] {
    const { memory, threads } = this.#options;
    const workers: WorkerThread[] = [];
    Atomics.add(this.#control, words.messages, 1);
    for (let thread = 1; thread < threads; thread++) {
      try {
        const worker = this.#startOne();
        worker.send({ kind: "begin", control: this.#control, memory, thread } satisfies Message);
        workers.push(worker);
      } catch (cause) {
        if (this.#options.exactly) throw noWorkers(threads, (cause as Error).message, cause);
      }
    }
    return workers;
  }

  #startOne(): WorkerThread {
    let hasBegun = false;
    return startWorker(text, {
      onMessage: (message) => {
        hasBegun = true;
        this.#failure ??= (message as { readonly failed?: string }).failed;
      },
      onEnd: (reason) => {
        if (!hasBegun && !this.#options.exactly) return;
        this.#isLost = true;
        this.#options.onLost(reason);
      },
    });
  }
}

const text = `(${work})(${JSON.stringify(words)});`;

/** E484: there are no workers, or none to share memory with. */
export const noWorkers = (threads: number, why: string, cause?: unknown) =>
  diagnose("E484", {
    message: `the processor device cannot have ${threads} threads here: ${why}`,
    help: "leave the option threads out, for as many as there may be; a page needs the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, and blob: in the worker-src of its policy",
    cause,
  });

const failed = (kernel: string, cause: unknown): never => bug(`kernel ${kernel}: ${cause}`);

/** Until those who are at work have ended, for a moment. The thread of a page may not sleep. */
function sleep(control: Int32Array): void {
  const active = Atomics.load(control, words.active);
  try {
    if (active !== 0) Atomics.wait(control, words.active, active, nap);
  } catch {
    // It goes on looking.
  }
}
