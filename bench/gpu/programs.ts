/** Programs as they are timed: compiled for a variant, with weights that cost nothing to make. */
import { compile, type Graph, type Plan } from "../../compiler/index.ts";
import type { Tuning } from "../../compiler/tuning/tuning.ts";
import { formatOf } from "../../formats/index.ts";
import { createSession } from "../../runtime/index.ts";
import type { Weights } from "../../runtime/weights/index.ts";
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
  readonly weights?: (parameters: readonly NamedShape[]) => Weights;
  readonly tuning?: Tuning;
}

export async function openProgram(
  { graph, inputs = {}, weights = quickWeights, tuning }: ProgramOptions,
  { device, profile, precision }: Opened,
): Promise<Program> {
  const plan = compile(graph, {
    ...{ target: device.target, profile, precision },
    ...(tuning ? { tuning } : {}),
  });
  const session = await createSession(plan, device, { weights: weights(plan.parameters) });
  const [first] = plan.outputs;
  const { buffer, tensor } = session.output(first!.name);
  return {
    ...{ plan, capabilities: device.capabilities },
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
const blocks = new Map<number, Float32Array<ArrayBuffer>>();

/** A million numbers from -scale to scale. */
function blockOf(scale: number): Float32Array<ArrayBuffer> {
  let block = blocks.get(scale);
  if (!block) {
    const random = generator(1);
    block = Float32Array.from({ length: period }, () => scale * (2 * random() - 1));
    blocks.set(scale, block);
  }
  return block;
}

/**
 * Weights that repeat after a million numbers, so that gigabytes of them cost nothing to make. Signals
 * keep their size: a product's weights have a deviation of 0.7 / sqrt(inputs).
 */
export function quickWeights(parameters: readonly NamedShape[]): Weights {
  const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
  return {
    ...weightsFor(parameters),
    async *chunks(name) {
      const shape = shapes.get(name)!;
      const block = isNorm.test(name) ? ones : blockOf(scaleOf(name, shape));
      const start = [...name].reduce((sum, c) => (31 * sum + c.charCodeAt(0)) % period, 7);
      const count = product(shape);
      for (let at = 0, from = start; at < count; from = 0) {
        const part = block.subarray(from, Math.min(period, from + count - at));
        yield part;
        at += part.length;
      }
    },
  };
}

const ones = new Float32Array(period).fill(1);
const isNorm = /norm.*weight$|neck\.[13]\.weight$/;

function scaleOf(name: string, shape: readonly number[]): number {
  if (/rel_pos|pos_embed/.test(name)) return 0.5;
  // As small as training leaves it: the adapter changes the model, and does not drown it.
  if (/lora_B$|td_G$/.test(name)) return 0.01;
  const inputs = shape.length > 1 ? product(shape) / shape[0]! : 100;
  return (Math.sqrt(3) * 0.7) / Math.sqrt(inputs);
}

type Singles = Float32Array<ArrayBuffer>;

/** What a program reads of a parameter: numbers rounded to the format that its plan stores them in. */
export function asStored({ plan }: Pick<Program, "plan">, name: string, values: Singles): Singles {
  const stored = plan.parameters.find((p) => p.name === name)?.stored;
  if (stored === undefined) return values;
  const { encode, decode } = formatOf(stored);
  return decode!(encode(values));
}
