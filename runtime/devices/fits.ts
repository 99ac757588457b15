/** Whether a device can run a plan's kernels: what every device checks before it compiles any. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { Plan, PlanKernel, PlanParam } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { has, storedBytes } from "../../formats/index.ts";
import { hasMatrices } from "./matrices.ts";

/**
 * @throws E152 for the first kernel with numbers in a format that the device lacks, E424 for the first
 * that asks for more of anything else than the device has.
 */
export function checkFits(
  { name, kernels }: Pick<Plan, "kernels" | "name">,
  device: Capabilities,
): void {
  for (const kernel of kernels) {
    const lack = lackOf(kernel, device);
    if (lack)
      throw diagnose(lack.code ?? "E424", {
        message: `kernel ${kernel.name} of ${name} ${lack.message}`,
        help: lack.help ?? "compile with the default profile, or for this device",
      });
  }
}

interface Lack {
  readonly code?: "E152";
  readonly message: string;
  readonly help?: string;
}

function lackOf(kernel: PlanKernel, device: Capabilities): Lack | undefined {
  const { subgroup, matrices } = kernel;
  const { least = 0, most = 0, numbered = false } = device.subgroups ?? {};
  if (subgroup !== 0 && (least !== most || subgroup !== most))
    return {
      message: `needs subgroups of ${subgroup} threads, but the device has ${least === most && most > 0 ? most : "no one width"}`,
    };
  if (kernel.reduces && !numbered)
    return {
      message:
        "reduces over subgroups by number, which the device lacks (in WebGPU: the feature subgroups, and WGSL's subgroup_id)",
    };
  const lacking = kernel.params.find((p) => !has(device, p.scalar));
  if (lacking)
    return {
      code: "E152",
      message: `has numbers in ${lacking.scalar}, a format that the device lacks (in WebGPU: the feature shader-f16)`,
      help: 'compile with { precision: "f32" }, or open the device with the feature',
    };
  if (matrices && !hasMatrices(device.matrices, matrices)) {
    const { operand, rows, columns, depth, width } = matrices;
    return {
      message: `multiplies fragments of ${rows} x ${depth} x ${columns} (${operand}) in subgroups of ${width}, which the device lacks`,
      help: "compile with the default profile, or for this device; Dawn offers them with the toggle allow_unsafe_apis",
    };
  }
  return beyondLimits(kernel, device);
}

function beyondLimits(
  { params, sharedBytes, threads }: PlanKernel,
  device: Capabilities,
): Lack | undefined {
  const asked = [
    ["buffers", params.length, device.maxBindings],
    ["bytes of workgroup memory", sharedBytes, device.maxSharedBytes],
    ["threads in a workgroup", threads.reduce((a, b) => a * b, 1), device.maxThreads],
    ["bytes of one buffer", Math.max(...params.map(bytesOf)), device.maxBindingBytes],
  ] as const;
  const beyond = asked.find(([, need, limit]) => need > limit);
  if (!beyond) return undefined;
  const [what, need, limit] = beyond;
  return { message: `needs ${need} ${what}, but the device has ${limit}` };
}

const bytesOf = ({ size, scalar }: PlanParam) => storedBytes(scalar, size);
