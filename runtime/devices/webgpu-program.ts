/**
 * A plan's kernels on a WebGPU device: compiled in parallel, bound once, submitted together. Whatever the
 * device refuses is an error that names the step.
 */
import type { Plan, PlanKernel, PlanStep } from "../../compiler/plan.ts";
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { wholeWords } from "../../formats/index.ts";
import {
  checkHeld,
  kernelText,
  type Program,
  type Progress,
  type StepTime,
  type Submitted,
} from "./device.ts";
import { usage, type WebGpuBuffer } from "./webgpu-memory.ts";

const mapRead = 1;
const computeStage = 4;

interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export type Pipelines = Map<string, Promise<Pipeline>>;

export interface Context {
  readonly gpu: GPUDevice;
  /** Those that were compiled, by their text. */
  readonly pipelines: Pipelines;
  /** Waits for a promise while the device works. */
  readonly wait: <T>(promise: Promise<T>) => Promise<T>;
  /** The value, or E422 if the device is lost before. */
  readonly alive: <T>(promise: Promise<T>) => Promise<T>;
  readonly checkAlive: () => void;
  /** Takes a refusal that no call waits for: who reads next rejects with it. */
  readonly refuse: (verdict: Promise<void>) => void;
}

type Loaded = Pick<Plan, "name" | "kernels" | "steps" | "commits">;

interface BoundStep {
  readonly step: PlanStep;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
}

export async function loadProgram(
  context: Context,
  plan: Loaded,
  buffers: readonly WebGpuBuffer[],
  onProgress: Progress = () => {},
): Promise<Program> {
  const { gpu, wait, alive, checkAlive } = context;
  const pipelines = await wait(compileAll(context, plan.kernels, onProgress));
  checkAlive();
  const steps = await bindSteps(gpu, plan, buffers, pipelines);
  const used = new Set(
    plan.steps.flatMap(({ bindings }) => bindings.map(({ buffer }) => buffers[buffer]!)),
  );
  const checkRun = () => {
    checkAlive();
    for (const buffer of used) checkHeld(buffer);
  };
  /** Whether the device has taken this work before: it does so again, unless somebody destroys a buffer. */
  let isTaken = false;
  return {
    run() {
      checkRun();
      const refusal = guarded(gpu, () => {
        gpu.queue.submit([encodeRun(gpu, plan, buffers, steps)]);
      });
      const isNew = !isTaken;
      const verdict = refusal.then((error) => {
        isTaken = error === null;
        if (error === null) return checkAlive();
        const refused = refuseRun(gpu, plan, buffers, steps, error);
        if (!isNew) context.refuse(refused);
        return refused;
      });
      // Nobody need await it: a failure that nobody hears of is one of a call that was aborted.
      verdict.catch(() => {});
      return isNew ? { accepted: verdict } : taken;
    },
    async profile(signal) {
      if (!gpu.features.has("timestamp-query"))
        throw diagnose("E426", {
          message: "the device has no timestamp queries",
          help: 'request it with the feature "timestamp-query", or measure whole runs',
        });
      const times: StepTime[] = [];
      for (const bound of steps) {
        checkRun();
        signal?.throwIfAborted();
        const milliseconds = await alive(measure(context, plan, bound));
        const { label, kernel } = bound.step;
        times.push({ label, kernel: plan.kernels[kernel]!.name, milliseconds });
      }
      return times;
    },
  };
}

/** Work that nobody waits for. */
const taken: Submitted = { accepted: Promise.resolve() };

/** What the device objects to in some work; nothing if it is lost, which others say. */
function guarded(gpu: GPUDevice, work: () => void): Promise<GPUError | null> {
  gpu.pushErrorScope("validation");
  try {
    work();
  } catch (error) {
    void gpu.popErrorScope();
    throw error;
  }
  return gpu.popErrorScope().catch(() => null);
}

/** Compiles kernels, each text once. */
function compileAll(
  { gpu, pipelines: known }: Context,
  kernels: readonly PlanKernel[],
  onProgress: Progress,
): Promise<Pipeline[]> {
  let done = 0;
  const remember = (key: string, made: Promise<Pipeline>) => {
    known.set(key, made);
    made.catch(() => known.delete(key));
    return made;
  };
  return Promise.all(
    kernels.map(async (kernel) => {
      const key = `${kernelText(kernel)}${kernel.params.map((p) => p.access)}`;
      const pipeline = await (known.get(key) ?? remember(key, compileKernel(gpu, kernel)));
      onProgress(++done, kernels.length, "kernels");
      return pipeline;
    }),
  );
}

