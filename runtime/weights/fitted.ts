/** Whether a file has what a model reads under the model's own names: nothing else is asked of it then. */
import { late } from "../late.ts";
import type { Readable } from "./adapted.ts";
import { suspect } from "./kinds.ts";

/** What the rest is done by. */
export const named = () => late(import("./named.ts"));

/** As `fitNames`. */
export async function fitted<W extends Readable>(
  weights: W,
  wanted: readonly string[],
): Promise<W> {
  const known = new Set(wanted);
  const isForeign = (name: string) => suspect.test(name) && !known.has(name);
  const names = [...weights.tensors.keys()];
  if (wanted.every((name) => weights.tensors.has(name)) && !names.some(isForeign)) return weights;
  return (await named()).fitNames(weights, wanted);
}
