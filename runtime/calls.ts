/**
 * Calls on memory that is shared have one order: that in which they were made. A call does its work in its
 * turn; one that is aborted rejects at once, and what it changed is put back before the next has its turn.
 */
import { diagnose, type InarchError } from "../diagnostics/index.ts";
import { checkOptions } from "../diagnostics/options.ts";

export interface CallOptions {
  /**
   * Aborts the call: its promise rejects with the signal's reason at once. What the device has begun may
   * end by itself; its results are dropped, and everything is as before the call.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Who comes first on some memory. */
export interface Order {
  /** Whether all turns are over: the next begins at once. */
  readonly isFree: boolean;
  /**
   * Does `work` once all turns before are over, before it returns if they are. The turn is over at `leave`, or else
   * with `work`.
   */
  turn<T>(work: (leave: () => void) => Promise<T>): Promise<T>;
}

export function createOrder(): Order {
  let last: Promise<unknown> | undefined;
  return {
    get isFree() {
      return last === undefined;
    },
    turn(work) {
      const before = last;
      let leave = () => {};
      const own = new Promise<void>((resolve) => {
        leave = () => {
          if (last === own) last = undefined;
          resolve();
        };
      });
      last = own;
      return (before ? before.then(() => work(leave)) : work(leave)).finally(leave);
    },
  };
}

const orders = new WeakMap<object, Order>();

/** The order of a device's public sessions, whatever buffers they share. */
export function orderOf(device: object): Order {
  const order = orders.get(device) ?? createOrder();
  orders.set(device, order);
  return order;
}

/** What a call does in its turn. */
export interface Turn {
  readonly signal: AbortSignal | undefined;
  /** All work is submitted, and the next call may have its turn. A call that may be aborted keeps it. */
  leave(): void;
  /** How what the call changes is put back, if it fails or is aborted: the last change first. */
  undo(restore: () => void | Promise<void>): void;
  /** The value of a promise; if the call is aborted before, its reason at once. */
  wait<T>(promise: Promise<T>): Promise<T>;
}

/** The calls on one thing that can be closed. */
export interface Calls {
  /**
   * Makes a call. `prepare` runs now: it checks and copies what was given, and returns the work, which
   * is done in its turn. `atOnce`: the work begins before the caller goes on, and what it reads until it first waits
   * needs no copy. Rejects once it is closed.
   * @throws E443 for a signal that is none, E460 for an unknown option.
   */
  call<T>(
    options: CallOptions | undefined,
    prepare: (atOnce: boolean) => (turn: Turn) => Promise<T>,
  ): Promise<T>;
  /** Refuses calls from now on; frees the memory once all calls before have ended. */
  close(free: () => void | Promise<void>): Promise<void>;
}

/** `check` throws where no call can be made any more; `closed` makes the error of a call after `close`. */
export function createCalls(order: Order, check: () => void, closed: () => InarchError): Calls {
  const underWay = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  return {
    async call(options, prepare) {
      if (closing) throw closed();
      const signal = signalOf(options);
      signal?.throwIfAborted();
      check();
      const work = prepare(order.isFree && !signal);
      const checked = async (turn: Turn) => {
        check();
        return work(turn);
      };
      const done = inTurn(order, checked, signal);
      underWay.add(done);
      const forget = () => underWay.delete(done);
      done.then(forget, forget);
      return done;
    },
    close(free) {
      closing ??= order.turn(async () => {
        await Promise.allSettled(underWay);
        await free();
      });
      return closing;
    },
  };
}

function inTurn<T>(
  order: Order,
  work: (turn: Turn) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal!.reason);
    signal?.addEventListener("abort", stop);
    const perform = async (leave: () => void) => {
      let hasLeft = false;
      const restore: (() => void | Promise<void>)[] = [];
      try {
        signal?.throwIfAborted();
        const value = await work({
          signal,
          leave() {
            if (signal) return;
            hasLeft = true;
            leave();
          },
          undo(how) {
            restore.unshift(how);
          },
          wait: (promise) => abortable(promise, signal),
        });
        // Nothing comes between these two lines: a call that resolves has not been aborted.
        signal?.throwIfAborted();
        resolve(value);
      } catch (error) {
        reject(error);
        // Later calls have built on what this one did, if it has left.
        if (!hasLeft) for (const one of restore) await one();
      } finally {
        signal?.removeEventListener("abort", stop);
      }
    };
    // Where putting back fails the device is lost, and every later call says so.
    order.turn(perform).catch(() => {});
  });
}

/**
 * The value of a promise, or the signal's reason as soon as it is aborted. A value that comes later is
 * given to `late`, which frees it.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  late: (value: T) => void = () => {},
): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    let aborted = false;
    const stop = () => {
      aborted = true;
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener("abort", stop);
        if (aborted) late(value);
        else resolve(value);
      },
      (error) => {
        signal.removeEventListener("abort", stop);
        reject(error);
      },
    );
  });
}

/** @throws E443 for a signal that is none, E460 for an option of another name. */
export function signalOf(options: CallOptions | undefined): AbortSignal | undefined {
  checkOptions<CallOptions>("a call", options, { signal: true });
  const signal = options?.signal;
  if (signal === undefined) return undefined;
  if (typeof signal?.aborted === "boolean" && typeof signal.addEventListener === "function")
    return signal;
  throw diagnose("E443", {
    message: "the signal of a call is no AbortSignal",
    help: "pass the signal of an AbortController",
  });
}
