/**
 * Work that lets others have a turn: compiling a large model takes seconds, in which a page must answer and
 * an abort must be heard. Such work is a generator that pauses between small parts, and whoever drives it
 * says what a pause is: nothing at all (`finish`), or the rest of the program (`inTurns`).
 */

/** Work that pauses every few milliseconds, wherever nothing but its own is half done. */
export type Pausing<T> = Generator<undefined, T, undefined>;

/** Does it all at once. */
export function finish<T>(work: Pausing<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Work too short to pause in. */
export function* atOnce<T>(work: () => T): Pausing<T> {
  const made = work();
  yield;
  return made;
}

/** Milliseconds of work between two turns of the event loop. */
const turn = 8;

export interface TurnOptions {
  /** Stops the work at the next pause. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does it bit by bit: timers, input and other promises have their turn about every 10 milliseconds.
 * Rejects with the signal's reason within a turn of an abort; what was made until then is dropped.
 */
export async function inTurns<T>(work: Pausing<T>, { signal }: TurnOptions = {}): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    const end = performance.now() + turn;
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (performance.now() < end);
    await others();
  }
}

/**
 * Comes back after whatever else waits. Timers of pages wait four milliseconds, a message waits for
 * nothing; a channel for each, because Node hands out all messages of one channel before it looks at a timer.
 */
const others = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
