/**
 * The processor device: runs kernels that are modules of WebAssembly with vectors (the target `wasm`), in
 * Node and in pages, and needs nothing else. All of them share one memory, in which buffers are ranges. It
 * works in the thread that calls it, with a pause for events now and then, and in worker threads where
 * memory can be shared with them.
 */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { Plan } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import { formatOf, storedBytes } from "../../formats/index.ts";
import { type CpuKernel, compileKernels } from "./cpu-kernels.ts";
import { type CpuBuffer, CpuMemory, Scratch } from "./cpu-memory.ts";
import { noWorkers, Team, type TeamProgram } from "./cpu-threads.ts";
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
import { pausesFor } from "./pauses.ts";
import { hasFma, wasmEngine } from "./web-assembly.ts";
import { canShare, processors } from "./workers.ts";

export interface CpuOptions {
  /**
   * How many threads compute, the one that calls included; as many as there are processors unless given, at
   * most 16, or one where memory cannot be shared. Results do not depend on it.
   */
  readonly threads?: number;
  /**
   * Whether the engine computes two vectors that follow each other at once, as Node 24 can on x64
   * (`openDevice({ kind: "cpu", pairs: true })` asks it to). Kernels are made for that; where the engine does not, they
   * are slower. Results are the same.
   */
  readonly pairs?: boolean;
}

/**
 * Makes a device of the processor. Where the engine has `fma` its name says so: results are rounded otherwise.
 * Threads begin to work with the first plan that it is given.
 * @throws E465 for a number of threads that cannot be, E480 where nothing may be compiled to WebAssembly,
 * E481 where the engine's has no vectors, E484 for several threads where memory cannot be shared.
 */
export function cpuDevice(options: CpuOptions = {}): Device {
  checkOptions<CpuOptions>("cpuDevice", options, { threads: true, pairs: true });
  const engine = wasmEngine();
  const fused = hasFma(engine) ? { ...processor, name: "processor-fma", fma: true } : processor;
  const own = options.pairs ? { ...fused, pairs: true } : fused;
  const threads = threadsOf(options);
  const memory = new CpuMemory(engine, threads > 1);
  const { lost, lose, checkAlive, destroy } = life();
  const team = new Team({
    memory: memory.memory,
    threads,
    exactly: options.threads !== undefined,
    onLost: (reason) => lose(`a worker thread has ended: ${reason}`),
  });
  const scratch = new Scratch(memory, threads);
  const inTurn = turns();
  return {
    target: "wasm",
    name: own.name,
    capabilities: own,
    inPanels,
    lost,
    checkAlive,
    async allocate(buffers) {
      checkAlive();
      return allocateAll(memory, buffers);
    },
    write(to, offset, data) {
      checkAlive();
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      memory.range(to, offset, data.byteLength).set(bytes);
    },
    copy(pairs) {
      checkAlive();
      for (const [from, to] of pairs)
        memory.range(to, 0, from.bytes).set(memory.range(from, 0, from.bytes));
    },
    async read(from, offset, count, scalar) {
      checkAlive();
      const bytes = Uint8Array.from(memory.range(from, offset, storedBytes(scalar, count)));
      return new (formatOf(scalar).array!)(bytes.buffer, 0, count);
    },
    async load(plan, buffers, onProgress) {
      checkAlive();
      checkFits(plan, own);
      checkFma(plan, own);
      const kernels = await compileKernels(engine, plan.kernels, memory, onProgress);
      checkAlive();
      scratch.hold(Math.max(0, ...kernels.map((k) => k.scratchBytes)));
      return programOf({ plan, kernels, buffers, memory, scratch, team, inTurn, checkAlive });
    },
    destroy() {
      destroy();
      team.destroy();
    },
  };
}

/** @throws E424 for a kernel that asks for an instruction which the engine lacks. */
function checkFma({ kernels, name }: Pick<Plan, "kernels" | "name">, { fma }: Capabilities): void {
  const lacking = fma ? undefined : kernels.find((kernel) => kernel.fma);
  if (!lacking) return;
  throw diagnose("E424", {
    message: `kernel ${lacking.name} of ${name} asks for fma, which this engine lacks (relaxed SIMD of WebAssembly)`,
    help: "compile for this device, or use Node 20 with openDevice, or a newer engine",
  });
}

/** More threads seldom help: all of them share one way to memory. */
const mostThreads = 16;

function threadsOf({ threads }: CpuOptions): number {
  if (threads === undefined) return canShare() ? Math.min(mostThreads, processors()) : 1;
  if (!Number.isInteger(threads) || threads < 1 || threads > 256)
    throw diagnose("E465", {
      message: `threads is ${shown(threads)}, but takes a whole number from 1 to 256`,
      where: "cpuDevice",
      help: "leave it out for as many as there are processors",
    });
  if (threads > 1 && !canShare()) throw noWorkers(threads, "memory cannot be shared");
  return threads;
}

