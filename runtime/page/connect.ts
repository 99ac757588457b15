/** A model in a worker, as its page sees it. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { signalOf } from "../calls.ts";
import type { Progress } from "../devices/device.ts";
import {
  errorOf,
  type Given,
  isSignal,
  listen,
  type Message,
  type Port,
  packed,
  send,
} from "./messages.ts";
import type { Described } from "./serve.ts";

export interface ConnectOptions {
  /** Of loading, as in the worker. */
  readonly onProgress?: Progress | undefined;
  /** Stops loading. */
  readonly signal?: AbortSignal | undefined;
}

/** A model whose methods are answered by messages: all of them return promises. */
export type Connected<Model> = {
  readonly [Name in keyof Model]: Model[Name] extends (...given: infer Given) => infer Result
    ? (...given: Given) => Promise<Awaited<Result>>
    : Model[Name];
};

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Connects to the model that a worker serves, loads it there and returns it:
 *
 *     const model = await connect<Mlp>(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
 *
 * Its methods are those of the model, with the same arguments and results; those that return no promise return one
 * here. Promises among its members, such as `lost`, are those of the moment at which they are read. Arrays that are given are copied when a method is called; those of results come without a copy. Signals and
 * functions in options work as they do in the worker: an aborted call rejects at once with the signal's reason.
 * The worker is the caller's: `terminate` it after `close`.
 * @throws E414 for a worker that fails, E415 for what cannot be sent, E443 and E460 for options that cannot be, and
 * what the worker's own loading throws.
 */
export async function connect<Model extends object>(
  worker: Worker | MessagePort,
  options: ConnectOptions = {},
): Promise<Connected<Model>> {
  checkOptions<ConnectOptions>("connect", options, { onProgress: true, signal: true });
  const { onProgress = () => {}, signal } = options;
  signalOf({ signal });
  const port = worker as unknown as Port;
  const pending = new Map<number, Pending>();
  const kept = new Map<number, unknown>();
  let failure: unknown;
  let next = 0;
  const keep = (value: unknown) => {
    kept.set(++next, value);
    return next;
  };
  const fail = (event: { readonly message?: string }) => {
    failure = diagnose("E414", {
      message: `the worker fails: ${event.message || "its script cannot be loaded"}`,
      help: 'look at the browser\'s console; a worker of modules is made by new Worker(url, { type: "module" })',
    });
    for (const { reject } of pending.values()) reject(failure);
  };
  worker.addEventListener("error", fail as EventListener);

  /** Asks the worker for something; an abort rejects at once, and the worker is told. */
  async function ask(values: readonly unknown[], message: (id: number, given: Given) => Message) {
    if (failure) throw failure;
    const own = values.flatMap((value) => Object.values(Object(value) as object).filter(isSignal));
    for (const one of own) one.throwIfAborted();
    const id = ++next;
    const given = packed(values, keep);
    const stops = given.signals.map(([, , number]) => {
      const by = kept.get(number) as AbortSignal;
      const stop = () => {
        send(port, { kind: "abort", signal: number });
        pending.get(id)?.reject(by.reason);
      };
      by.addEventListener("abort", stop);
      return () => by.removeEventListener("abort", stop);
    });
    try {
      return await new Promise<unknown>((resolve, reject) => {
        pending.set(id, { resolve, reject });
        send(port, message(id, given));
      });
    } finally {
      pending.delete(id);
      for (const stop of stops) stop();
      for (const [, , number] of [...given.signals, ...given.functions]) kept.delete(number);
    }
  }

  const isThere = new Promise<void>((resolve) => {
    listen(port, (message) => {
      if (message.kind === "hello") resolve();
      else if (message.kind === "value") pending.get(message.id)?.resolve(message.value);
      else if (message.kind === "error") pending.get(message.id)?.reject(errorOf(message.error));
      else if (message.kind === "told")
        (kept.get(message.function) as ((...values: unknown[]) => void) | undefined)?.(
          ...message.values,
        );
    });
    send(port, { kind: "hello" });
  });
  const loading = { onProgress, ...(signal ? { signal } : {}) };
  const failed = new Promise<never>((_, reject) => {
    pending.set(0, { resolve() {}, reject });
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  failed.catch(() => {});
  signal?.throwIfAborted();
  await Promise.race([isThere, failed]);
  pending.delete(0);
  const members = (await ask([loading], (id, given) => ({ kind: "load", id, given }))) as Readonly<
    Record<string, Described>
  >;
  const call =
    (name: string) =>
    (...given: unknown[]) =>
      ask(given, (id, packed) => ({ kind: "call", id, name, given: packed }));
  const model = {};
  for (const [name, member] of Object.entries(members))
    Object.defineProperty(model, name, {
      enumerable: true,
      ...(member === "promise"
        ? { get: call(name) }
        : { value: member === "method" ? call(name) : member.value }),
    });
  return model as Connected<Model>;
}
