/** Programs far deeper than a call stack, forward and backward: they compile, in a time that grows as they do. */
import { compile } from "../../../compiler/compile.ts";
import { gradient } from "../../../compiler/grad/backward.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import * as ops from "../../../ops/index.ts";
import type { Random } from "../random.ts";

export interface Deep {
  readonly step: keyof typeof deepPrograms;
  readonly length: number;
}

type F = Tensor<"f32">;

const f32 = (name: string, shape: readonly number[]) => input(name, "f32", shape) as unknown as F;

const chain =
  (step: (x: F, i: number) => F) =>
  (x: F, length: number): F => {
    let y = x;
    for (let i = 0; i < length; i++) y = step(y, i);
    return y;
  };

const joined = chain((x) => ops.slice(ops.concat([x, x], 0), [[0, x.shape[0] as number]]) as F);
const clipped = chain((x) => ops.relu(x) as F);

/** A kernel for every ten ops of a chain, all of which read its end, with an op and a sum behind each. */
function kernels(x: F, length: number): F {
  const end = joined(x, length);
  const wide = ops.mul(ops.reshape(end, [6, 1]), f32("w", [1, 40])) as unknown as F;
  const head = (y: F, i: number) => {
    const behind = ops.relu(ops.softmax(ops.mul(wide, i + 1) as F)) as F;
    return ops.add(y, ops.sum(behind, 1) as unknown as F) as F;
  };
  return chain(head)(end, length / 10);
}

const deepPrograms = {
  reshape: chain((x, i) => ops.reshape(x, i % 2 ? [6] : [2, 3]) as unknown as F),
  "add of a new input": chain((x, i) => ops.add(x, f32(`i${i}`, [6])) as F),
  relu: clipped,
  "mul by itself": chain((x) => ops.mul(x, x) as F),
  concat: joined,
  "kernels that read a chain": kernels,
};

export const drawDeep = (random: Random): Deep => {
  const step = random.pick(Object.keys(deepPrograms) as (keyof typeof deepPrograms)[]);
  // Reshapes melt into one; all other steps are compiled.
  const lengths = step === "reshape" ? [5000, 20_000] : [2000, 4000];
  return { step, length: random.pick(lengths) };
};

/** So many times the work may twice the length take. */
const mostForTwice = 2.6;

export function deepFault({ step, length }: Deep): string | undefined {
  try {
    const [short, long] = [looks(step, length / 2), looks(step, length)];
    return long > mostForTwice * short
      ? `${length} times ${step} take ${(long / short).toFixed(1)} times the work of ${length / 2}`
      : undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return `${length} times ${step}: ${name}: ${message.split("\n")[0]}`;
  }
}

/** How often the compiler looks into a set or a map: no other work on this machine changes it. */
function looks(step: Deep["step"], length: number): number {
  const [{ has }, { get }] = [Set.prototype, Map.prototype];
  let n = 0;
  Set.prototype.has = function (x) {
    n++;
    return has.call(this, x);
  };
  Map.prototype.get = function (x) {
    n++;
    return get.call(this, x);
  };
  try {
    compileDeep(step, length);
    return n;
  } finally {
    Set.prototype.has = has;
    Map.prototype.get = get;
  }
}

function compileDeep(step: Deep["step"], length: number): void {
  const x = f32("x", [6]);
  const y = deepPrograms[step](x, length);
  compile(graphOf([{ name: "y", tensor: ops.reshape(y, [6]) as unknown as Tensor }]));
  const g = ops.full(1, y.shape as number[]) as unknown as Tensor;
  const [back] = gradient([y as unknown as Tensor], [g], [x as unknown as Tensor]);
  if (back) compile(graphOf([{ name: "g", tensor: back }]));
}