async function compileKernel(gpu: GPUDevice, kernel: PlanKernel): Promise<Pipeline> {
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
  const refused = (message: string, cause: unknown) =>
    diagnose("E425", {
      message: `the device refused kernel ${kernel.name}: ${message}`,
      where: kernel.name,
      help: "please report this with the kernel's text: inarch show MODEL --stage wgsl",
      cause,
    });
  try {
    const pipeline = await gpu.createComputePipelineAsync({
      label: kernel.name,
      layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: kernel.entry },
    });
    const invalid = await scope;
    if (invalid) throw refused(invalid.message, invalid);
    return { pipeline, layout };
  } catch (cause) {
    if (cause instanceof InarchError) throw cause;
    const invalid = await scope.catch(() => null);
    throw refused(invalid?.message ?? String(cause), cause);
  }
}

/** @throws E441 for the first step whose buffers the device does not bind. */
async function bindSteps(
  gpu: GPUDevice,
  plan: Loaded,
  buffers: readonly WebGpuBuffer[],
  pipelines: readonly Pipeline[],
): Promise<BoundStep[]> {
  const bind = (step: PlanStep): BoundStep => {
    const { pipeline, layout } = pipelines[step.kernel]!;
    const entries = step.bindings.map((place, binding) => ({
      binding,
      resource: {
        buffer: buffers[place.buffer]!.handle,
        offset: place.offset,
        size: wholeWords(place.bytes),
      },
    }));
    const group = gpu.createBindGroup({ label: step.label, layout, entries });
    return { step, pipeline, group };
  };
  const steps: BoundStep[] = [];
  const error = await guarded(gpu, () => {
    for (const step of plan.steps) steps.push(bind(step));
  });
  if (!error) return steps;
  throw refusedWork(plan, await firstRefused(gpu, plan.steps, (step) => void bind(step)), error);
}

function encodeRun(
  gpu: GPUDevice,
  { commits }: Loaded,
  buffers: readonly WebGpuBuffer[],
  steps: readonly BoundStep[],
): GPUCommandBuffer {
  const encoder = gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const s of steps) encode(pass, s);
  pass.end();
  for (const { from, to } of commits)
    encoder.copyBufferToBuffer(
      buffers[from.buffer]!.handle,
      from.offset,
      buffers[to.buffer]!.handle,
      to.offset,
      to.bytes,
    );
  return encoder.finish();
}

function encode(pass: GPUComputePassEncoder, { step, pipeline, group }: BoundStep): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...step.groups);
}

/** Says why a run was refused: its steps are encoded one by one, and not submitted, to find the one. */
async function refuseRun(
  gpu: GPUDevice,
  plan: Loaded,
  buffers: readonly WebGpuBuffer[],
  steps: readonly BoundStep[],
  error: GPUError,
): Promise<never> {
  const step = await firstRefused(gpu, steps, (one) => {
    encodeRun(gpu, { ...plan, commits: [] }, buffers, [one]);
  });
  throw refusedWork(plan, step, error);
}

/** The number of the first step with which the device refuses some work. */
async function firstRefused<T>(
  gpu: GPUDevice,
  steps: readonly T[],
  work: (step: T) => void,
): Promise<number> {
  const errors = await Promise.all(steps.map((step) => guarded(gpu, () => work(step))));
  return errors.findIndex((error) => error !== null);
}

function refusedWork({ name, steps, kernels }: Loaded, at: number, error: GPUError) {
  const step = steps[at];
  const what = step
    ? `step ${at} of ${name}, ${step.label} (kernel ${kernels[step.kernel]!.name})`
    : `a run of ${name}`;
  return diagnose("E441", {
    message: `the device refuses ${what}: ${error.message}`,
    where: step?.label,
    help: "compile the plan again for this device; if it still refuses, please report this",
    cause: error,
  });
}

/** Milliseconds of one dispatch, between two timestamps. */
async function measure({ gpu, wait }: Context, plan: Loaded, bound: BoundStep): Promise<number> {
  const querySet = gpu.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = gpu.createBuffer({ size: 16, usage: usage.queryResolve | usage.copySource });
  const staging = gpu.createBuffer({ size: 16, usage: usage.mapRead | usage.copyTarget });
  const error = await guarded(gpu, () => {
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    encode(pass, bound);
    pass.end();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
    gpu.queue.submit([encoder.finish()]);
  });
  if (error) throw refusedWork(plan, plan.steps.indexOf(bound.step), error);
  await wait(staging.mapAsync(mapRead));
  const [start, end] = new BigUint64Array(staging.getMappedRange().slice(0));
  for (const b of [resolved, staging]) b.destroy();
  querySet.destroy();
  return Number(end! - start!) / 1e6;
}
