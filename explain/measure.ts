/** Times each step of a plan on this machine's device, with numbers that are made up. */
import type { Plan } from "../compiler/plan.ts";
import type { Device, Progress } from "../runtime/devices/device.ts";
import { createSession, type SessionOptions } from "../runtime/session.ts";
import { floatEntry } from "../runtime/weights/index.ts";

export interface Measured {
  readonly device: string;
  /** Milliseconds, by step: the median of the runs. */
  readonly steps: readonly number[];
  /** How many runs were timed. */
  readonly runs: number;
}

/** No further run is timed once this many milliseconds were. */
const patience = 1500;
const mostRuns = 5;

/**
 * Runs the plan and measures each step by the device's timestamps. The first run is not timed: it
 * pays for what drivers do but once.
 * @throws E426 for a device without them, E423 where its memory does not suffice, E424 for one
 * that the plan is too much for.
 */
export async function measure(
  device: Device,
  plan: Plan,
  onProgress: Progress = () => {},
): Promise<Measured> {
  const session = await createSession(plan, device, { weights: madeUpWeights(plan), onProgress });
  try {
    const inputs = Object.fromEntries(plan.inputs.map((t) => [t.name, madeUpInput(t)]));
    await session.run(inputs);
    const runs: number[][] = [];
    for (let spent = 0; runs.length < mostRuns && spent < patience; ) {
      const times = (await session.profile()).map((step) => step.milliseconds);
      spent += times.reduce((a, b) => a + b, 0);
      runs.push(times);
    }
    const steps = plan.steps.map((_, i) => median(runs.map((run) => run[i]!)));
    return { device: device.name, steps, runs: runs.length };
  } finally {
    session.close();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

const period = 1 << 16;

/** Numbers between -0.05 and 0.05 without any pattern that matters, over and over. */
const noise = Float32Array.from({ length: period }, (_, i) => {
  const mixed = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul((i + 1) >>> 7, 0x85ebca6b);
  return ((mixed >>> 8) / 2 ** 24 - 0.5) / 10;
});

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function madeUpWeights(plan: Plan): NonNullable<SessionOptions["weights"]> {
  const first = plan.states.flatMap(({ init, shape }) =>
    init?.kind === "copy" ? [{ name: init.from, shape }] : [],
  );
  const tensors = new Map(
    [...first, ...plan.parameters].map(({ name, shape }) => [name, floatEntry(shape)]),
  );
  return {
    source: "made-up weights",
    tensors,
    async *chunks(name) {
      const count = sizeOf(tensors.get(name)!.shape);
      for (let start = 0; start < count; start += period)
        yield noise.slice(0, Math.min(period, count - start));
    },
  };
}

/** Zeros for whatever may be an index. */
function madeUpInput({ dtype, shape }: Plan["inputs"][number]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(sizeOf(shape));
  if (dtype === "f32") for (let i = 0; i < values.length; i++) values[i] = noise[i % period]!;
  return values;
}
