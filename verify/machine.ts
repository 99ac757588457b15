/**
 * What this machine can run, proved by running a real kernel, and what to type for whatever is missing.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { diagnose, InarchError } from "../diagnostics/index.ts";
import type { PackageName } from "../diagnostics/packages.ts";
import type { Device } from "../runtime/devices/device.ts";
import { type CudaGpu, cudaGpus } from "../runtime/node/cuda.ts";
import { type DeviceKind, openDevice, preferredKinds } from "../runtime/node/device.ts";
import type { GpuSummary } from "../runtime/node/gpu.ts";
import { keepNativeTiming } from "../runtime/node/native.ts";
import type { DeviceSummary, OpenedDevice } from "../runtime/node/opened.ts";
import { driverVariables, findVulkan, type VulkanFiles } from "../runtime/node/vulkan.ts";
import { timeProduct } from "../tuning/speed.ts";
import { checkKernel, type KernelResult } from "./kernel.ts";

/** Runs a small kernel and checks its result. The device stays open. */
export type KernelCheck = (device: Device) => Promise<KernelResult>;

/** The versions of the optional packages, null where one is not installed. */
type Versions = Readonly<Record<PackageName, string | null>>;

/** What `inarch doctor --json` prints, with these keys in this order. */
export interface MachineReport extends Versions {
  readonly ok: boolean;
  readonly node: { readonly version: string; readonly platform: string };
  /** What is used where no command asks for another; null where it cannot be opened. */
  readonly used: { readonly kind: string; readonly name: string; readonly why: string } | null;
  /** What the GPU says of itself, or the software GPU; null where there is none. */
  readonly device: GpuSummary | null;
  /** @deprecated The old word for `device`. */
  readonly adapter: GpuSummary | null;
  /** On the device that is used. */
  readonly kernel: KernelResult | null;
  /** The devices that compute here, each timed. */
  readonly devices: readonly DeviceSpeed[];
  /** Kinds that cannot be opened here, and why. */
  readonly absent: readonly Absent[];
  readonly vulkan: VulkanFiles & { readonly variables: Readonly<Record<string, string>> };
  /** The GPUs of NVIDIA's driver, or why there are none. */
  readonly cuda: { readonly gpus: readonly CudaGpu[]; readonly absent: string | null };
  readonly nvcc: { readonly path: string; readonly version: string } | null;
  /** What keeps the device from being used. */
  readonly problems: readonly Problem[];
}

type Problem = ReturnType<InarchError["toJSON"]>;

export interface Absent extends Pick<Problem, "code" | "message" | "help"> {
  readonly kind: DeviceKind;
}

export interface DeviceSpeed {
  /** What `--device` calls it. */
  readonly kind: DeviceKind;
  readonly name: string;
  /** Of a product of 384 x 384 x 384. */
  readonly milliseconds: number;
}

/** Looks at the machine and runs `runKernel` on its device. Problems are in the report, not thrown. */
export async function examineMachine(runKernel: KernelCheck = checkKernel): Promise<MachineReport> {
  const problems: InarchError[] = [];
  const oldNode = tooOld(process.versions.node);
  if (oldNode) problems.push(oldNode);
  const nvcc = findNvcc();
  const { used, kernel, problem } = await tryDevice(runKernel);
  if (problem) problems.push(problem);
  const { devices, absent, gpu } = await timeAll();
  const set = driverVariables.filter((name) => process.env[name]);
  return {
    ok: problems.length === 0,
    node: { version: process.versions.node, platform: `${process.platform}-${process.arch}` },
    webgpu: versionOf("webgpu"),
    sharp: versionOf("sharp"),
    esbuild: versionOf("esbuild"),
    yaml: versionOf("yaml"),
    geotiff: versionOf("geotiff"),
    koffi: versionOf("koffi"),
    used,
    device: gpu,
    adapter: gpu,
    kernel,
    devices,
    absent,
    vulkan: {
      ...findVulkan(),
      variables: Object.fromEntries(set.map((name) => [name, process.env[name]!])),
    },
    cuda: await findCuda(),
    nvcc: await nvcc,
    problems: problems.map((one) => one.toJSON()),
  };
}

