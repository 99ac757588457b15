/**
 * The native device: runs kernels that are functions of C (the target `c`), compiled by the machine's compiler.
 * Memory, compiler and threads are those of `NativeMachine`, which only Node has. Long work runs beside the
 * thread that calls, so events are heard meanwhile.
 */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { PlanKernel } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import { formatOf, storedBytes } from "../../formats/index.ts";
import { processor, tooManyGroups } from "./cpu.ts";
import {
  checkHeld,
  type Device,
  type DeviceBuffer,
  deviceLost,
  type Program,
  type StepTime,
} from "./device.ts";
import { checkFits } from "./fits.ts";
import { inPanels } from "./panels.ts";
import { processors } from "./workers.ts";

/** What its kernels are. */
export const nativeTarget = "c";

export interface NativeOptions {
  /**
   * How many threads compute, the one that calls included; as many as there are processors unless given, at
   * most 16. Results do not depend on it.
   */
  readonly threads?: number;
  /** Numbers of 32 bits of a vector: the most that the processor has unless given, or fewer. */
  readonly lanes?: 4 | 8 | 16;
}

export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: Uint8Array<ArrayBuffer>;
  free(): void;
}

export interface NativeKernel {
  /** Of its function. */
  readonly address: bigint;
  /** Of a thread's own memory. */
  readonly scratchBytes: number;
}

export interface NativeRun {
  /** The address of the first step; and how many there are. */
  readonly steps: bigint;
  readonly count: number;
  readonly scratchBytes: number;
  /** The address of a word: no further step begins once it is not 0. */
  readonly stop: bigint;
  /** Whether each step's time is noted. */
  readonly isTimed: boolean;
  /** Whether the calling thread may wait for it. */
  readonly isShort: boolean;
}

export interface NativeMachine {
  /** Numbers of 32 bits of a vector, and how many vectors the processor holds. */
  readonly lanes: 4 | 8 | 16;
  readonly registers: 16 | 32;
  readonly threads: number;
  /** @throws E423 */
  allocate(bytes: number): NativeMemory;
  /** Kernels of C as functions, which are there for as long as their owner. */
  compile(kernels: readonly PlanKernel[], owner: object): Promise<readonly NativeKernel[]>;
  /** How many steps were run. One call at a time. */
  run(run: NativeRun): number | Promise<number>;
  close(): void;
}

/** More threads seldom help: all of them share one way to memory. */
const mostThreads = 16;

/** @throws E465 for a number of threads that cannot be. */
export function nativeThreads(options: NativeOptions): number {
  checkOptions<NativeOptions>("openDevice", options, { threads: true, lanes: true });
  const { threads = Math.min(mostThreads, processors()) } = options;
  if (Number.isInteger(threads) && threads >= 1 && threads <= 256) return threads;
  throw diagnose("E465", {
    message: `threads is ${shown(threads)}, but takes a whole number from 1 to 256`,
    where: "openDevice",
    help: "leave it out for as many as there are processors",
  });
}

/**
 * Widths of vectors, in numbers of 32 bits, that kernels are compiled for. Where a machine has narrower ones the
 * compiler uses several in place of one.
 */
const nativeWidths = [4, 8, 16] as const;

/** @throws E487 for vectors that the processor lacks, of which `most` are the widest. */
export function nativeLanes(most: 4 | 8 | 16, { lanes = most }: NativeOptions): 4 | 8 | 16 {
  const all = nativeWidths.filter((one) => one <= most);
  if (all.includes(lanes)) return lanes;
  throw diagnose("E487", {
    message: `lanes is ${shown(lanes)}, and the vectors of this processor have ${all.join(" or ")}`,
    where: "openDevice",
    help: "leave it out for the widest",
  });
}

interface NativeBuffer extends DeviceBuffer {
  readonly memory: NativeMemory;
  /** Of its first byte. */
  readonly address: bigint;
  isFreed: boolean;
}

/** Bytes at both ends of a buffer that kernels may read: vectors reach a little beyond it. */
const room = 128;

