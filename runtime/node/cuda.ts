/** The CUDA device: which GPUs NVIDIA's driver has, and opening one. */
import { existsSync } from "node:fs";
import { diagnose, InarchError } from "../../diagnostics/index.ts";
import { checkOptions, shown } from "../../diagnostics/options.ts";
import { cudaDevice } from "../devices/cuda.ts";
import { type CudaDriver, CudaFailure, failures, loadDriver } from "./cuda-driver.ts";
import { type CudaGpu, openGpu, tooOldDriver } from "./cuda-machine.ts";
import type { Opening } from "./opened.ts";
import { listNamed } from "./vulkan.ts";

export type { CudaGpu };

export interface CudaOptions {
  /** Which GPU: as the driver numbers them, from 0 on, which it is unless given. */
  readonly number?: number;
  /** The path of the driver's library; unless given INARCH_CUDA says, else it lies where drivers install it. */
  readonly library?: string;
}

/** Attributes of a device. */
const attributes = { capabilityMajor: 75, capabilityMinor: 76, sharedBytes: 97 } as const;

/** The least version of CUDA whose drivers know the functions and the PTX. */
const leastDriver = 11080;
/** The least compute capability that kernels are printed for: 8.0. */
const leastCapability = 80;

/**
 * Opens a GPU of NVIDIA's driver, which assembles kernels of PTX; neither nvcc nor another part of CUDA is needed.
 * What it assembled is kept in a folder (`XDG_CACHE_HOME`, else `~/.cache`).
 * @throws E400, E401 where the package koffi does not load, E446 without a driver, E447 where it is too old, E448 for
 * a GPU below compute capability 8.0, E449 for a number that no GPU has, E488 where the driver does not start.
 */
export async function openCuda(options: CudaOptions = {}): Promise<Opening> {
  checkOptions<CudaOptions>("openDevice", options, { number: true, library: true });
  const { number = 0, library } = options;
  const driver = await loadDriver(library);
  const gpus = gpusOf(driver);
  const gpu = gpus.find((one) => one.number === number);
  if (!gpu) throw noSuchGpu(number, gpus);
  if (gpu.capability < leastCapability)
    throw diagnose("E448", {
      message: `the GPU ${gpu.name} has compute capability ${(gpu.capability / 10).toFixed(1)}, and kernels are printed for 8.0 and later`,
      help: "use it through WebGPU: --device webgpu",
    });
  const machine = started(driver, () => openGpu(driver, gpu));
  const { description } = machine.identity;
  return { device: cudaDevice(machine), summary: { description, kind: "hardware" } };
}

/**
 * The first GPU, where nobody asked for one; why it cannot be opened, in words; nothing where the machine has no sign
 * of NVIDIA's driver.
 */
export async function openCudaUnasked(): Promise<Opening | string | undefined> {
  if (!hasSigns()) return undefined;
  try {
    return await openCuda();
  } catch (cause) {
    if (!(cause instanceof InarchError && cause.kind === "environment")) throw cause;
    if (cause.code === "E446" && !process.env.INARCH_CUDA) return undefined;
    return `cuda cannot be used: ${cause.details.message}`;
  }
}

/** Files, since koffi need not be loaded for a driver that there is not. */
const hasSigns = (): boolean =>
  Boolean(process.env.INARCH_CUDA) ||
  (process.platform === "win32"
    ? existsSync(`${process.env.SystemRoot ?? "C:\\Windows"}\\System32\\nvcuda.dll`)
    : listNamed("/dev", /^(?:nvidia\d+|dxg)$/).length > 0);

/**
 * The GPUs of NVIDIA's driver.
 * @throws as `openCuda`: E400, E401, E446, E447, E488
 */
export async function cudaGpus({ library }: Pick<CudaOptions, "library"> = {}) {
  return gpusOf(await loadDriver(library));
}

function gpusOf(driver: CudaDriver): readonly CudaGpu[] {
  return started(driver, () => {
    const code = driver.try("cuInit", 0);
    if (code === failures.noDevice) return [];
    driver.check("cuInit", code);
    const version = intOf(driver, "cuDriverGetVersion");
    const known = `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
    if (version < leastDriver) throw tooOldDriver(known);
    const count = intOf(driver, "cuDeviceGetCount");
    return Array.from({ length: count }, (_, number) => gpuOf(driver, number, known));
  });
}

function gpuOf(driver: CudaDriver, number: number, version: string): CudaGpu {
  const device = intOf(driver, "cuDeviceGet", number);
  const name = new Uint8Array(256);
  driver.call("cuDeviceGetName", name, name.length, device);
  const ask = (attribute: number) => intOf(driver, "cuDeviceGetAttribute", attribute, device);
  return {
    number,
    name: new TextDecoder().decode(name).split("\0")[0]!,
    capability: 10 * ask(attributes.capabilityMajor) + ask(attributes.capabilityMinor),
    bytes: Number(driver.made("cuDeviceTotalMem_v2", device)),
    sharedBytes: ask(attributes.sharedBytes),
    driver: version,
  };
}

function intOf(driver: CudaDriver, ...[name, ...args]: Parameters<CudaDriver["call"]>): number {
  const value = new Int32Array(1);
  driver.call(name, value, ...args);
  return value[0]!;
}

/** E488 for what the driver refuses while it starts. */
function started<T>(driver: CudaDriver, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof InarchError || !(cause instanceof CudaFailure)) throw cause;
    throw diagnose("E488", {
      message: `the driver does not start: ${cause.message}`,
      where: driver.path,
      help: "see whether nvidia-smi works; after an update of the driver the machine must be started again",
      cause,
    });
  }
}

const noSuchGpu = (number: number, gpus: readonly CudaGpu[]) =>
  diagnose("E449", {
    message:
      gpus.length === 0
        ? "NVIDIA's driver finds no GPU"
        : `there is no GPU ${shown(number)}: the driver has ${gpus.map((gpu) => `${gpu.number} (${gpu.name})`).join(", ")}`,
    help:
      gpus.length === 0
        ? "see whether nvidia-smi lists one, and what CUDA_VISIBLE_DEVICES says"
        : "write cuda:0 for the first",
  });