/** E408 for a version of Node that this package does not support (its `engines` say the same). */
export function tooOld(version: string): InarchError | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24;
  if (supported) return undefined;
  return diagnose("E408", {
    message: `Node ${version} is not supported`,
    help: "install Node 20.19, 22.12, 24 or newer of these lines",
  });
}

async function tryDevice(runKernel: KernelCheck) {
  let opened: OpenedDevice | undefined;
  let kernel: KernelResult | null = null;
  let problem: InarchError | undefined;
  try {
    opened = await openDevice();
    kernel = await runKernel(opened.device);
    if (!kernel.ok) problem = wrongNumbers(`is off by ${kernel.maxError}`, opened.summary);
  } catch (cause) {
    problem =
      cause instanceof InarchError
        ? cause
        : wrongNumbers(`fails: ${(cause as Error).message}`, opened?.summary, cause);
  } finally {
    opened?.device.destroy();
  }
  const used = opened && { kind: opened.kind, name: opened.device.name, why: opened.why };
  return { used: used ?? null, kernel, problem };
}

/** Every kind that is used unasked, and a software GPU: timed, or why it cannot be opened. Timings of processors are kept. */
async function timeAll() {
  const devices: DeviceSpeed[] = [];
  const absent: Absent[] = [];
  let gpu: GpuSummary | null = null;
  for (const kind of preferredKinds) {
    let device: Device | undefined;
    try {
      const opened = await openDevice({ kind });
      device = opened.device;
      if ("limits" in opened.summary) gpu = opened.summary as GpuSummary;
      devices.push({ kind, name: device.name, milliseconds: await timeProduct(device) });
    } catch (cause) {
      // What one device refuses is told, and says nothing of the others.
      if (!(cause instanceof InarchError)) throw cause;
      const { code, message, help } = cause.toJSON();
      absent.push({ kind, code, message, help });
    } finally {
      device?.destroy();
    }
  }
  const [native, cpu] = ["native", "cpu"].map(
    (kind) => devices.find((one) => one.kind === kind)?.milliseconds,
  );
  if (native !== undefined && cpu !== undefined) await keepNativeTiming(native, cpu);
  return { devices, absent, gpu };
}

async function findCuda(): Promise<MachineReport["cuda"]> {
  try {
    const gpus = await cudaGpus();
    return { gpus, absent: gpus.length === 0 ? "NVIDIA's driver finds no GPU" : null };
  } catch (cause) {
    if (!(cause instanceof InarchError && cause.kind === "environment")) throw cause;
    return { gpus: [], absent: `${cause.code} ${cause.details.message}` };
  }
}

const wrongNumbers = (words: string, summary: DeviceSummary | undefined, cause?: unknown) =>
  diagnose("E407", {
    message: `the check kernel ${words}`,
    where: `the device ${summary?.description}`,
    help: "update the GPU's driver, or choose another device with INARCH_DEVICE or INARCH_GPU",
    cause,
  });

/** Read from the disk: not every package exports its package.json. */
function versionOf(name: PackageName): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? [];
  const files = folders.map((folder) => join(folder, name, "package.json"));
  const found = files.find((file) => existsSync(file));
  return found === undefined ? null : JSON.parse(readFileSync(found, "utf8")).version;
}

/** nvcc from PATH or the usual places. It is needed only to check CUDA text, never to run WGSL. */
async function findNvcc(): Promise<MachineReport["nvcc"]> {
  const { PATH = "", CUDA_HOME, CUDA_PATH } = process.env;
  const roots = [CUDA_HOME, CUDA_PATH, "/usr/local/cuda"].filter((root) => root !== undefined);
  const folders = [...PATH.split(delimiter), ...roots.map((root) => join(root, "bin"))];
  const name = process.platform === "win32" ? "nvcc.exe" : "nvcc";
  const path = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (path === undefined) return null;
  try {
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 10_000 });
    return { path, version: /release ([\d.]+)/.exec(stdout)?.[1] ?? "unknown" };
  } catch {
    return null;
  }
}