/** What all machines with such vectors have. */
export const nativeCapabilities = ({
  lanes,
  registers,
}: Pick<NativeMachine, "lanes" | "registers">): Capabilities => ({
  ...processor,
  registers,
  name: `native-${lanes}`,
  subgroups: { least: lanes, most: lanes, numbered: true, widths: nativeWidths },
});

/** @throws E484 where the machine cannot have as many threads as the options ask for. */
export function nativeDevice(machine: NativeMachine, options: NativeOptions = {}): Device {
  const capabilities = nativeCapabilities(machine);
  checkThreads(machine, options);
  const work = new Work(machine);
  const checkAlive = () => {
    if (work.isEnded) throw deviceLost("it was destroyed");
  };
  const rangeOf = (buffer: DeviceBuffer, offset: number, bytes: number): Uint8Array => {
    checkHeld(buffer);
    const first = room + offset;
    return (buffer as NativeBuffer).memory.bytes.subarray(first, first + bytes);
  };
  return {
    target: nativeTarget,
    name: capabilities.name,
    capabilities,
    inPanels,
    lost: new Promise(() => {}),
    checkAlive,
    async allocate(buffers) {
      checkAlive();
      return allocateAll(work, machine, buffers);
    },
    write(to, offset, data) {
      checkAlive();
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      rangeOf(to, offset, data.byteLength).set(bytes);
    },
    copy(pairs) {
      checkAlive();
      for (const [from, to] of pairs) rangeOf(to, 0, from.bytes).set(rangeOf(from, 0, from.bytes));
    },
    async read(from, offset, count, scalar) {
      checkAlive();
      const bytes = Uint8Array.from(rangeOf(from, offset, storedBytes(scalar, count)));
      return new (formatOf(scalar).array!)(bytes.buffer, 0, count);
    },
    async load(plan, buffers, onProgress) {
      checkAlive();
      checkFits(plan, capabilities);
      const kernels = await machine.compile(plan.kernels, buffers);
      checkAlive();
      onProgress?.(kernels.length, kernels.length, "kernels");
      return programOf({ plan, kernels, buffers, machine, work, checkAlive, rangeOf });
    },
    destroy: () => work.end(),
  };
}

function checkThreads(machine: NativeMachine, { threads }: NativeOptions): void {
  if (threads === undefined || machine.threads === threads) return;
  machine.close();
  throw diagnose("E484", {
    message: `the system gives ${machine.threads} threads, and ${threads} were asked for`,
    where: "openDevice",
    help: "leave threads out for as many as can be had, or raise the system's limit (ulimit -u)",
  });
}

/** One run at a time, since all use the same threads. Memory that a run uses is freed when it has ended. */
class Work {
  isEnded = false;
  readonly #machine: NativeMachine;
  readonly #later: (() => void)[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #isRunning = false;

