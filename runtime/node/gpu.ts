/**
 * A WebGPU device in Node, from Dawn (npm `webgpu`). The one idea: whoever asks gets a device with all
 * that the GPU allows, or an error that says what is missing and what to type. What WebGPU calls an
 * adapter is called a device here too: adapters are what models are fine-tuned with.
 */
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import { optionalPackage } from "../../diagnostics/packages.ts";
import { configsOf, type MatrixConfig } from "../devices/matrices.ts";
import { usualFeatures } from "../devices/wanted.ts";
import type { DeviceSummary } from "./opened.ts";
import { sayRenamed } from "./renamed.ts";
import { chooseDriver, driverVariables, findVulkan, type VulkanFiles } from "./vulkan.ts";

export type LimitName = Exclude<keyof GPUSupportedLimits, "__brand">;

export interface GpuOptions {
  /**
   * `"device"` (the default) asks for all that the GPU allows; `"default"` keeps to the limits that every
   * WebGPU implementation has: 128 MiB bindings, 16 KiB of workgroup memory, 8 storage buffers.
   * `"adapter"` is the old word for `"device"`.
   */
  readonly limits?: "device" | "default" | "adapter";
  /** Limits that the caller cannot do without. A device that has less is an error (E405). */
  readonly needs?: Partial<Readonly<Record<LimitName, number>>>;
  /** A part of the device's name, as `INARCH_GPU` gives it too. Without one Dawn's order decides. */
  readonly name?: string;
  /** @deprecated The old word for `name`. */
  readonly adapter?: string;
  /**
   * Features to ask for where the GPU has them; `device.features` says which there are.
   * @default ["timestamp-query", "shader-f16", "subgroups", "subgroup-size-control",
   * "chromium-experimental-subgroup-matrix"]
   */
  readonly features?: readonly GPUFeatureName[];
  /**
   * Dawn toggles to switch on; Dawn ignores names that it does not know. None by default.
   * `disable_robustness` drops the clamping of every index in a shader: faster (a third, for a
   * tiled product on lavapipe), and an index out of bounds then reads or writes other memory.
   * `vulkan_enable_f16_on_nvidia` offers `shader-f16` where Dawn withholds it. `allow_unsafe_apis`
   * offers what is experimental: products of matrix fragments, where the GPU has units for them.
   */
  readonly toggles?: readonly string[];
}

/** What a GPU says of itself, before a device is asked for. */
export interface GpuSummary extends DeviceSummary {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  /** The driver's own words, its version included. */
  readonly description: string;
  readonly kind: "hardware" | "software";
  /** All that the GPU offers, sorted; `device.features` holds what was asked for. */
  readonly features: readonly string[];
  /** All that the GPU allows, in WebGPU's units; `device.limits` holds what was asked for. */
  readonly limits: Readonly<Record<LimitName, number>>;
  /** The matrix fragments that it multiplies, if the device was asked to be able to. */
  readonly matrices: readonly MatrixConfig[];
}

/** @deprecated The old word for `GpuSummary`. */
export type AdapterSummary = GpuSummary;

export interface Gpu {
  readonly device: GPUDevice;
  readonly summary: GpuSummary;
  /** @deprecated The old word for `summary`. */
  readonly adapter: GpuSummary;
  /** What Dawn's WGSL can say beyond features. */
  readonly language: ReadonlySet<string>;
  /** Destroys the device and lets go of Dawn, so that the process can end by itself. */
  destroy(): void;
}

/**
 * Asks Dawn for a device. Puts WebGPU's constants (`GPUBufferUsage` and so on) on `globalThis`
 * where they are missing, and points Dawn at the software driver where there is no GPU.
 * While lavapipe is found, Dawn itself writes two harmless warnings about `maxDynamic…` to stderr.
 *
 * @throws E400 or E401 where the package webgpu is missing or does not load, E402 or E403 without a GPU,
 * E404 when none has the name asked for, E405 when limits are too small, E406 without a device.
 */
export async function requestGpu(options: GpuOptions = {}): Promise<Gpu> {
  return (await requestOf("any", options))!;
}

/**
 * The GPU of this machine, or in words why there is none of use: a software device does not count. Where
 * files tell that there is no GPU, no driver is opened.
 */