/** Whether the device is there. */
function life() {
  let gone: string | undefined;
  let isDestroyed = false;
  let resolveLost: (reason: string) => void = () => {};
  const lost = new Promise<string>((resolve) => {
    resolveLost = resolve;
  });
  return {
    lost,
    lose(reason: string) {
      gone ??= reason;
      resolveLost(gone);
    },
    destroy() {
      isDestroyed = true;
    },
    checkAlive() {
      if (isDestroyed) throw deviceLost("it was destroyed");
      if (gone !== undefined) throw deviceLost(gone);
    },
  };
}

/** What every processor has on which the device can be opened. */
export const processor: Capabilities = {
  name: "processor",
  deviceClass: "processor",
  maxBindingBytes: 2 ** 31 - 64,
  maxBufferBytes: 2 ** 31 - 64,
  maxBindings: 64,
  maxSharedBytes: 1024 * 1024,
  maxThreads: 256,
  // Threads count them past their end.
  maxGroups: 2 ** 30,
  alignment: 64,
  // Vectors of 128 bits.
  subgroups: { least: 4, most: 4, numbered: true },
  half: true,
  bfloat: true,
  slowBarriers: true,
  slowCompiler: true,
};

/** A step of more workgroups than threads can count. */
export const tooManyGroups = (kernel: string, all: number) =>
  diagnose("E424", {
    message: `kernel ${kernel} is to run in ${all} workgroups, but the device counts to ${processor.maxGroups}`,
    help: "use a smaller batch or image",
  });

/** All of them, or none. */
function allocateAll(
  memory: CpuMemory,
  buffers: Parameters<Device["allocate"]>[0],
): DeviceBuffer[] {
  memory.checkRoom(buffers.map(({ bytes }) => bytes));
  const made: CpuBuffer[] = [];
  try {
    for (const { bytes, role } of buffers) {
      const buffer = memory.allocate(bytes);
      made.push(buffer);
      if (role === "state") memory.range(buffer, 0, bytes).fill(0);
    }
  } catch (failure) {
    for (const buffer of made) buffer.destroy();
    throw failure;
  }
  return made;
}

/** Work that takes turns: one run at a time, since all use the same threads and scratch memory. */
function turns() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
}

interface Loaded {
  readonly plan: Parameters<Device["load"]>[0];
  readonly kernels: readonly CpuKernel[];
  readonly buffers: readonly DeviceBuffer[];
  readonly memory: CpuMemory;
  readonly scratch: Scratch;
  readonly team: Team;
  readonly inTurn: ReturnType<typeof turns>;
  checkAlive(): void;
}

function programOf(loaded: Loaded): Program {
  const { plan, buffers, memory, inTurn } = loaded;
  const runStep = stepsOf(loaded);
  return {
    run: (signal) =>
      inTurn(async () => {
        const pause = pauser(loaded, signal);
        for (const index of plan.steps.keys()) await runStep(index, pause);
        for (const { from, to } of plan.commits)
          memory
            .range(buffers[to.buffer]!, to.offset, from.bytes)
            .set(memory.range(buffers[from.buffer]!, from.offset, from.bytes));
        return { accepted: Promise.resolve() };
      }),
    profile: (signal) =>
      inTurn(async () => {
        const times: StepTime[] = [];
        for (const [index, { label, kernel }] of plan.steps.entries()) {
          const start = performance.now();
          await runStep(index, pauser(loaded, signal));
          signal?.throwIfAborted();
          const milliseconds = performance.now() - start;
          times.push({ label, kernel: plan.kernels[kernel]!.name, milliseconds });
        }
        return times;
      }),
  };
}

type Pause = () => Promise<void> | undefined;

function pauser({ checkAlive }: Loaded, signal: AbortSignal | undefined): Pause {
  const pauses = pausesFor(signal);
  return () => (pauses.isDue() ? pauses.take().then(checkAlive) : undefined);
}

/** The parts of a step for each thread: events pass between two, and all threads end at about the same time. */
const parts = 16;

function stepsOf({ plan, kernels, buffers, scratch, team, checkAlive }: Loaded) {
  const steps = plan.steps.map(({ kernel, bindings, groups }) => {
    const [columns, rows, layers] = groups;
    const all = columns * rows * layers;
    if (all > processor.maxGroups) throw tooManyGroups(plan.kernels[kernel]!.name, all);
    return {
      kernel,
      addresses: bindings.map((b) => (buffers[b.buffer] as CpuBuffer).address + b.offset),
      groups: [all, columns, rows] as const,
      part: Math.max(1, Math.ceil(all / (parts * team.threads))),
      stride: scratch.strideOf(kernels[kernel]!.scratchBytes),
    };
  });
  const program: TeamProgram = {
    kernels,
    steps,
    modules: kernels.map(({ module }) => module),
    entries: kernels.map(({ entry }) => entry),
  };
  const id = team.load(program, buffers);
  return async (index: number, pause: Pause): Promise<void> => {
    checkAlive();
    for (const { buffer } of plan.steps[index]!.bindings) checkHeld(buffers[buffer]!);
    await team.run({ program, id, index, scratch: scratch.enter(), pause });
    checkAlive();
  };
}
