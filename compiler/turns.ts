/**
 * Work that lets others have a turn: compiling a large model takes seconds, in which a page must answer and
 * an abort must be heard. Such work is a generator that pauses between small parts, and whoever drives it
 * says what a pause is: nothing at all (`finish`), or the rest of the program (`inTurns`).
 */

/** Work that pauses wherever that is due and nothing but its own is half done. */
export type Pausing<T> = Generator<undefined, T, undefined>;

/** When the turn is over that runs now; whoever has no turns works on without an end. */
let end = Number.POSITIVE_INFINITY;

/** Whether it is time to `yield`. Asked after every small part of the work: a comparison, where there are no turns. */
export const isDue = (): boolean => end !== Number.POSITIVE_INFINITY && performance.now() >= end;

/** Work too short for a pause inside. */
export function* atOnce<T>(work: () => T): Pausing<T> {
  const made = work();
  if (isDue()) yield;
  return made;
}

/** Does it all at once. */
export function finish<T>(work: Pausing<T>): T {
  for (;;) {
    const { done, value } = until(Number.POSITIVE_INFINITY, work);
    if (done) return value;
  }
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
    const { done, value } = until(performance.now() + turn, work);
    if (done) return value;
    await others();
  }
}

/** Works on until a pause is due at that time, or one is made in any case. */
function until<T>(time: number, work: Pausing<T>): IteratorResult<undefined, T> {
  const before = end;
  end = time;
  try {
    return work.next();
  } finally {
    end = before;
  }
}

/**
 * Comes back after whatever else waits. Timers of pages wait four milliseconds, a message waits for
 * nothing; a channel for each, because Node hands out all messages of one channel before it looks at a timer.
 */
const others = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const received = () => {
      port1.close();
      resolve();
    };
    port1.addEventListener("message", received, { once: true });
    port1.start();
    port2.postMessage(undefined);
  });