export async function requestHardware(
  found: VulkanFiles = findVulkan(),
  platform: NodeJS.Platform = process.platform,
): Promise<Gpu | string> {
  const software =
    found.software === undefined
      ? "there is no hardware GPU"
      : "there is no hardware GPU; INARCH_DEVICE=webgpu takes the software one";
  if (platform === "linux" && found.gpuNodes.length === 0) return software;
  try {
    return (await requestOf("hardware", {})) ?? software;
  } catch (cause) {
    if (!(cause instanceof InarchError) || cause.kind !== "environment") throw cause;
    const { message, help } = cause.details;
    return `the GPU cannot be used: ${message} (${help})`;
  }
}

/** `undefined` where `hardware` is wanted, and there is only software. */
async function requestOf(
  wanted: "hardware" | "any",
  options: GpuOptions,
): Promise<Gpu | undefined> {
  checkOptions<GpuOptions>("requestGpu", options, {
    limits: true,
    needs: true,
    name: true,
    adapter: true,
    features: true,
    toggles: true,
  });
  chooseDriver(findVulkan());
  if (options.limits === "adapter") sayRenamed('limits: "adapter"', 'limits: "device"');
  if (options.adapter !== undefined) sayRenamed("requestGpu's option adapter", "name");
  const name = options.name ?? options.adapter ?? nameAskedFor();
  const flags =
    (options.toggles ?? []).length > 0 ? [`enable-dawn-features=${options.toggles}`] : [];
  return openDevice(name === "" ? flags : [...flags, `adapter=${name}`], options, wanted);
}

/** A part of the name of the GPU to use, from the environment; empty where none is asked for. */
function nameAskedFor(): string {
  const { INARCH_GPU, INARCH_ADAPTER } = process.env;
  if (INARCH_GPU === undefined && INARCH_ADAPTER !== undefined)
    sayRenamed("the variable INARCH_ADAPTER", "INARCH_GPU");
  return INARCH_GPU ?? INARCH_ADAPTER ?? "";
}

/**
 * A device of Dawn's null backend: it compiles and checks every WGSL with every feature, and
 * nothing that it is given ever runs. It needs neither a GPU nor a driver.
 * @throws E400 or E401 where the package webgpu is missing or does not load.
 */
export async function requestNullGpu(options: Pick<GpuOptions, "features"> = {}): Promise<Gpu> {
  checkOptions<typeof options>("requestNullGpu", options, { features: true });
  const flags = ["backend=null", "enable-dawn-features=allow_unsafe_apis"];
  return (await openDevice(flags, options, "any"))!;
}

async function openDevice(
  flags: string[],
  options: GpuOptions,
  asked: "hardware" | "any",
): Promise<Gpu | undefined> {
  const dawn = await openDawn(flags);
  try {
    const found = await requestAdapter(dawn);
    const summary = summarise(found);
    if (asked === "hardware" && summary.kind === "software") {
      alive.delete(dawn);
      return undefined;
    }
    const wanted = options.features ?? usualFeatures;
    const device = await requestDevice(found, {
      requiredFeatures: wanted.filter((feature) => found.features.has(feature)),
      requiredLimits: options.limits === "default" ? {} : { ...summary.limits },
    });
    refuseSmallLimits(device, options, summary.description);
    const destroy = () => {
      device.destroy();
      alive.delete(dawn);
    };
    const language = new Set(dawn.wgslLanguageFeatures);
    return { device, summary, adapter: summary, language, destroy };
  } catch (failure) {
    alive.delete(dawn);
    throw failure;
  }
}

// Dawn's instance must outlive its devices, and nothing else refers to it from JavaScript.
const alive = new Set<GPU>();

/** The form of what npm `webgpu` exports. */
interface DawnModule {
  create(flags: string[]): GPU;
  readonly globals: object;
}

async function openDawn(flags: string[]): Promise<GPU> {
  const dawn = await optionalPackage("webgpu", (): Promise<DawnModule> => import("webgpu"));
  for (const [name, value] of Object.entries(dawn.globals)) {
    if (!(name in globalThis)) Object.assign(globalThis, { [name]: value });
  }
  // Timestamps are otherwise rounded to 65.5 us, which is longer than most kernels run.
  const gpu = dawn.create([...flags, "disable-dawn-features=timestamp_quantization"]);
  alive.add(gpu);
  return gpu;
}

async function requestAdapter(dawn: GPU): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await dawn.requestAdapter({ powerPreference: "high-performance" });
  } catch (cause) {
    throw noSuchGpu(cause);
  }
  if (adapter) return adapter;
  throw noGpu(findVulkan());
}