  constructor(machine: NativeMachine) {
    this.#machine = machine;
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(async () => {
      this.#isRunning = true;
      try {
        return await work();
      } finally {
        this.#isRunning = false;
        for (const free of this.#later.splice(0)) free();
      }
    });
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Now, or when the run that is under way has ended. */
  afterwards(free: () => void): void {
    if (this.#isRunning) this.#later.push(free);
    else free();
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.afterwards(() => this.#machine.close());
  }
}

/** All of them, or none. */
function allocateAll(
  work: Work,
  machine: NativeMachine,
  buffers: Parameters<Device["allocate"]>[0],
): DeviceBuffer[] {
  const made: NativeBuffer[] = [];
  try {
    for (const { bytes, role } of buffers) {
      const memory = machine.allocate(room + bytes + room);
      // What vectors reach of it is defined.
      memory.bytes.subarray(0, room).fill(0);
      memory.bytes.subarray(role === "state" ? room : room + bytes).fill(0);
      const buffer: NativeBuffer = {
        ...{ bytes, memory, address: memory.address + BigInt(room), isFreed: false },
        destroy() {
          if (!buffer.isFreed) work.afterwards(() => memory.free());
          buffer.isFreed = true;
        },
      };
      made.push(buffer);
    }
  } catch (failure) {
    for (const buffer of made) buffer.destroy();
    throw failure;
  }
  return made;
}

interface Loaded {
  readonly plan: Parameters<Device["load"]>[0];
  readonly kernels: readonly NativeKernel[];
  readonly buffers: readonly DeviceBuffer[];
  readonly machine: NativeMachine;
  readonly work: Work;
  checkAlive(): void;
  rangeOf(buffer: DeviceBuffer, offset: number, bytes: number): Uint8Array;
}

/** Milliseconds for which the calling thread waits: less than events wait for other work of ours. */
const short = 8;

function programOf(loaded: Loaded): Program {
  const { plan, kernels, buffers, machine, work, checkAlive, rangeOf } = loaded;
  const table = stepsOf(loaded);
  const scratchBytes = Math.max(0, ...kernels.map((kernel) => kernel.scratchBytes));
  let lastMilliseconds = Number.POSITIVE_INFINITY;
  const run = async (isTimed: boolean, signal?: AbortSignal): Promise<void> => {
    checkAlive();
    signal?.throwIfAborted();
    for (const step of plan.steps)
      for (const { buffer } of step.bindings) checkHeld(buffers[buffer]!);
    const { steps, stop } = table;
    const onAbort = () => table.halt(true);
    table.halt(false);
    signal?.addEventListener("abort", onAbort);
    const start = performance.now();
    const isShort = lastMilliseconds < short;
    try {
      const given = { steps, stop, count: plan.steps.length, scratchBytes, isTimed, isShort };
      const done = machine.run(given);
      if (typeof done !== "number") await done;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    lastMilliseconds = performance.now() - start;
    signal?.throwIfAborted();
    checkAlive();
  };
  return {
    run: (signal) =>
      work.inTurn(async () => {
        await run(false, signal);
        for (const { from, to } of plan.commits)
          rangeOf(buffers[to.buffer]!, to.offset, from.bytes).set(
            rangeOf(buffers[from.buffer]!, from.offset, from.bytes),
          );
        return { accepted: Promise.resolve() };
      }),
    profile: (signal) =>
      work.inTurn(async () => {
        await run(true, signal);
        return plan.steps.map(({ label, kernel }, i): StepTime => {
          const milliseconds = table.nanoseconds(i) / 1e6;
          return { label, kernel: plan.kernels[kernel]!.name, milliseconds };
        });
      }),
  };
}

/** The parts of a step for each thread: all threads end at about the same time. */
const parts = 16;

/** Words of eight bytes of a step: those of `struct step` in `runtime/node/native-team.ts`. */
const words = { step: 8, took: 7 } as const;
const wordBytes = 8;

/** A program's steps as memory, and the addresses of their buffers behind them. */
function stepsOf({ plan, kernels, buffers, machine, work }: Loaded) {
  const { steps } = plan;
  const addresses = steps.reduce((sum, { bindings }) => sum + bindings.length, 0);
  const count = steps.length * words.step + addresses + 1;
  const memory = machine.allocate(count * wordBytes);
  const all = new BigUint64Array(memory.bytes.buffer);
  let next = steps.length * words.step;
  for (const [i, { kernel, bindings, groups }] of steps.entries()) {
    const [columns, rows, layers] = groups;
    const groupCount = columns * rows * layers;
    if (groupCount > processor.maxGroups)
      throw tooManyGroups(plan.kernels[kernel]!.name, groupCount);
    const part = Math.max(1, Math.ceil(groupCount / (parts * machine.threads)));
    const step = [groupCount, columns, rows, part, 0, 0].map(BigInt);
    const own = memory.address + BigInt(next * wordBytes);
    all.set([kernels[kernel]!.address, own, ...step], i * words.step);
    for (const b of bindings)
      all[next++] = (buffers[b.buffer] as NativeBuffer).address + BigInt(b.offset);
  }
  const stop = new Int32Array(memory.bytes.buffer, next * wordBytes, 1);
  released.register(buffers, () => work.afterwards(() => memory.free()));
  return {
    steps: memory.address,
    stop: memory.address + BigInt(next * wordBytes),
    halt(isHalted: boolean) {
      stop[0] = isHalted ? 1 : 0;
    },
    nanoseconds: (i: number) => Number(all[i * words.step + words.took]),
  };
}

/** Memory of programs, whose owner is collected with them. */
const released = new FinalizationRegistry<() => void>((free) => free());
