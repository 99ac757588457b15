/**
 * The processor device: runs kernels that are modules of WebAssembly with vectors (the target `wasm`), in
 * Node and in pages, and needs nothing else. All of them share one memory, in which buffers are ranges. It
 * works in the thread that calls it, with a pause for events now and then.
 */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { Plan, PlanKernel, PlanStep } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { formatOf, storedBytes } from "../../formats/index.ts";
import { type CpuBuffer, CpuMemory } from "./cpu-memory.ts";
import {
  checkHeld,
  type Device,
  type DeviceBuffer,
  deviceLost,
  type Program,
  type Progress,
  type StepTime,
} from "./device.ts";
import { checkFits } from "./fits.ts";
import { type Pauses, pausesFor } from "./pauses.ts";
import { hasFma, wasmEngine } from "./web-assembly.ts";

/** None yet. */
export type CpuOptions = Readonly<Record<never, never>>;

/**
 * Makes a device of the processor. Where the engine has `fma` its name says so: results are rounded otherwise.
 * @throws E480 where nothing may be compiled to WebAssembly, E481 where the engine's has no vectors.
 */
export function cpuDevice(options: CpuOptions = {}): Device {
  checkOptions<CpuOptions>("cpuDevice", options, {});
  const engine = wasmEngine();
  const own = hasFma(engine) ? { ...capabilities, name: "processor-fma", fma: true } : capabilities;
  const memory = new CpuMemory(engine);
  const scratch = new Scratch(memory);
  let destroyed = false;
  const checkAlive = () => {
    if (destroyed) throw deviceLost("it was destroyed");
  };
  return {
    target: "wasm",
    name: own.name,
    capabilities: own,
    lost: new Promise(() => {}),
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
      const bytes = memory.range(from, offset, storedBytes(scalar, count)).slice();
      return new (formatOf(scalar).array!)(bytes.buffer, 0, count);
    },
    async load(plan, buffers, onProgress) {
      checkAlive();
      checkFits(plan, own);
      checkFma(plan, own);
      const kernels = await compileKernels(engine, plan.kernels, memory, onProgress);
      scratch.hold(Math.max(0, ...kernels.map((k) => k.scratchBytes)));
      return programOf({ plan, kernels, buffers, memory, scratch, checkAlive });
    },
    destroy() {
      destroyed = true;
    },
  };
}

const capabilities: Capabilities = {
  name: "processor",
  deviceClass: "processor",
  maxBindingBytes: 2 ** 31 - 64,
  maxBufferBytes: 2 ** 31 - 64,
  maxBindings: 64,
  maxSharedBytes: 1024 * 1024,
  maxThreads: 256,
  maxGroups: 2 ** 31 - 1,
  alignment: 64,
  // Vectors of 128 bits.
  subgroups: { least: 4, most: 4, numbered: true },
  half: true,
  slowBarriers: true,
  slowCompiler: true,
};

/** All of them, or none. */
function allocateAll(
  memory: CpuMemory,
  buffers: Parameters<Device["allocate"]>[0],
): DeviceBuffer[] {
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

/** Memory that kernels use while they run: one range for all, since one runs at a time. */
class Scratch {
  readonly #memory: CpuMemory;
  #held: CpuBuffer | undefined;

  constructor(memory: CpuMemory) {
    this.#memory = memory;
  }

  get address(): number {
    return this.#held?.address ?? 0;
  }

  hold(bytes: number): void {
    if (bytes <= (this.#held?.bytes ?? 0)) return;
    const larger = this.#memory.allocate(bytes);
    this.#held?.destroy();
    this.#held = larger;
  }
}

/** What a module of a kernel exports (`compiler/targets/wasm`). */
interface CpuKernel {
  /** The addresses of its buffers and of scratch memory, then which workgroups, and how they lie. */
  run(...addressesAndGroups: readonly number[]): void;
  readonly scratchBytes: number;
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

async function compileKernels(
  engine: ReturnType<typeof wasmEngine>,
  kernels: readonly PlanKernel[],
  { memory }: CpuMemory,
  onProgress?: Progress,
): Promise<CpuKernel[]> {
  let done = 0;
  return Promise.all(
    kernels.map(async (kernel): Promise<CpuKernel> => {
      const module = await engine.compile(kernelBytes(kernel));
      const { exports } = await engine.instantiate(module, { inarch: { memory } });
      onProgress?.(++done, kernels.length, "kernels");
      const { value } = exports.scratch as { readonly value: number };
      return { run: exports[kernel.entry] as CpuKernel["run"], scratchBytes: value };
    }),
  );
}

/** @throws E425 for a kernel that is text. */
function kernelBytes({ name, source }: PlanKernel): Uint8Array<ArrayBuffer> {
  if (typeof source !== "string") return Uint8Array.from(source);
  throw diagnose("E425", {
    message: `the device runs modules of WebAssembly, and kernel ${name} is text`,
    where: name,
    help: 'compile the plan again for the target of the device: { target: "wasm" }',
  });
}

interface Loaded {
  readonly plan: Parameters<Device["load"]>[0];
  readonly kernels: readonly CpuKernel[];
  readonly buffers: readonly DeviceBuffer[];
  readonly memory: CpuMemory;
  readonly scratch: Scratch;
  checkAlive(): void;
}

function programOf(loaded: Loaded): Program {
  const { plan, buffers, memory, checkAlive } = loaded;
  return {
    async run(signal) {
      checkAlive();
      const pauses = pausesFor(signal);
      for (const step of plan.steps) await runStep(loaded, step, pauses);
      for (const { from, to } of plan.commits)
        memory
          .range(buffers[to.buffer]!, to.offset, from.bytes)
          .set(memory.range(buffers[from.buffer]!, from.offset, from.bytes));
      return { accepted: Promise.resolve() };
    },
    async profile(signal) {
      checkAlive();
      const times: StepTime[] = [];
      for (const step of plan.steps) {
        const start = performance.now();
        await runStep(loaded, step, pausesFor(signal));
        signal?.throwIfAborted();
        const milliseconds = performance.now() - start;
        times.push({ label: step.label, kernel: plan.kernels[step.kernel]!.name, milliseconds });
      }
      return times;
    },
  };
}

/** The most parts in which a step is run: events may pass between two. */
const parts = 16;

async function runStep(loaded: Loaded, step: PlanStep, pauses: Pauses): Promise<void> {
  const { plan, kernels, buffers, scratch, checkAlive } = loaded;
  const { run } = kernels[step.kernel]!;
  const addresses = step.bindings.map(({ buffer, offset }) => {
    checkHeld(buffers[buffer]!);
    return (buffers[buffer] as CpuBuffer).address + offset;
  });
  const [columns, rows, layers] = step.groups;
  const all = columns * rows * layers;
  const part = Math.ceil(all / parts);
  for (let first = 0; first < all; first += part) {
    if (pauses.isDue()) {
      await pauses.take();
      checkAlive();
    }
    const end = Math.min(all, first + part);
    try {
      run(...addresses, scratch.address, first, end, columns, rows);
    } catch (cause) {
      bug(`kernel ${plan.kernels[step.kernel]!.name} of ${plan.name}: ${cause}`);
    }
  }
}