/** The device, or E406 with the reason that Dawn gives. */
export async function requestDevice(
  adapter: GPUAdapter,
  descriptor: GPUDeviceDescriptor,
): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice(descriptor);
  } catch (cause) {
    throw diagnose("E406", {
      message: `the device ${adapter.info.description} cannot be opened: ${firstLine(cause)}`,
      help: "end other programs that use the GPU, or choose another device with INARCH_GPU",
      cause,
    });
  }
}

function summarise(adapter: GPUAdapter): GpuSummary {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const limits: Record<string, number> = {};
  // The limits are getters of the prototype, so only for-in sees them.
  for (const name in adapter.limits) {
    const value = adapter.limits[name as LimitName];
    if (typeof value === "number") limits[name] = value;
  }
  return {
    vendor,
    architecture,
    device,
    description,
    kind: isFallbackAdapter ? "software" : "hardware",
    features: [...adapter.features].sort(),
    limits: limits as Record<LimitName, number>,
    matrices: configsOf(adapter.info),
  };
}

function refuseSmallLimits(device: GPUDevice, options: GpuOptions, name: string): void {
  const lacking = Object.entries(options.needs ?? {})
    .map(([limit, need]) => ({ limit, need, has: device.limits[limit as LimitName] ?? 0 }))
    // An alignment is the one kind of limit that is better when it is smaller.
    .filter(({ limit, need, has }) => (limit.startsWith("min") ? has > need : has < need))
    .map(({ limit, need, has }) => `${limit} is ${has} but ${need} is needed`);
  if (lacking.length === 0) return;
  device.destroy();
  throw diagnose("E405", {
    message: `the device's limits are too small: ${lacking.join("; ")}`,
    where: `device ${name}`,
    help:
      options.limits === "default"
        ? 'ask for all that the device allows: requestGpu({ limits: "device" })'
        : "compile for the default profile, a smaller image or a smaller batch, or choose another device with INARCH_GPU",
  });
}

/** Why there is no GPU: no loader (E402), or no driver that Dawn accepts (E403). */
export function noGpu(
  found: VulkanFiles,
  platform: NodeJS.Platform = process.platform,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): InarchError {
  if (platform !== "linux") {
    return diagnose("E403", {
      message: "no WebGPU device: no GPU driver on this machine is one that Dawn accepts",
      help: "install or update the GPU's driver",
    });
  }
  if (found.loaders.length === 0) {
    return diagnose("E402", {
      message: "there is no Vulkan loader (libvulkan.so.1), through which Dawn reaches a GPU",
      help: "on Debian and Ubuntu: sudo apt-get install libvulkan1 mesa-vulkan-drivers",
    });
  }
  const chosen = driverVariables.find(
    (name) => environment[name] && environment[name] !== found.software,
  );
  if (chosen !== undefined) {
    return diagnose("E403", {
      message: "no WebGPU device: the Vulkan driver that was chosen is not one that Dawn accepts",
      where: `${chosen}=${environment[chosen]}`,
      help: `unset ${chosen}, or let it name a driver's manifest: ${found.drivers.join(", ")}`,
    });
  }
  const isNvidia = found.gpuNodes.some((node) => /nvidia\d+$/.test(node));
  return diagnose("E403", {
    message: "no WebGPU device: no Vulkan driver on this machine is one that Dawn accepts",
    where: `the drivers ${found.drivers.join(", ") || "(none)"}`,
    help: isNvidia
      ? 'without a display NVIDIA\'s libGLX_nvidia.so.0 is no driver: write {"file_format_version":"1.0.0","ICD":{"library_path":"libEGL_nvidia.so.0","api_version":"1.3.277"}} to a file, and let VK_DRIVER_FILES name it'
      : "install the GPU's Vulkan driver; without a GPU, Mesa's software driver, version 25 or newer (Debian and Ubuntu: mesa-vulkan-drivers, on Debian 12 from bookworm-backports)",
  });
}

/** Why Dawn refuses: no GPU has the name asked for, and it lists those that there are (E404). */
function noSuchGpu(cause: unknown): InarchError {
  const available = [...String(cause).matchAll(/name: '(.*)'$/gm)].map((match) => `"${match[1]}"`);
  if (available.length === 0) {
    return diagnose("E403", {
      message: `no WebGPU device: ${firstLine(cause)}`,
      help: "unset DAWNNODE_BACKEND, the variable by which Dawn is told to use another interface",
      cause,
    });
  }
  return diagnose("E404", {
    message: `no device has that name: there is only ${available.join(", ")}`,
    where: "INARCH_GPU, or requestGpu's option name",
    help: "give a part of a name that there is, in the same case, or none at all",
    cause,
  });
}

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).split("\n")[0]!;
