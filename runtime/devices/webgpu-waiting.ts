/** Waiting for a WebGPU device: one loop passes the time, however many promises are awaited. */

/** Waits for a promise. `idle` passes a moment, told how many milliseconds were waited for already. */
export function waiter(idle: ((waited: number) => Promise<void>) | undefined) {
  let waiting = 0;
  let since = 0;
  let isPassing = false;
  const pass = async () => {
    isPassing = true;
    // Whoever began to wait may have more to submit first.
    await undefined;
    while (waiting > 0) await idle?.(performance.now() - since);
    isPassing = false;
  };
  return async <T>(promise: Promise<T>): Promise<T> => {
    if (!idle) return promise;
    waiting++;
    since = performance.now();
    if (!isPassing) void pass();
    try {
      return await promise;
    } finally {
      waiting--;
      since = performance.now();
    }
  };
}
