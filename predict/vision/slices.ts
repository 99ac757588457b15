/**
 * Long work on pictures as generators, which stop after a row or so: it is done at once, or in slices between which
 * a page hears its events.
 */
import { pausesFor } from "../../runtime/devices/pauses.ts";

export type Steps<Result> = Generator<void, Result>;

export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** In milliseconds. Copying a large picture takes twice as long, and comes before the first. */
const slice = 15;

/** The last slice ends before its caller goes on. @throws the signal's reason, if it is aborted meanwhile. */
export async function inSlices<Result>(
  steps: Steps<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const pauses = pausesFor(signal, slice);
  let slices = 1;
  for (;;) {
    const { done, value } = steps.next();
    if (pauses.isDue() || (done && slices > 1)) {
      await pauses.take();
      slices++;
    }
    if (done) return value;
  }
}
