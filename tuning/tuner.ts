/**
 * Finds the fastest tile of one kernel on a device, safely: a tile is measured only after its
 * results were compared with the oracle's, element by element, and it wins only by more than two
 * measurements of one and the same kernel differ. Whatever a candidate throws, it just loses.
 */
import { compileAlone } from "../compiler/compile.ts";
import { candidatesOf } from "../compiler/forms/pick.ts";
import type { Region } from "../compiler/fuse/region.ts";
import type { Tile, Variant } from "../compiler/op-kit.ts";
import type { Plan } from "../compiler/plan.ts";
import type { Profile } from "../compiler/profile.ts";
import { type Alone, takeOut } from "../compiler/tuning/alone.ts";
import { showTile } from "../compiler/tuning/tuning.ts";
import { diagnose } from "../diagnostics/index.ts";
import { elementsIn } from "../formats/index.ts";
import type { Device, DeviceBuffer, Program } from "../runtime/devices/device.ts";
import { expectedOf } from "./expected.ts";
import { inputValues, mismatch } from "./values.ts";
import { warmUp } from "./warm-up.ts";

export interface TuneOptions {
  readonly device: Device;
  /** The one that the region's program was compiled with: `Compilation.profile`. */
  readonly profile: Profile;
  /** How many of the model's best tiles are tried: 6 unless given. */
  readonly candidates?: number;
  /** How often each is measured: 9 unless given. */
  readonly rounds?: number;
  /** Milliseconds until a candidate that has not compiled and run loses: 20 000 unless given. */
  readonly patience?: number;
  /** Milliseconds that a run takes: by the device's own clock unless given. */
  readonly measure?: (program: Program, variant: Variant) => Promise<number>;
  /** Compiles a candidate. */
  readonly planOf?: (variant: Variant) => Plan;
  /**
   * What the region's outputs must be, from the values of what it reads: the float64 oracle's
   * results unless given. Of products of billions of terms the oracle takes minutes.
   */
  readonly expected?: (
    alone: Alone,
    values: readonly Float64Array[],
  ) => Promise<readonly Float64Array[]>;
}

export interface Trial {
  readonly form: string;
  readonly tile: Tile;
  /** The median of all rounds; undefined for a candidate that lost before it was measured. */
  readonly milliseconds: number | undefined;
  /** Why it lost: what it computed wrongly, or what it threw. */
  readonly reason?: string;
}

export interface TuneResult {
  /** The winner: the default unless another is faster beyond noise. */
  readonly form: string;
  readonly tile: Tile;
  /** Time of the default over the winner's; 1 if the default stays. */
  readonly gain: number;
  /** By how much two measurements of the default differ: 0.05 are five per cent. */
  readonly noise: number;
  /** The default first. */
  readonly trials: readonly Trial[];
}

/** The least gain that counts, however quiet the device is. */
const leastGain = 0.03;

/**
 * Tunes one region of a program.
 * @throws E823 if even the default tile computes wrong numbers on this device.
 */
export async function tuneRegion(region: Region, options: TuneOptions): Promise<TuneResult> {
  const { device, profile, candidates = 6, rounds = 9, patience = 20_000 } = options;
  const variants = candidatesOf(region.anchor, profile).variants.slice(0, candidates);
  const alone = takeOut(region);
  const { target } = device;
  const planOf =
    options.planOf ??
    ((variant: Variant) =>
      compileAlone(alone.graph, { ...alone.region, variant }, { target, profile }));
  const values = alone.region.reads.map((t, i) => inputValues(t.type, i));
  const expected = await (options.expected ?? expectedOf)(alone, values);
  const first = planOf(variants[0]!);
  const buffers = await device.allocate(first.buffers);
  try {
    await writeInputs(device, first, buffers, values);
    const bench: Bench = { device, plan: first, buffers, expected };
    const entries: Entry[] = [];
    for (const variant of variants) entries.push(await enter(bench, variant, planOf, patience));
    const [standard] = entries;
    if (!standard?.program)
      throw diagnose("E823", {
        message: `the default tile ${showTile(variants[0]!.tile)} fails on ${device.name}: ${standard?.reason}`,
        where: region.anchor.op.name,
        help: "inarch doctor checks the device; update its driver",
      });
    const measure = options.measure ?? (await clockOf(bench, standard.program));
    if (!options.measure) await warmUp(device.capabilities, () => many(bench, standard.program!));
    return await compete(entries, rounds, measure);
  } finally {
    for (const b of buffers) b.destroy();
  }
}

