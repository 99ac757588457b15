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
import { type DeviceKind, type OpenedDevice, openDevice } from "../runtime/node/device.ts";
import type { GpuSummary } from "../runtime/node/gpu.ts";
import { driverVariables, findVulkan, type VulkanFiles } from "../runtime/node/vulkan.ts";
import { checkKernel, type KernelResult } from "./kernel.ts";
import { timeProduct } from "./speed.ts";

/** Runs a small kernel and checks its result. The device stays open. */
export type KernelCheck = (device: Device) => Promise<KernelResult>;

/** The versions of the optional packages, null where one is not installed. */
type Versions = Readonly<Record<PackageName, string | null>>;

/** What `inarch doctor --json` prints, with these keys in this order. */
export interface MachineReport extends Versions {
  readonly ok: boolean;
  readonly node: { readonly version: string; readonly platform: string };
  /** What its GPU says of itself, or its software device; null where there is none. */
  readonly device: GpuSummary | null;
  /** @deprecated The old word for `device`. */
  readonly adapter: GpuSummary | null;
  readonly kernel: KernelResult | null;
  /** The devices that compute here, each timed. The first is what is used where none is asked for. */
  readonly devices: readonly DeviceSpeed[];
  readonly vulkan: VulkanFiles & { readonly variables: Readonly<Record<string, string>> };
  readonly nvcc: { readonly path: string; readonly version: string } | null;
  readonly problems: readonly ReturnType<InarchError["toJSON"]>[];
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
  const { summary, kernel, problem } = await tryDevice(runKernel);
  if (problem) problems.push(problem);
  const devices = [...(problem ? [] : await speedOf("webgpu")), ...(await speedOf("cpu"))];
  const set = driverVariables.filter((name) => process.env[name]);
  return {
    ok: problems.length === 0,
    node: { version: process.versions.node, platform: `${process.platform}-${process.arch}` },
    webgpu: versionOf("webgpu"),
    sharp: versionOf("sharp"),
    esbuild: versionOf("esbuild"),
    device: summary,
    adapter: summary,
    kernel,
    devices,
    vulkan: {
      ...findVulkan(),
      variables: Object.fromEntries(set.map((name) => [name, process.env[name]!])),
    },
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
    opened = await openDevice({ kind: "webgpu" });
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
  return { summary: opened?.summary ?? null, kernel, problem };
}

/** A device of a kind, timed; none where it cannot be opened. */
async function speedOf(kind: DeviceKind): Promise<readonly DeviceSpeed[]> {
  let device: Device | undefined;
  try {
    ({ device } = await openDevice({ kind }));
    return [{ kind, name: device.name, milliseconds: await timeProduct(device) }];
  } catch (cause) {
    if (cause instanceof InarchError && cause.kind === "environment") return [];
    throw cause;
  } finally {
    device?.destroy();
  }
}

const wrongNumbers = (words: string, summary: GpuSummary | undefined, cause?: unknown) =>
  diagnose("E407", {
    message: `the check kernel ${words}`,
    where: `the device ${summary?.description}`,
    help: "update the GPU's driver, or choose another device with INARCH_GPU",
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
