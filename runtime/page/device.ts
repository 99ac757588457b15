/**
 * A device in a page or a worker: a hardware GPU, else the processor. A software GPU is slower than the processor
 * itself, so that it is used only when it is asked for.
 */
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import type { Device } from "../devices/device.ts";
import { usualFeatures, usualLimits } from "../devices/wanted.ts";
import { webgpuDevice } from "../devices/webgpu.ts";
import { isSoftware } from "../devices/webgpu-capabilities.ts";

export interface PageDeviceOptions {
  /**
   * `"webgpu"`: a GPU, a software one where there is no other, or an error that says what is missing.
   * `"cpu"`: the processor. Unless given: a hardware GPU, else the processor.
   */
  readonly kind?: "webgpu" | "cpu" | undefined;
  /** Which of two GPUs: `"high-performance"` unless given. */
  readonly powerPreference?: GPUPowerPreference | undefined;
}

export interface PageDevice {
  readonly device: Device;
  readonly kind: "webgpu" | "cpu";
  /** Why it is this one, in words: "this browser has no WebGPU". */
  readonly why: string;
  readonly summary: {
    /** The name of the GPU as far as the browser tells it, or of the processor. */
    readonly description: string;
    /** `software` is a GPU that the processor plays; `processor` works without one. */
    readonly kind: "hardware" | "software" | "processor";
  };
  /** The page's own `GPUDevice`, for drawing; undefined for the processor. */
  readonly gpu?: GPUDevice;
}

/**
 * Opens a device. A GPU is asked for all features and limits that make kernels faster: what a device does
 * not ask for it does not have. Call `device.destroy()` when done.
 * @throws E460 and E465 for options that cannot be. For a GPU: E410 where there is no WebGPU, E411 where the browser
 * offers no GPU, E412 where it does not open. For the processor: E480 and E481. Unasked, E413 where there is neither.
 */
export async function openDevice(options: PageDeviceOptions = {}): Promise<PageDevice> {
  checkOptions<PageDeviceOptions>("openDevice", options, { kind: true, powerPreference: true });
  const { kind, powerPreference = "high-performance" } = options;
  switch (kind) {
    case "webgpu":
      return openGpu(await findGpu(powerPreference), "it was asked for");
    case "cpu":
      return openProcessor("it was asked for");
    case undefined:
      return openPreferred(powerPreference);
  }
  throw diagnose("E465", {
    message: `the kind of the device is ${shown(kind)}`,
    help: 'write "webgpu" or "cpu", or leave it out',
  });
}

async function openPreferred(powerPreference: GPUPowerPreference): Promise<PageDevice> {
  let gpuFailure: InarchError | undefined;
  try {
    const found = await findGpu(powerPreference);
    if (isSoftware(found.info))
      return await openProcessor(
        'there is no hardware GPU: { kind: "webgpu" } takes the software one, which is slower',
      );
    return await openGpu(found, "it is the first choice");
  } catch (failure) {
    if (!(failure instanceof InarchError)) throw failure;
    if (!gpuCodes.has(failure.code)) throw failure;
    gpuFailure = failure;
  }
  try {
    return await openProcessor(gpuFailure.details.message);
  } catch (failure) {
    if (!(failure instanceof InarchError)) throw failure;
    throw diagnose("E413", {
      message: `there is no device: ${gpuFailure.details.message}, and ${failure.details.message}`,
      help: `${gpuFailure.details.help}; for the processor: ${failure.details.help}`,
      cause: failure,
    });
  }
}

const gpuCodes: ReadonlySet<string> = new Set(["E410", "E411", "E412"]);

async function openProcessor(why: string): Promise<PageDevice> {
  // A page with a GPU does not load its module.
  const { cpuDevice } = await import("../devices/cpu.ts");
  const device = cpuDevice();
  return { device, kind: "cpu", why, summary: { description: device.name, kind: "processor" } };
}

/** The GPU that the browser offers. */
async function findGpu(powerPreference: GPUPowerPreference): Promise<GPUAdapter> {
  const { gpu } = globalThis.navigator ?? {};
  if (!gpu) throw noWebGpu();
  const found = await gpu.requestAdapter({ powerPreference });
  if (found) return found;
  throw diagnose("E411", {
    message: "the browser has WebGPU, but offers no GPU",
    help: "look at chrome://gpu or about:support, where the browser says why: a blocked driver, hardware acceleration that is off, or no GPU at all",
  });
}

function noWebGpu(): InarchError {
  if (globalThis.isSecureContext === false)
    return diagnose("E410", {
      message: "this page has no WebGPU, since it is not served securely",
      help: "serve it by https, or from localhost",
    });
  return diagnose("E410", {
    message: "this browser has no WebGPU",
    help: "use Chrome or Edge from 113 on (on Linux look at chrome://gpu), Safari from 26 on, or Firefox from 141 on",
  });
}

async function openGpu(found: GPUAdapter, why: string): Promise<PageDevice> {
  const { vendor, architecture, device: model, description } = found.info;
  const name = description || model || [vendor, architecture].filter(Boolean).join(" ") || "WebGPU";
  let gpu: GPUDevice;
  try {
    gpu = await found.requestDevice({
      requiredFeatures: usualFeatures.filter((feature) => found.features.has(feature)),
      requiredLimits: Object.fromEntries(usualLimits.map((limit) => [limit, found.limits[limit]])),
    });
  } catch (cause) {
    throw diagnose("E412", {
      message: `the GPU ${name} does not open: ${cause instanceof Error ? cause.message : String(cause)}`,
      help: "close other pages that use the GPU, reload this one, or look at chrome://gpu or about:support",
      cause,
    });
  }
  const kind = isSoftware(found.info) ? "software" : "hardware";
  const device = webgpuDevice(gpu, { name });
  return { device, kind: "webgpu", why, summary: { description: name, kind }, gpu };
}
