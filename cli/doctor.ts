/**
 * `inarch doctor`: says what this machine can run, proves it by running a real kernel, and says
 * what to type for whatever is missing. The report is a value; the words are printed from it.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { defineCommand } from "citty";
import { diagnose, InarchError } from "../diagnostics/index.ts";
import { type PackageName, useOf } from "../diagnostics/packages.ts";
import { type AdapterSummary, type Gpu, requestGpu } from "../runtime/node/gpu.ts";
import { driverVariables, findVulkan, type VulkanFiles } from "../runtime/node/vulkan.ts";

/** What a kernel run on the device gave against the same numbers computed on the processor. */
export interface KernelResult {
  readonly ok: boolean;
  /** The largest absolute difference. */
  readonly maxError: number;
  /** From submission to the result in host memory, in milliseconds. */
  readonly ms: number;
}

/** Runs a small kernel and checks its result. The compiler supplies it: it alone writes shaders. */
export type KernelCheck = (device: GPUDevice) => Promise<KernelResult>;

/** The versions of the optional packages, null where one is not installed. */
type Versions = Readonly<Record<PackageName, string | null>>;

/** What `--json` prints, with these keys in this order. */
export interface DoctorReport extends Versions {
  readonly ok: boolean;
  readonly node: { readonly version: string; readonly platform: string };
  readonly adapter: AdapterSummary | null;
  readonly kernel: KernelResult | null;
  readonly vulkan: VulkanFiles & { readonly variables: Readonly<Record<string, string>> };
  readonly nvcc: { readonly path: string; readonly version: string } | null;
  readonly problems: readonly ReturnType<InarchError["toJSON"]>[];
}

/** The command; exit code 0 when a kernel ran and was right, else 3 (the environment). */
export const doctorCommand = (runKernel: KernelCheck) =>
  defineCommand({
    meta: { name: "doctor", description: "say what this machine can run, and what is missing" },
    args: { json: { type: "boolean", description: "print the report as JSON", default: false } },
    async run({ args }) {
      const report = await doctor(runKernel);
      process.stdout.write(
        args.json ? `${JSON.stringify(report, null, 2)}\n` : describeReport(report),
      );
      process.exitCode = report.ok ? 0 : 3;
    },
  });

