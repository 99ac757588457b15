/** First values of parameters and states that no checkpoint has: the same from the same seed and name. */
import type { Init } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import type { Readable } from "./adapted.ts";
import { fnv1a } from "./fnv.ts";

type Values = Float32Array<ArrayBuffer>;

interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
  readonly init?: Init;
}

/**
 * The first values of a tensor, f32, row-major.
 * @throws E430 for a tensor that is neither in the weights nor says how it begins.
 */
export async function initialValues(
  { name, shape, init }: Wanted,
  seed: number,
  weights: Readable,
): Promise<Values> {
  const count = shape.reduce((a, b) => a * b, 1);
  const random = generator(`${seed}/${name}`);
  const make = (draw: () => number) => Float32Array.from({ length: count }, draw);
  switch (init?.kind) {
    case undefined:
      throw diagnose("E430", {
        message: `the weights have no tensor ${name}`,
        where: weights.source,
        help: "use the checkpoint of the model that is trained",
      });
    case "constant":
      return new Float32Array(count).fill(init.value);
    case "uniform":
      return make(() => (2 * random() - 1) * init.bound);
    case "normal":
      return make(() => (init.mean ?? 0) + init.deviation * normal(random));
    case "truncated normal":
      return make(() => init.deviation * truncated(random));
    case "copy":
      return copied(name, count, init, weights);
  }
}

async function copied(
  name: string,
  count: number,
  { from, rows }: Extract<Init, { readonly kind: "copy" }>,
  weights: Readable,
): Promise<Values> {
  const entry = weights.tensors.get(from);
  if (!entry)
    throw diagnose("E430", {
      message: `${name} begins as a copy of ${from}, which the weights lack`,
      where: weights.source,
      help: "use the checkpoint of the model",
    });
  const whole = new Float32Array(entry.shape.reduce((a, b) => a * b, 1));
  let read = 0;
  for await (const chunk of weights.chunks(from)) {
    whole.set(chunk, read);
    read += chunk.length;
  }
  const values = whole.subarray(0, ((rows ?? entry.shape[0]!) * whole.length) / entry.shape[0]!);
  const result = new Float32Array(count);
  for (let i = 0; i < count; i++) result[i] = values[i % values.length]!;
  return result;
}

/** Box and Muller. */
function normal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

function truncated(random: () => number): number {
  for (;;) {
    const x = normal(random);
    if (Math.abs(x) <= 2) return x;
  }
}

/** Numbers from 0 to 1 that depend on a text alone: FNV-1a, then a 32-bit counter generator. */
function generator(text: string): () => number {
  let state = fnv1a(new TextEncoder().encode(text)) | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  };
}
