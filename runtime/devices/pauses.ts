/** Pauses in work that the host computes: events are heard meanwhile, an abort among them. */

export interface Pauses {
  /** Whether the work has gone on for long enough. */
  isDue(): boolean;
  /** Lets events pass. @throws the signal's reason, if it has been aborted. */
  take(): Promise<void>;
}

/** `between` is milliseconds: with 30 an abort is heard within a tenth of a second. */
export function pausesFor(signal: AbortSignal | undefined, between = 30): Pauses {
  let last = performance.now();
  return {
    isDue: () => performance.now() - last > between,
    async take() {
      await othersTurn();
      signal?.throwIfAborted();
      last = performance.now();
    },
  };
}

/**
 * Comes back after whatever else waits. Not by a timer: those of a page in the background wait for a second or longer.
 * A channel for each, because Node hands out all messages of one channel before it looks at a timer.
 */
export const othersTurn = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