/** Looks at the machine and runs `runKernel` on its device. Problems are in the report, not thrown. */
export async function doctor(runKernel: KernelCheck): Promise<DoctorReport> {
  const problems: InarchError[] = [];
  const oldNode = tooOld(process.versions.node);
  if (oldNode) problems.push(oldNode);
  const nvcc = findNvcc();
  const { adapter, kernel, problem } = await tryDevice(runKernel);
  if (problem) problems.push(problem);
  const set = driverVariables.filter((name) => process.env[name]);
  return {
    ok: problems.length === 0,
    node: { version: process.versions.node, platform: `${process.platform}-${process.arch}` },
    webgpu: versionOf("webgpu"),
    sharp: versionOf("sharp"),
    esbuild: versionOf("esbuild"),
    adapter,
    kernel,
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
  let gpu: Gpu | undefined;
  let kernel: KernelResult | null = null;
  let problem: InarchError | undefined;
  try {
    gpu = await requestGpu();
    kernel = await runKernel(gpu.device);
    if (!kernel.ok) problem = wrongNumbers(`is off by ${kernel.maxError}`, gpu.adapter);
  } catch (cause) {
    problem =
      cause instanceof InarchError
        ? cause
        : wrongNumbers(`fails: ${(cause as Error).message}`, gpu?.adapter, cause);
  } finally {
    gpu?.destroy();
  }
  return { adapter: gpu?.adapter ?? null, kernel, problem };
}

const wrongNumbers = (words: string, adapter: AdapterSummary | undefined, cause?: unknown) =>
  diagnose("E407", {
    message: `the check kernel ${words}`,
    where: `adapter ${adapter?.description}`,
    help: "update the GPU's driver, or choose another adapter with INARCH_ADAPTER",
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
async function findNvcc(): Promise<DoctorReport["nvcc"]> {
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

/** The report for people: a column of names, a column of facts, then what to do. */
export function describeReport(report: DoctorReport): string {
  const { node, adapter, kernel, nvcc } = report;
  const rows: (readonly [name: string, fact: string])[] = [
    ["Node", `${node.version} on ${node.platform}`],
    ...(["webgpu", "sharp", "esbuild"] as const).map(
      (name) => [name, report[name] ?? `none: it ${useOf(name)} (npm install ${name})`] as const,
    ),
    ...adapterRows(adapter),
    ["kernel", kernelWords(kernel)],
    ...vulkanRows(report.vulkan),
    ["nvcc", nvcc ? `${nvcc.version} (${nvcc.path})` : "none: CUDA text is not checked here"],
  ];
  const table = rows.map(([name, fact]) => `  ${name.padEnd(9)} ${fact}`.trimEnd());
  const problems = report.problems.map(
    ({ code, message, where, help }) =>
      `error[${code}] ${message}\n${where ? `  in ${where}\n` : ""}  help: ${help}`,
  );
  const verdict = report.ok ? ["ready: the device computes, and its numbers are right"] : problems;
  return `${[...table, "", ...verdict].join("\n")}\n`;
}

function adapterRows(adapter: AdapterSummary | null): [string, string][] {
  if (!adapter) return [["adapter", "none"]];
  const words =
    adapter.kind === "software"
      ? "software: right, and far slower than a GPU"
      : `hardware: ${adapter.vendor} ${adapter.architecture}`;
  return [
    ["adapter", adapter.description || adapter.device],
    ["", words],
    ...["shader-f16", "subgroups", "timestamp-query"].map((feature, index): [string, string] => [
      index === 0 ? "features" : "",
      `${feature.padEnd(22)} ${adapter.features.includes(feature) ? "yes" : "no"}`,
    ]),
    ...limitsThatMatter.map(([name, words, unit], index): [string, string] => [
      index === 0 ? "limits" : "",
      `${words.padEnd(22)} ${unit(adapter.limits[name])}`,
    ]),
  ];
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const kibibytes = (bytes: number) => `${Math.round(bytes / 2 ** 10)} KiB`;

const limitsThatMatter = [
  ["maxStorageBufferBindingSize", "storage binding", mebibytes],
  ["maxBufferSize", "buffer", mebibytes],
  ["maxStorageBuffersPerShaderStage", "storage buffers", String],
  ["maxComputeWorkgroupStorageSize", "workgroup memory", kibibytes],
  ["maxComputeInvocationsPerWorkgroup", "threads in a workgroup", String],
] as const;

function kernelWords(kernel: KernelResult | null): string {
  if (!kernel) return "not run";
  const verdict = kernel.ok ? "right" : "wrong";
  return `${verdict}: largest error ${kernel.maxError.toExponential(1)}, ${kernel.ms.toFixed(1)} ms`;
}

function vulkanRows(vulkan: DoctorReport["vulkan"]): [string, string][] {
  // Elsewhere the system brings its own GPU interface, and there is nothing to list.
  if (process.platform !== "linux") return [];
  const lines = [
    ...vulkan.loaders.map((path) => `loader ${path}`),
    ...(vulkan.loaders.length === 0 ? ["no loader"] : []),
    ...vulkan.drivers.map((path) => `driver ${path}`),
    ...vulkan.gpuNodes.map((path) => `GPU    ${path}`),
    ...(vulkan.gpuNodes.length === 0 ? ["no GPU"] : []),
    ...Object.entries(vulkan.variables).map(([name, value]) => `${name}=${value}`),
  ];
  return lines.map((line, index) => [index === 0 ? "Vulkan" : "", line]);
}
