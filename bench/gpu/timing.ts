/** How long a program takes on a device: many runs one after another, several times. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import { warmUp } from "../../tuning/warm-up.ts";
import { medianInterval } from "../measure/statistics.ts";
import type { Time } from "./lines.ts";

/** A program whose runs are submitted without waiting, until somebody waits for all of them. */
export interface Timed {
  readonly capabilities: Pick<Capabilities, "deviceClass">;
  submit(): Promise<unknown> | unknown;
  /** Resolves when everything that was submitted has been done. */
  wait(): Promise<unknown>;
}

/** How often each is done, by how long one run takes. */
const batches = 7;
/** Milliseconds of a batch: so many runs that waiting for the last of them does not count. */
const batch = 60;

export type Timing = Pick<Time, "milliseconds" | "low" | "high" | "runs">;

/** Times a program that has run once already, on a device that is kept at work before. */
export async function timeRuns(
  { submit, wait, capabilities }: Timed,
  { isWarm = false }: { readonly isWarm?: boolean } = {},
): Promise<Timing> {
  if (!isWarm) await warmUp(capabilities, () => time(10));
  const once = await time(1);
  const runs = Math.max(1, Math.min(1000, Math.round(batch / Math.max(once, 0.01))));
  const times: number[] = [];
  const count = once > 5000 ? 2 : batches;
  for (let i = 0; i < count; i++) times.push((await time(runs)) / runs);
  const { median, low, high } = medianInterval(times);
  return {
    milliseconds: rounded(median),
    low: rounded(low),
    high: rounded(high),
    runs: runs * count,
  };

  async function time(count: number): Promise<number> {
    const start = performance.now();
    for (let i = 0; i < count; i++) await submit();
    await wait();
    return performance.now() - start;
  }
}

/** To four digits: no clock here knows more. */
export const rounded = (value: number): number => Number(value.toPrecision(4));
