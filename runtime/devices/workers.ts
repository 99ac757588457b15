/** Worker threads of Node and of pages, as one thing: text that runs in another thread. */

export interface WorkerThread {
  send(message: unknown): void;
  /** Ends it, whatever it is doing. */
  end(): void;
}

export interface WorkerListener {
  onMessage(message: unknown): void;
  /** It has ended without being told to. */
  onEnd(reason: string): void;
}

/** Of Node's `worker_threads`. */
interface NodeWorker {
  on(name: "message", listener: (message: unknown) => void): void;
  on(name: "error", listener: (error: Error) => void): void;
  on(name: "exit", listener: (code: number) => void): void;
  postMessage(message: unknown): void;
  terminate(): Promise<number>;
  unref(): void;
}

interface PageWorker {
  onmessage: (event: { readonly data: unknown }) => void;
  onerror: (event: { readonly message?: string }) => void;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface Host {
  readonly process?: {
    // Not an import, which bundlers for browsers would follow.
    getBuiltinModule?(name: "node:worker_threads"): {
      readonly Worker: new (text: string, options: object) => NodeWorker;
    };
    getBuiltinModule?(name: "node:os"): { availableParallelism(): number };
  };
  readonly Worker?: new (url: string) => PageWorker;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

const host = globalThis as unknown as Host;

/** How many threads the machine runs at once. */
export const processors = (): number =>
  host.process?.getBuiltinModule?.("node:os")?.availableParallelism() ??
  host.navigator?.hardwareConcurrency ??
  1;

/** Whether memory can be shared with workers: a page must be isolated from other origins for that. */
export const canShare = (): boolean => typeof SharedArrayBuffer === "function";

/** Starts a worker that does not keep the process alive. @throws what the host says where there may be none. */
export function startWorker(text: string, listener: WorkerListener): WorkerThread {
  const node = host.process?.getBuiltinModule?.("node:worker_threads");
  return node ? inNode(new node.Worker(text, nodeOptions), listener) : inPage(text, listener);
}

/** Without the flags of the process, such as loaders, which the text does not need. */
const nodeOptions = { eval: true, execArgv: [] };

function inNode(worker: NodeWorker, { onMessage, onEnd }: WorkerListener): WorkerThread {
  let isTold = false;
  let reason: string | undefined;
  worker.on("message", onMessage);
  worker.on("error", ({ message }) => {
    reason = message;
  });
  worker.on("exit", (code) => {
    if (!isTold) onEnd(reason ?? `exit code ${code}`);
  });
  worker.unref();
  return {
    send: (message) => worker.postMessage(message),
    end() {
      isTold = true;
      worker.terminate();
    },
  };
}

function inPage(text: string, { onMessage, onEnd }: WorkerListener): WorkerThread {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new host.Worker!(url);
  worker.onmessage = ({ data }) => onMessage(data);
  worker.onerror = ({ message }) => {
    worker.terminate();
    onEnd(message ?? "the page's policy may forbid it (worker-src blob:)");
  };
  return {
    send: (message) => worker.postMessage(message),
    end() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
