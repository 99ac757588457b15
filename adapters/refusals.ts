/** What adapters refuse: settings that cannot be, and places that they do not fit. */
import type { Site } from "../compiler/index.ts";
import { diagnose, type InarchError } from "../diagnostics/index.ts";
import { shown } from "../diagnostics/options.ts";

/** Which values a setting may have, in words and as a test. */
export interface Allowed {
  readonly words: string;
  readonly holds: (value: number) => boolean;
}

export const count: Allowed = {
  words: "a whole number from 1 up",
  holds: (v) => Number.isSafeInteger(v) && v >= 1,
};
export const positive: Allowed = { words: "a number above 0", holds: (v) => v > 0 };
export const fromZero: Allowed = { words: "a number from 0 up", holds: (v) => v >= 0 };
export const share: Allowed = {
  words: "a number from 0 up to, but not, 1",
  holds: (v) => v >= 0 && v < 1,
};

/**
 * Checks an adapter's settings by name: `checkSettings("lora", { rank: [3, count] })`.
 * @throws E134 for the first that is infinite, NaN or not allowed.
 */
export function checkSettings(
  adapter: string,
  settings: Readonly<Record<string, readonly [value: number, allowed: Allowed]>>,
): void {
  for (const [name, [value, allowed]] of Object.entries(settings))
    if (typeof value !== "number" || !Number.isFinite(value) || !allowed.holds(value))
      throw wrongSetting(`${adapter}: ${name} is ${shown(value)}`, `give ${allowed.words}`);
}

/** ["q","w"]: of a list that may hold anything. */
export const listed = (list: readonly unknown[]): string => `[${Array.from(list, shown).join()}]`;

/** E134: a setting that cannot be. The caller throws it. */
export const wrongSetting = (message: string, help: string): InarchError =>
  diagnose("E134", { message, help });

/** E131: an adapter that does not fit a place. The caller throws it. */
export const unfit = (
  adapter: string,
  site: Pick<Site, "path">,
  message: string,
  help: string,
): InarchError => diagnose("E131", { message: `${adapter}: ${message}`, where: site.path, help });

/**
 * Features that go into and come out of a linear layer.
 * @throws E131 where the model does not say, or the smaller of them is below `rank`.
 */
export function widthsOf(
  adapter: string,
  site: Site,
  rank = 1,
): readonly [inputs: number, outputs: number] {
  const { inputs, outputs } = site;
  if (inputs === undefined || outputs === undefined)
    throw unfit(
      adapter,
      site,
      "the model does not say how many features go in and come out",
      "give them where the place is named: site(kind, p, x, base, { inputs, outputs })",
    );
  const [width, side] = inputs <= outputs ? [inputs, "takes"] : [outputs, "gives"];
  if (rank > width)
    throw unfit(
      adapter,
      site,
      `rank ${rank} is above the layer's width: it ${side} ${width} features`,
      `give a rank from 1 to ${width}, or bind it elsewhere: adapt(model, adapter, { where })`,
    );
  return [inputs, outputs];
}

/**
 * Which task a place computes for, of a model of several.
 * @throws E135 where the model does not say, or the task is none of `tasks`.
 */
export function taskAt(adapter: string, { task, path }: Site, tasks = Infinity): number {
  if (task !== undefined && task < tasks) return task;
  const [message, help] =
    task === undefined
      ? ["the model does not say which task it computes", "use a model of several: mSam(config, …)"]
      : [
          `task ${task} of a model, but the adapter has ${tasks}`,
          "give { tasks } as the model has",
        ];
  throw diagnose("E135", { message: `${adapter}: ${message}`, where: path, help });
}
