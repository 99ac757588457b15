/** Pauses in work that the host computes: events are heard meanwhile, an abort among them. */

export interface Pauses {
  /** Whether the work has gone on for long enough. */
  isDue(): boolean;
  /** Lets events pass. @throws the signal's reason, if it has been aborted. */
  take(): Promise<void>;
}

/** Milliseconds between two pauses: an abort is to be heard within a tenth of a second. */
const between = 30;

export function pausesFor(signal: AbortSignal | undefined): Pauses {
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
