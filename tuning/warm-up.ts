/** Work before a measurement: a GPU that was idle has slow clocks. */
import type { Capabilities } from "../compiler/capabilities.ts";

/** Milliseconds of work after which the clocks of a GPU were seen to be at their highest (of an H200). */
const enough = 600;

/**
 * Keeps a GPU at work for that time: `run` is called again and again, and waited for. A processor's clocks rise at
 * once: nothing is run there.
 */
export async function warmUp(
  { deviceClass }: Pick<Capabilities, "deviceClass">,
  run: () => Promise<unknown>,
): Promise<void> {
  if (deviceClass === "software" || deviceClass === "processor") return;
  const end = performance.now() + enough;
  do await run();
  while (performance.now() < end);
}
