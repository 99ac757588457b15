/** Programs far deeper than a call stack, forward and backward. */
import { compile } from "../../../compiler/compile.ts";
import { gradient } from "../../../compiler/grad/backward.ts";
import { graphOf } from "../../../compiler/graph/graph.ts";
import { input } from "../../../compiler/graph/sources.ts";
import type { Tensor } from "../../../compiler/graph/tensor.ts";
import * as ops from "../../../ops/index.ts";
import type { Random } from "../random.ts";

export interface Deep {
  readonly step: keyof typeof steps;
  readonly length: number;
}

type F = Tensor<"f32">;

const steps = {
  reshape: (x: F, i: number): F => ops.reshape(x, i % 2 ? [6] : [2, 3]) as unknown as F,
  "add of a new input": (x: F, i: number): F =>
    ops.add(x, input(`i${i}`, "f32", [6]) as unknown as F) as F,
  relu: (x: F): F => ops.relu(x) as F,
  "mul by itself": (x: F): F => ops.mul(x, x) as F,
  concat: (x: F): F => ops.slice(ops.concat([x, x], 0), [[0, x.shape[0] as number]]) as F,
};

export const drawDeep = (random: Random): Deep => ({
  step: random.pick(Object.keys(steps) as (keyof typeof steps)[]),
  length: random.pick([2000, 5000, 10_000, 20_000]),
});

/** Linear in the length: some milliseconds of this process's own time for each step, however busy the machine. */
const mostPerStep = 6;

const spent = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export function deepFault({ step, length }: Deep): string | undefined {
  const start = spent();
  try {
    const x = input("x", "f32", [6]) as unknown as F;
    let y = x;
    // Kernels of additions of many inputs are many; the other chains melt into one.
    const count =
      step === "add of a new input"
        ? Math.min(length, 5000)
        : step === "reshape"
          ? length
          : Math.min(length, 2000);
    for (let i = 0; i < count; i++) y = steps[step](y, i);
    compile(graphOf([{ name: "y", tensor: ops.reshape(y, [6]) as unknown as Tensor }]));
    const g = ops.full(1, y.shape as number[]) as unknown as Tensor;
    const [back] = gradient([y as unknown as Tensor], [g], [x as unknown as Tensor]);
    if (back) compile(graphOf([{ name: "g", tensor: back }]));
    const each = (spent() - start) / count;
    return each > mostPerStep
      ? `${count} times ${step}: ${each.toFixed(1)} ms for each`
      : undefined;
  } catch (error) {
    const { name, message } = error as Error;
    return `${length} times ${step}: ${name}: ${message.split("\n")[0]}`;
  }
}
