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
      await new Promise((resolve) => setTimeout(resolve));
      signal?.throwIfAborted();
      last = performance.now();
    },
  };
}
