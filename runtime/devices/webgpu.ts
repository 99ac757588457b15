/**
 * The WebGPU device: a browser's, or Dawn's in Node. Pipelines are compiled in parallel, bind groups
 * built once, and a run is one submit.
 */
import type { Plan, PlanBuffer, PlanKernel, StoredScalar } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { formatOf, storedBytes, wholeWords } from "../../formats/index.ts";
import {
  type Device,
  type DeviceBuffer,
  kernelText,
  type Numbers,
  type Program,
  type Progress,
  type StepTime,
} from "./device.ts";
import { checkFits } from "./fits.ts";
import { type CapabilityOptions, webgpuCapabilities } from "./webgpu-capabilities.ts";

interface WebGpuBuffer extends DeviceBuffer {
  readonly handle: GPUBuffer;
}

// The values that the specification gives; the global constants are missing in Node.
const usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128, queryResolve: 512 };
const mapRead = 1;
const computeStage = 4;

export interface WebGpuOptions extends CapabilityOptions {
  /** What to call it in messages. */
  readonly name?: string;
  /** Runs before `device.destroy()` returns: what the opener of the device must let go of. */
  readonly onDestroy?: () => void;
  /**
   * Passes a moment while the device works. Dawn in Node polls as fast as it can whenever something
   * is awaited, which takes a core from a software device; a browser needs nothing here. Told how
   * many milliseconds were waited for already.
   */
  readonly idle?: (waited: number) => Promise<void>;
}

/** Wraps a `GPUDevice`, the app's own or one from `inarch/node`. */
export function webgpuDevice(gpu: GPUDevice, options: WebGpuOptions = {}): Device {
  let gone: string | undefined;
  let destroyed = false;
  const lost = new Promise<string>((resolve) => {
    gpu.lost.then((info) => {
      gone = info.message || info.reason || "unknown reason";
      if (!destroyed) resolve(gone);
    });
  });
  const capabilities = webgpuCapabilities(gpu, options);
  // Sessions of one device share what they have in common: plans of training, buckets of a decoder.
  const pipelines: Pipelines = new Map();
  const alive = () => {
    if (gone !== undefined || destroyed)
      throw diagnose("E422", {
        message: `the device is lost: ${gone ?? "it was destroyed"}`,
        help: "open a new device and create the session again",
      });
  };
  return {
    target: "wgsl",
    name: options.name ?? "WebGPU",
    capabilities,
    facts: capabilities,
    lost,
    async allocate(buffers) {
      alive();
      return allocate(gpu, buffers);
    },
    write(to, offset, data) {
      alive();
      const { buffer, byteOffset, byteLength } = data;
      gpu.queue.writeBuffer((to as WebGpuBuffer).handle, offset, buffer, byteOffset, byteLength);
    },
    async read(from, offset, count, scalar) {
      alive();
      try {
        return await read(gpu, (from as WebGpuBuffer).handle, offset, count, scalar, options.idle);
      } catch (error) {
        alive();
        throw error;
      }
    },
    async load(plan, buffers, onProgress) {
      alive();
      checkFits(plan, capabilities);
      return load(gpu, pipelines, plan, buffers as WebGpuBuffer[], onProgress, options.idle);
    },
    destroy() {
      destroyed = true;
      gpu.destroy();
      options.onDestroy?.();
    },
  };
}

async function allocate(gpu: GPUDevice, buffers: readonly PlanBuffer[]): Promise<WebGpuBuffer[]> {
  const limit = gpu.limits.maxBufferSize;
  const largest = Math.max(0, ...buffers.map((b) => b.bytes));
  if (largest > limit)
    throw diagnose("E424", {
      message: `the plan needs a buffer of ${largest} bytes, but the device allows ${limit}`,
      help: "compile for the device's own limits",
    });
  gpu.pushErrorScope("out-of-memory");
  gpu.pushErrorScope("validation");
  const made = buffers.map(({ bytes, role }) => {
    const handle = gpu.createBuffer({
      size: wholeWords(bytes),
      usage: usage.storage | usage.copySource | usage.copyTarget,
      label: role,
    });
    return { bytes, handle, destroy: () => handle.destroy() };
  });
  const invalid = await gpu.popErrorScope();
  const memory = await gpu.popErrorScope();
  if (memory || invalid) {
    for (const b of made) b.destroy();
    const total = buffers.reduce((sum, b) => sum + b.bytes, 0);
    throw diagnose("E423", {
      message: `the device has no room for ${(total / 2 ** 20).toFixed(1)} MiB: ${(memory ?? invalid)!.message}`,
      help: "use a smaller model, batch or image, or close other sessions",
    });
  }
  return made;
}

