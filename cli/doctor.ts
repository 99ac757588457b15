/**
 * `inarch doctor`: says what this machine can run, proves it by running a real kernel, and says
 * what to type for whatever is missing.
 */
import { useOf } from "../diagnostics/packages.ts";
import type { GpuSummary } from "../runtime/node/gpu.ts";
import type { KernelResult } from "../verify/kernel.ts";
import type { MachineReport } from "../verify/machine.ts";
import { defineCommand } from "./arguments/command.ts";

export const command = defineCommand({
  description: "say what this machine can run, and what is missing",
  args: {},
  /** 0 when a kernel ran and was right, else 3 (the environment). */
  async run() {
    const { examineMachine } = await import("../verify/machine.ts");
    const report = await examineMachine();
    return { report, text: describeReport(report), exitCode: report.ok ? 0 : 3 };
  },
});

/** The report for people: a column of names, a column of facts, then what to do. */
export function describeReport(report: MachineReport): string {
  const { node, used, device, kernel, nvcc } = report;
  const rows: (readonly [name: string, fact: string])[] = [
    ["Node", `${node.version} on ${node.platform}`],
    ...(["webgpu", "sharp", "esbuild", "yaml", "geotiff", "koffi"] as const).map(
      (name) => [name, report[name] ?? `none: it ${useOf(name)} (npm install ${name})`] as const,
    ),
    ["used", used ? `${used.kind} (${used.name}): ${used.why}` : "none"],
    ["kernel", kernelWords(kernel)],
    ...speedRows(report),
    ...deviceRows(device),
    ...vulkanRows(report.vulkan),
    ...cudaRows(report.cuda),
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

function deviceRows(device: GpuSummary | null): [string, string][] {
  if (!device) return [];
  const words =
    device.kind === "software"
      ? "software: right, and far slower than a GPU"
      : `hardware: ${device.vendor} ${device.architecture}`;
  return [
    ["GPU", device.description || device.device],
    ["", words],
    ...["shader-f16", "subgroups", "timestamp-query"].map((feature, index): [string, string] => [
      index === 0 ? "features" : "",
      `${feature.padEnd(22)} ${device.features.includes(feature) ? "yes" : "no"}`,
    ]),
    ...limitsThatMatter.map(([name, words, unit], index): [string, string] => [
      index === 0 ? "limits" : "",
      `${words.padEnd(22)} ${unit(device.limits[name])}`,
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

/** How fast each device is, and what is missing for the others. */
function speedRows({ devices, absent }: MachineReport): [string, string][] {
  const rows = [
    ...devices.map(
      ({ kind, milliseconds }) =>
        `${kind.padEnd(22)} ${milliseconds.toFixed(1)} ms for a product of 384 x 384 x 384`,
    ),
    ...absent.flatMap(({ kind, code, message, help }) => [
      `${kind.padEnd(22)} none: ${code} ${message}`,
      ...(help === undefined ? [] : [`${"".padEnd(22)} ${help}`]),
    ]),
  ];
  const [native, cpu] = ["native", "cpu"].map((name) => devices.find(({ kind }) => kind === name));
  if (native && cpu && native.milliseconds < cpu.milliseconds)
    rows.push(
      `${"".padEnd(22)} native is used unasked from now on, for what ran with --device native once`,
    );
  return rows.map((row, i) => [i === 0 ? "speed" : "", row]);
}

function cudaRows({ gpus }: MachineReport["cuda"]): [string, string][] {
  const rows = gpus.map((gpu) => {
    const room = `${Math.round(gpu.bytes / 2 ** 30)} GiB`;
    return `cuda:${gpu.number} ${gpu.name}, compute capability ${(gpu.capability / 10).toFixed(1)}, ${room}, driver of CUDA ${gpu.driver}`;
  });
  // Why there is none stands among the devices that are timed.
  return rows.map((row, i) => [i === 0 ? "CUDA" : "", row]);
}

function vulkanRows(vulkan: MachineReport["vulkan"]): [string, string][] {
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