interface Bench {
  readonly device: Device;
  readonly plan: Plan;
  readonly buffers: readonly DeviceBuffer[];
  readonly expected: readonly Float64Array[];
}

interface Entry {
  readonly variant: Variant;
  readonly program?: Program;
  readonly reason?: string;
}

/** Compiles a candidate, runs it over poisoned outputs, and compares. */
async function enter(
  bench: Bench,
  variant: Variant,
  planOf: (variant: Variant) => Plan,
  patience: number,
): Promise<Entry> {
  const { device, plan, buffers, expected } = bench;
  const attempt = async (): Promise<Entry> => {
    const program = await device.load(planOf(variant), buffers);
    for (const t of plan.outputs) {
      const poison = new Float32Array(elementsIn("f32", t.bytes)).fill(Number.NaN);
      await device.write(buffers[t.buffer]!, t.offset, poison);
    }
    await (await program.run()).accepted;
    for (const [i, t] of plan.outputs.entries()) {
      const scalar = t.dtype === "bool" ? "u32" : t.dtype;
      const got = await device.read(buffers[t.buffer]!, t.offset, expected[i]!.length, scalar);
      const wrong = mismatch(got, expected[i]!, t.dtype);
      if (wrong !== undefined) return { variant, reason: wrong };
    }
    return { variant, program };
  };
  try {
    return await within(patience, attempt());
  } catch (error) {
    return { variant, reason: (error as Error).message.split("\n")[0]! };
  }
}

/** Rejects where a promise takes too long; what it stands for goes on, and nobody listens. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(diagnose("E823", { message: `not ready after ${milliseconds} ms` })),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function writeInputs(
  device: Device,
  plan: Plan,
  buffers: readonly DeviceBuffer[],
  values: readonly Float64Array[],
): Promise<void> {
  for (const t of plan.inputs) {
    const numbers = values[Number(t.name.slice(1))]!;
    const typed =
      t.dtype === "f32"
        ? Float32Array.from(numbers)
        : t.dtype === "i32"
          ? Int32Array.from(numbers)
          : Uint32Array.from(numbers);
    await device.write(buffers[t.buffer]!, t.offset, typed);
  }
}

/** The device's own clock, or whole runs with a result read back where it has none. */
async function clockOf({ device, plan, buffers }: Bench, program: Program) {
  const own = async (p: Program) =>
    (await p.profile()).reduce((sum, step) => sum + step.milliseconds, 0);
  try {
    await own(program);
    return own;
  } catch {
    const { buffer, offset } = plan.outputs[0]!;
    return async (p: Program) => {
      const start = performance.now();
      await p.run();
      await device.read(buffers[buffer]!, offset, 1, "f32");
      return performance.now() - start;
    };
  }
}

/** Runs that keep a GPU at work; the last is waited for. */
async function many({ device, plan, buffers }: Bench, program: Program): Promise<void> {
  for (let i = 0; i < 20; i++) await program.run();
  const { buffer, offset } = plan.outputs[0]!;
  await device.read(buffers[buffer]!, offset, 1, "f32");
}

/** Measures all that are right, in turns, the default twice; the order turns round every time. */
async function compete(
  entries: readonly Entry[],
  rounds: number,
  measure: NonNullable<TuneOptions["measure"]>,
): Promise<TuneResult> {
  const right = entries.filter((e) => e.program);
  const runners = [...right, right[0]!].map((entry) => ({ entry, times: [] as number[] }));
  for (let round = 0; round < rounds; round++)
    for (const runner of round % 2 ? [...runners].reverse() : runners)
      runner.times.push(await measure(runner.entry.program!, runner.entry.variant));
  const medians = runners.map(({ times }) => median(times));
  const [once, again] = [medians[0]!, medians.at(-1)!];
  const standard = (once + again) / 2;
  const noise = Math.abs(once - again) / Math.min(once, again);
  let best = 0;
  for (let i = 1; i < right.length; i++) if (medians[i]! < medians[best]!) best = i;
  const gain = standard / medians[best]!;
  const wins = best > 0 && gain > 1 + Math.max(leastGain, 2 * noise);
  const { form, tile } = right[wins ? best : 0]!.variant;
  return {
    form,
    tile,
    gain: wins ? gain : 1,
    noise,
    trials: entries.map(({ variant, reason }) => {
      const milliseconds = medians[right.findIndex((e) => e.variant === variant)];
      const { form, tile } = variant;
      return { form, tile, milliseconds, ...(reason === undefined ? {} : { reason }) };
    }),
  };
}

function median(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
