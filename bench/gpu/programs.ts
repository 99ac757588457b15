/** Programs as they are timed: compiled for a variant, with weights that cost nothing to make. */
import { compile, type Graph, type Plan } from "../../compiler/index.ts";
import type { Tuning } from "../../compiler/tuning/tuning.ts";
import { createSession } from "../../runtime/index.ts";
import { generator } from "../measure/rounds.ts";
import { type NamedShape, product, weightsFor } from "../problems/numbers.ts";
import { byKernel, type KernelTime } from "../report/kernels.ts";
import type { Timed } from "./timing.ts";
import type { Opened } from "./variants.ts";

export interface Program extends Timed {
  readonly plan: Plan;
  /** Gives the inputs, runs once, and returns the first output. */
  run(): Promise<Float32Array>;
  /** The time of each kernel on the GPU's clock, longest first; undefined where it has none. */
  kernels(): Promise<readonly KernelTime[] | undefined>;
  close(): void;
}

export interface ProgramOptions {
  readonly graph: Graph;
  readonly inputs?: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  readonly weights?: typeof quickWeights;
  readonly tuning?: Tuning;
}

export async function openProgram(
  { graph, inputs = {}, weights = quickWeights, tuning }: ProgramOptions,
  { device, profile, precision }: Opened,
): Promise<Program> {
  const plan = compile(graph, { profile, precision, ...(tuning ? { tuning } : {}) });
  const session = await createSession(plan, device, { weights: weights(plan.parameters) });
  const [first] = plan.outputs;
  const { buffer, tensor } = session.output(first!.name);
  return {
    plan,
    run: async () => (await session.run(inputs))[first!.name] as Float32Array,
    submit: () => session.run({}, []),
    wait: () => device.read(buffer, tensor.offset, 1, "f32"),
    async kernels() {
      try {
        return byKernel(await session.profile());
      } catch {
        return undefined;
      }
    },
    close: () => session.close(),
  };
}

/** A prime, so that rows of a matrix do not begin alike. */
const period = 1_048_573;
let block: Float32Array<ArrayBuffer> | undefined;

/** Numbers from -1 to 1 that repeat after a million: a model of gigabytes is there in seconds. */
function numbersOf(count: number, seed: number, scale: number): Float32Array<ArrayBuffer> {
  if (!block) {
    const random = generator(1);
    block = Float32Array.from({ length: period }, () => 2 * random() - 1);
  }
  const scaled = block.map((v) => v * scale);
  const numbers = new Float32Array(count);
  let from = seed % period;
  for (let at = 0; at < count; from = 0) {
    const part = scaled.subarray(from, Math.min(period, from + count - at));
    numbers.set(part, at);
    at += part.length;
  }
  return numbers;
}

/** Weights that keep signals in size: a product's have a deviation of 0.7 / sqrt(inputs). */
export const quickWeights = (parameters: readonly NamedShape[]) =>
  weightsFor(parameters, (name, shape) => {
    const count = product(shape);
    const seed = [...name].reduce((sum, c) => (31 * sum + c.charCodeAt(0)) % period, 7);
    if (/rel_pos|pos_embed/.test(name)) return numbersOf(count, seed, 0.5);
    // As small as training leaves it: the adapter changes the model, and does not drown it.
    if (/lora_B$|td_G$/.test(name)) return numbersOf(count, seed, 0.01);
    if (/norm.*weight$|neck\.[13]\.weight$/.test(name)) return new Float32Array(count).fill(1);
    const inputs = shape.length > 1 ? count / shape[0]! : 100;
    return numbersOf(count, seed, (Math.sqrt(3) * 0.7) / Math.sqrt(inputs));
  });
