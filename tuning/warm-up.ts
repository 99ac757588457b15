/** Work before a measurement: a GPU that was idle has slow clocks. */
import type { Capabilities } from "../compiler/capabilities.ts";

/** Milliseconds of work after which the clocks of a GPU were seen to be at their highest (of an H200). */
const enough = 600;

/**
 * Keeps a GPU at work by runs that are waited for in turns of `together`. A processor's clocks follow at once:
 * nothing is run there.
 */
export async function warmUp(
  { deviceClass }: Pick<Capabilities, "deviceClass">,
  run: () => Promise<unknown>,
  milliseconds = enough,
): Promise<void> {
  if (deviceClass === "software" || deviceClass === "processor") return;
  const end = performance.now() + milliseconds;
  do await run();
  while (performance.now() < end);
}
