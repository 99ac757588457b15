/** A model in a worker, for a page that connects to it. */
import {
  failureOf,
  type Given,
  listen,
  type Message,
  type Port,
  send,
  unpacked,
} from "./messages.ts";

/** What a page tells of loading: `onProgress` and `signal` go to `load` of a bundle as they are. */
export interface Loading {
  readonly onProgress: (done: number, total: number, unit: string) => void;
  readonly signal?: AbortSignal;
}

/** How a page sees a member of a model. */
export type Described = "method" | "promise" | { readonly value: unknown };

/**
 * Serves a model to the page that calls `connect` on this worker. It is loaded once, when the page connects:
 *
 *     serve(async (loading) => load((await openDevice()).device, loading));
 *
 * Its methods are called in the order in which the page calls them. Arrays in results are transferred, so that the
 * model must not keep them; those of inarch's models and sessions are the caller's anyhow.
 * `port` is the worker's own unless given.
 */
export function serve(
  load: (loading: Loading) => object | Promise<object>,
  port: Port = globalThis as unknown as Port,
): void {
  let model: Record<string, unknown> | undefined;
  const aborts = new Map<number, AbortController>();
  const functionOf =
    (number: number) =>
    (...values: unknown[]) =>
      send(port, { kind: "told", function: number, values });
  const argumentsOf = (given: Given) =>
    unpacked(given, functionOf, (number) => {
      const own = new AbortController();
      aborts.set(number, own);
      return own.signal;
    });
  const fail = (id: number, error: unknown): void => {
    try {
      send(port, { kind: "error", id, error: failureOf(error) });
    } catch (refused) {
      send(port, { kind: "error", id, error: failureOf(refused) });
    }
  };
  const answer = async (id: number, given: Given, work: (values: unknown[]) => unknown) => {
    try {
      send(port, { kind: "value", id, value: await work(argumentsOf(given)) });
    } catch (error) {
      fail(id, error);
    } finally {
      for (const [, , number] of given.signals) aborts.delete(number);
    }
  };
  const hear = (message: Message) => {
    switch (message.kind) {
      case "hello":
        return send(port, { kind: "hello" });
      case "load":
        return answer(message.id, message.given, async ([loading]) => {
          model = (await load(loading as Loading)) as Record<string, unknown>;
          return describe(model);
        });
      case "call":
        return answer(message.id, message.given, (values) => {
          const member = model?.[message.name];
          return typeof member === "function" ? member.apply(model, values) : member;
        });
      case "abort":
        return aborts.get(message.signal)?.abort();
    }
  };
  listen(port, (message) => void hear(message));
  send(port, { kind: "hello" });
}

const describe = (model: Record<string, unknown>): Readonly<Record<string, Described>> =>
  Object.fromEntries(
    Object.entries(model).map(([name, member]): [string, Described] => {
      if (typeof member === "function") return [name, "method"];
      return [name, member instanceof Promise ? "promise" : { value: member }];
    }),
  );