async function read(
  gpu: GPUDevice,
  from: GPUBuffer,
  offset: number,
  count: number,
  scalar: StoredScalar,
  idle: WebGpuOptions["idle"],
): Promise<Numbers> {
  const size = storedBytes(scalar, count);
  const staging = gpu.createBuffer({
    size,
    usage: usage.mapRead | usage.copyTarget,
  });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(from, offset, staging, 0, size);
  gpu.queue.submit([encoder.finish()]);
  await idling(staging.mapAsync(mapRead), idle);
  const bytes = staging.getMappedRange().slice(0, size);
  staging.destroy();
  return new (formatOf(scalar).array!)(bytes);
}

/** Waits for a promise, idling in between. */
async function idling<T>(promise: Promise<T>, idle: WebGpuOptions["idle"]): Promise<T> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  const start = performance.now();
  while (idle && !settled) await idle(performance.now() - start);
  return promise;
}

type Pipeline = Awaited<ReturnType<typeof compileKernel>>;
type Pipelines = Map<string, Promise<Pipeline>>;

async function load(
  gpu: GPUDevice,
  known: Pipelines,
  plan: Pick<Plan, "name" | "kernels" | "steps" | "commits">,
  buffers: readonly WebGpuBuffer[],
  onProgress: Progress = () => {},
  idle?: WebGpuOptions["idle"],
): Promise<Program> {
  let done = 0;
  const remember = (key: string, made: Promise<Pipeline>) => {
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };
  const compiling = Promise.all(
    plan.kernels.map(async (kernel) => {
      const key = `${kernelText(kernel)}${kernel.params.map((p) => p.access)}`;
      const pipeline = await (known.get(key) ?? remember(key, compileKernel(gpu, kernel)));
      onProgress(++done, plan.kernels.length, "kernels");
      return pipeline;
    }),
  );
  const pipelines = await idling(compiling, idle);
  const steps = plan.steps.map((step) => {
    const { pipeline, layout } = pipelines[step.kernel]!;
    const entries = step.bindings.map((place, binding) => ({
      binding,
      resource: {
        buffer: buffers[place.buffer]!.handle,
        offset: place.offset,
        size: wholeWords(place.bytes),
      },
    }));
    return { step, pipeline, group: gpu.createBindGroup({ layout, entries }) };
  });
  const encode = (
    pass: GPUComputePassEncoder,
    { step, pipeline, group }: (typeof steps)[number],
  ) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...step.groups);
  };
  return {
    run() {
      const encoder = gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const s of steps) encode(pass, s);
      pass.end();
      for (const { from, to } of plan.commits)
        encoder.copyBufferToBuffer(
          buffers[from.buffer]!.handle,
          from.offset,
          buffers[to.buffer]!.handle,
          to.offset,
          to.bytes,
        );
      gpu.queue.submit([encoder.finish()]);
    },
    async profile() {
      if (!gpu.features.has("timestamp-query"))
        throw diagnose("E426", {
          message: "the device has no timestamp queries",
          help: 'request it with the feature "timestamp-query", or measure whole runs',
        });
      const times: StepTime[] = [];
      for (const s of steps) {
        const milliseconds = await measure(gpu, (pass) => encode(pass, s), idle);
        const kernel = plan.kernels[s.step.kernel]!.name;
        times.push({ label: s.step.label, kernel, milliseconds });
      }
      return times;
    },
  };
}

async function compileKernel(gpu: GPUDevice, kernel: PlanKernel) {
  gpu.pushErrorScope("validation");
  const module = gpu.createShaderModule({ code: kernelText(kernel), label: kernel.name });
  const layout = gpu.createBindGroupLayout({
    entries: kernel.params.map((p, binding) => ({
      binding,
      visibility: computeStage,
      buffer: { type: p.access === "read" ? "read-only-storage" : "storage" },
    })),
  });
  const scope = gpu.popErrorScope();
  try {
    const pipeline = await gpu.createComputePipelineAsync({
      label: kernel.name,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: kernel.entry },
    });
    await scope;
    return { pipeline, layout };
  } catch (error) {
    const invalid = await scope;
    throw diagnose("E425", {
      message: `the device refused kernel ${kernel.name}: ${invalid?.message ?? String(error)}`,
      where: kernel.name,
      help: "please report this with the kernel's text: inarch show MODEL --stage wgsl",
      cause: error,
    });
  }
}

/** One dispatch between two timestamps. */
async function measure(
  gpu: GPUDevice,
  encode: (pass: GPUComputePassEncoder) => void,
  idle: WebGpuOptions["idle"],
): Promise<number> {
  const querySet = gpu.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = gpu.createBuffer({ size: 16, usage: usage.queryResolve | usage.copySource });
  const staging = gpu.createBuffer({ size: 16, usage: usage.mapRead | usage.copyTarget });
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass({
    timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
  });
  encode(pass);
  pass.end();
  encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
  gpu.queue.submit([encoder.finish()]);
  await idling(staging.mapAsync(mapRead), idle);
  const [start, end] = new BigUint64Array(staging.getMappedRange().slice(0));
  for (const b of [resolved, staging]) b.destroy();
  querySet.destroy();
  return Number(end! - start!) / 1e6;
}
