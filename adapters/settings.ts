/** What an adapter is made with: checked, and known to whoever loads the adapter's file. */
import type { Adapter } from "../compiler/index.ts";
import { captureSpan } from "../diagnostics/index.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { type Allowed, checkSettings } from "./refusals.ts";

/**
 * How else a setting is known than from what the file says of it: it follows from the shapes of the
 * adapter's tensors, or nothing needs it once training is over.
 */
export type Told = "by shapes" | "in training";

/** What a setting is unless given, which values it may have, and how else it is told. */
export type Setting = readonly [usual: number, allowed: Allowed, told?: Told];

/** What `defineAdapter` takes beside the adapter's functions. */
export type Kept = Required<Pick<Adapter, "settings" | "assumed" | "trainingOnly">>;

/**
 * An adapter's settings that are numbers, by name: what is given, else what is usual.
 * `settle("lora", options, { rank: [3, count, "by shapes"] })`. `kept` goes to `defineAdapter`. `others` are
 * the names of settings that are no numbers. @throws E134 for the first that is infinite, NaN or not allowed,
 * E460 for an option that there is not.
 */
export function settle<N extends string>(
  adapter: string,
  given: { readonly [K in NoInfer<N>]?: number },
  settings: Readonly<Record<N, Setting>>,
  others: readonly string[] = [],
): { readonly values: Readonly<Record<N, number>>; readonly kept: Kept } {
  const names = Object.keys(settings) as N[];
  const known = Object.fromEntries([...names, ...others].map((name) => [name, true]));
  checkOptions<Readonly<Record<string, unknown>>>(adapter, given, known, captureSpan);
  const told = (name: N) => settings[name][2];
  const values = Object.fromEntries(
    names.map((name) => [name, given[name] ?? settings[name][0]]),
  ) as Record<N, number>;
  checkSettings(
    adapter,
    Object.fromEntries(names.map((name) => [name, [values[name], settings[name][1]] as const])),
  );
  return {
    values,
    kept: {
      settings: values,
      assumed: names.filter((name) => given[name] === undefined && !told(name)),
      trainingOnly: names.filter((name) => told(name) === "in training"),
    },
  };
}
