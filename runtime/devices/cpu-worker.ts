/**
 * What a worker thread of the processor device does, as text: it runs in another thread, where nothing of this
 * package is loaded, so `work` uses only what stands inside it.
 *
 * A worker takes parts of a step as long as there are any, then looks for the next step. Messages bring it
 * what is too large for `control`; while it waits for steps none can arrive, so it goes back for them when
 * there are more than it has received.
 */

/** The words of `control`, which all threads share. Those that change often lie on lines of a cache of their own. */
export const words = {
  /** The number of the step that may be joined; 0 while there is none. */
  open: 0,
  /** Changes whenever there is something new; workers sleep on it. */
  news: 16,
  /** How many messages each worker has been sent. */
  messages: 17,
  /** How many workers sleep. */
  sleepers: 18,
  /** Of the open step: its program, its place there, and where the threads' scratch memory begins. */
  program: 32,
  step: 33,
  scratch: 34,
  /** The first workgroup that nobody has taken. */
  next: 48,
  /** How many workers are at work on the open step. */
  active: 64,
  /** 1 once a kernel has failed. */
  failed: 80,
} as const;

export const controlWords = 96;

/** A kernel, called for some of a step's workgroups (`compiler/targets/wasm`). */
export type Run = (...addressesAndGroups: readonly number[]) => void;

/** A step of a program, as every thread has it. */
export interface ThreadStep {
  readonly kernel: number;
  /** Of its buffers. */
  readonly addresses: readonly number[];
  /** How many workgroups it has, along how many columns and rows. */
  readonly groups: readonly [all: number, columns: number, rows: number];
  /** How many are taken at once. */
  readonly part: number;
  /** Bytes of scratch memory between two threads. */
  readonly stride: number;
}

export interface ThreadProgram {
  /** Compiled. */
  readonly modules: readonly object[];
  /** The name by which each exports its function. */
  readonly entries: readonly string[];
  readonly steps: readonly ThreadStep[];
}

/** What a worker is sent. */
export type Message =
  | { readonly kind: "begin"; control: Int32Array; memory: object; thread: number }
  | { readonly kind: "load"; id: number; program: ThreadProgram }
  | { readonly kind: "forget"; id: number };

interface Port {
  postMessage(message: unknown): void;
  on?(name: "message", listener: (message: Message) => void): void;
  onmessage?: (event: { readonly data: Message }) => void;
}

interface Host {
  readonly process?: {
    getBuiltinModule?(name: "node:worker_threads"): { readonly parentPort: Port | null };
  };
  readonly WebAssembly: {
    readonly Instance: new (
      module: object,
      imports: object,
    ) => { readonly exports: Readonly<Record<string, unknown>> };
  };
}

/** Its functions are methods, into whose text no bundler puts calls of its own. */
export function work(at: typeof words): void {
  const host = globalThis as unknown as Host;
  const port =
    host.process?.getBuiltinModule?.("node:worker_threads").parentPort ??
    (globalThis as unknown as Port);
  /** Milliseconds in which a worker looks for the next step before it sleeps. */
  const patience = 0.05;
  const programs = new Map<number, { steps: readonly ThreadStep[]; kernels: readonly Run[] }>();
  let control: Int32Array = new Int32Array(0);
  let memory: object;
  let thread = 0;
  let received = 0;
  let last = 0;

  const worker = {
    isNew(): boolean {
      const open = Atomics.load(control, at.open);
      return (open !== 0 && open !== last) || Atomics.load(control, at.messages) !== received;
    },
    look(): void {
      const end = performance.now() + patience;
      do {
        for (let i = 0; i < 50; i++) if (worker.isNew()) return;
      } while (performance.now() < end);
      const news = Atomics.load(control, at.news);
      Atomics.add(control, at.sleepers, 1);
      if (!worker.isNew()) Atomics.wait(control, at.news, news);
      Atomics.sub(control, at.sleepers, 1);
    },
    takeParts(): void {
      const program = programs.get(Atomics.load(control, at.program));
      const step = program?.steps[Atomics.load(control, at.step)];
      if (!program || !step) return;
      const run = program.kernels[step.kernel]!;
      const [all, columns, rows] = step.groups;
      const { addresses, part } = step;
      const scratch = Atomics.load(control, at.scratch) + thread * step.stride;
      for (;;) {
        const first = Atomics.add(control, at.next, part);
        if (first >= all) return;
        run(...addresses, scratch, first, Math.min(all, first + part), columns, rows);
      }
    },
    /** A step that is not open any more is left alone: who closed it waits for those that are active. */
    join(): void {
      Atomics.add(control, at.active, 1);
      const open = Atomics.load(control, at.open);
      try {
        if (open !== 0 && open !== last) worker.takeParts();
      } catch (cause) {
        port.postMessage({ failed: String(cause) });
        Atomics.store(control, at.failed, 1);
      }
      if (open !== 0) last = open;
      if (Atomics.sub(control, at.active, 1) === 1) Atomics.notify(control, at.active);
    },
    load({ modules, entries, steps }: ThreadProgram, id: number): void {
      const imports = { inarch: { memory } };
      const kernels = modules.map((module, i) => {
        const { exports } = new host.WebAssembly.Instance(module, imports);
        return exports[entries[i]!] as Run;
      });
      programs.set(id, { steps, kernels });
    },
    receive(message: Message): void {
      received++;
      if (message.kind === "load") worker.load(message.program, message.id);
      else if (message.kind === "forget") programs.delete(message.id);
      else {
        ({ control, memory, thread } = message);
        port.postMessage({ begun: true });
      }
      while (Atomics.load(control, at.messages) === received) {
        worker.look();
        if (Atomics.load(control, at.messages) === received) worker.join();
      }
    },
  };
  if (port.on) port.on("message", worker.receive);
  else port.onmessage = ({ data }) => worker.receive(data);
}
