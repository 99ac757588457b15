/** A model with a running mean, and what that is after some batches in plain arithmetic. */
import { type Init, input, type Parameters, state, type Tensor } from "../../compiler/index.ts";
import { add, matmul, mean, mul, sub } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import type { Weights } from "../../runtime/weights/index.ts";
import { sgd, type TrainerOptions } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";

type Floats = Tensor<"f32">;

const momentum = 0.1;
/** Rows of a batch, of three columns. */
export const rows = 4;

/** Centres columns by the mean of the batch in training, and by the running mean otherwise. */
export function centred(p: Parameters, more: { readonly init?: Init } = {}) {
  const x = input("x", "f32", ["rows", 3]) as unknown as Floats;
  const running = state("mean", "f32", [3], more) as unknown as Floats;
  const own = mean(x, 0) as Floats;
  const centre = p.scope.training ? own : running;
  return {
    y: matmul(sub(x, centre) as Floats, p.f32("w", [3, 1])) as Floats,
    mean: add(mul(running, 1 - momentum), mul(own, momentum)),
    batches: add(state("batches", "i32", [1]), 1),
  };
}

export const trainingOn = (
  device: Device,
  weights: Weights,
  more: Partial<TrainerOptions> = {},
): TrainerOptions => ({
  device,
  weights,
  rate: 0.01,
  optimiser: sgd({}),
  loss: ({ y }) => ({ square: mean(mul(y!, y!)) }),
  programs: { forward: {} },
  ...more,
});

export const batches = Array.from({ length: 10 }, (_, i) =>
  randomNumbers(rows * 3, i + 1, [i, i + 2]).map(Math.fround),
);

/** The running mean after some batches. */
export function runningMean(from: readonly number[], of: readonly (readonly number[])[]): number[] {
  let now = [...from];
  for (const batch of of)
    now = now.map((m, j) => {
      const column = Array.from({ length: rows }, (_, i) => batch[i * 3 + j]!);
      return (1 - momentum) * m + (momentum * column.reduce((a, b) => a + b, 0)) / rows;
    });
  return now;
}
