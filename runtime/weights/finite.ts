/**
 * Finds NaN and infinite weights. One of them makes every output of the model NaN, far from its
 * cause, and a shader may not even notice; so loading looks first.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { isFloat } from "./dtype.ts";
import type { Weights } from "./weights.ts";

export interface NonFinite {
  /** How many values are NaN or infinite. */
  readonly count: number;
  /** Row-major index of the first of them. */
  readonly index: number;
  readonly value: number;
}

/** Looks at tensors as their values pass by, piece after piece; `found` has places in whole tensors. */
export function watchFinite() {
  const found = new Map<string, NonFinite>();
  const passed = new Map<string, number>();
  const look = (name: string, values: Float32Array): void => {
    const before = passed.get(name) ?? 0;
    passed.set(name, before + values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      // Only for NaN and the infinities is the difference with itself not zero.
      if (value - value === 0) continue;
      const { count, ...first } = found.get(name) ?? { count: 0, index: before + i, value };
      found.set(name, { ...first, count: count + 1 });
    }
  };
  return { found, look };
}

/** Looks through values that are in memory; `undefined` when all are finite. */
export function findNonFinite(values: Float32Array): NonFinite | undefined {
  const { found, look } = watchFinite();
  look("", values);
  return found.get("");
}

/** The same pieces of a tensor. @throws E205 at the first that is not finite. */
export async function* finite(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  name: string,
  source: string,
) {
  const { found, look } = watchFinite();
  for await (const chunk of chunks) {
    look(name, chunk);
    if (found.size > 0) throw notFinite(source, found);
    yield chunk;
  }
}

/**
 * Reads every float tensor (or those named), piece by piece. Errors: E205, which names all tensors
 * with a NaN or an infinite value; an f64 value beyond the range of f32 counts as infinite.
 */
export async function checkFinite(weights: Weights, names?: Iterable<string>): Promise<void> {
  const { found, look } = watchFinite();
  for (const name of names ?? weights.tensors.keys()) {
    const entry = weights.tensors.get(name);
    if (entry && !isFloat(entry.dtype)) continue;
    for await (const values of weights.chunks(name, undefined, true)) look(name, values);
  }
  if (found.size > 0) throw notFinite(weights.source, found);
}

/** The error for what `findNonFinite` found, by tensor name. */
export function notFinite(source: string, found: ReadonlyMap<string, NonFinite>) {
  const lines = [...found].map(
    ([name, { count, index, value }]) =>
      `\n    ${name}: ${count} ${count === 1 ? "value" : "values"}, the first is ${value} at ${index}`,
  );
  const tensors = found.size === 1 ? "1 tensor has" : `${found.size} tensors have`;
  return diagnose("E205", {
    message: `${tensors} NaN or infinite values:${lines.join("")}`,
    where: source,
    help: "its training diverged, or the file was damaged: use another checkpoint",
  });
}
