/** Whether a device can run a plan's kernels: what every device checks before it compiles any. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import type { KernelMatrices, Plan, PlanKernel, PlanParam } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { type FormatName, has, isFormat, storedBytes } from "../../formats/index.ts";
import { hasMatrices } from "./matrices.ts";

/** What kernels ask of a device, all together; what is not there is not asked for. */
export interface Needs {
  /** The one width of its subgroups. */
  readonly subgroup?: number;
  /** Subgroups that kernels can number. */
  readonly reduces?: true;
  /** Number formats. */
  readonly formats?: readonly FormatName[];
  readonly matrices?: readonly KernelMatrices[];
  /** Buffers of one kernel. */
  readonly bindings: number;
  readonly sharedBytes: number;
  /** Of a workgroup. */
  readonly threads: number;
  /** Of the largest tensor that a kernel reads or writes. */
  readonly bindingBytes: number;
  /** Of the largest buffer. */
  readonly bufferBytes?: number;
  /** Workgroups along one axis. */
  readonly groups?: number;
  /** What every offset of a binding is a multiple of. */
  readonly alignment?: number;
  /** Made for software devices, or for all others; undefined: for any. */
  readonly software?: boolean;
}

/** What kernels ask for. Formats that every device has are left out. */
export function needsOf(kernels: readonly PlanKernel[]): Needs {
  const most = (of: (kernel: PlanKernel) => number) => Math.max(0, ...kernels.map(of));
  const subgroup = most((kernel) => kernel.subgroup);
  const scalars = kernels.flatMap(({ params }) => params.map(({ scalar }) => scalar));
  const formats = [...new Set(scalars)].filter((scalar) => !has({ half: false }, scalar)).sort();
  const matrices = kernels.flatMap((kernel) => kernel.matrices ?? []);
  return {
    ...(subgroup > 0 ? { subgroup } : {}),
    ...(kernels.some(isNumbered) ? { reduces: true } : {}),
    ...(formats.length > 0 ? { formats } : {}),
    ...(matrices.length > 0 ? { matrices: unique(matrices) } : {}),
    bindings: most(({ params }) => params.length),
    sharedBytes: most(({ sharedBytes }) => sharedBytes),
    threads: most(({ threads }) => threads.reduce((a, b) => a * b, 1)),
    bindingBytes: most(({ params }) => Math.max(0, ...params.map(bytesOf))),
  };
}

/** It reduces over subgroups, or has several of one width. */
const isNumbered = ({ reduces, subgroup, threads }: PlanKernel): boolean =>
  reduces === true || (subgroup > 0 && threads.reduce((a, b) => a * b, 1) > subgroup);

const unique = <T>(values: readonly T[]): readonly T[] => [
  ...new Map(values.map((value) => [JSON.stringify(value), value])).values(),
];

/**
 * @throws E152 for the first kernel with numbers in a format that the device lacks, E424 for the first
 * that asks for more of anything else than the device has.
 */
export function checkFits(
  { name, kernels }: Pick<Plan, "kernels" | "name">,
  device: Capabilities,
): void {
  for (const kernel of kernels) {
    const lack = lackOf(needsOf([kernel]), device);
    if (lack)
      throw diagnose(lack.code ?? "E424", {
        message: `kernel ${kernel.name} of ${name} ${lack.message}`,
        help: lack.help ?? "compile with the default profile, or for this device",
      });
  }
}

export interface Lack {
  readonly code?: "E152";
  readonly message: string;
  readonly help?: string;
}

/** What a device lacks of it first, in words; undefined if it has all. */
export function lackOf(needs: Needs, device: Capabilities): Lack | undefined {
  const { subgroup = 0, formats = [], matrices = [] } = needs;
  const { least = 0, most = 0, numbered = false, widths = [] } = device.subgroups ?? {};
  const own = least === most && most > 0 ? most : "no one width";
  if (subgroup !== 0 && subgroup !== own && !widths.includes(subgroup))
    return {
      message: `needs subgroups of ${subgroup} threads, but the device has ${own}`,
    };
  if (needs.reduces && !numbered)
    return {
      message: "numbers subgroups, which the device lacks (WGSL's subgroup_id)",
    };
  const lacking = formats.find((scalar) => !has(device, scalar));
  if (lacking)
    return {
      code: "E152",
      message: `has numbers in ${lacking}, which the device lacks`,
      help: 'compile with { precision: "f32" }, or open it with shader-f16',
    };
  const missing = matrices.find((asked) => !hasMatrices(device.matrices, asked));
  if (missing) {
    const { operand, rows, columns, depth, width } = missing;
    return {
      message: `multiplies fragments of ${rows} x ${depth} x ${columns} (${operand}) in subgroups of ${width}, which the device lacks`,
      help: "compile with the default profile, or for this device; Dawn offers them with the toggle allow_unsafe_apis",
    };
  }
  return beyondLimits(needs, device);
}

function beyondLimits(needs: Needs, device: Capabilities): Lack | undefined {
  const shared = (needs.matrices && device.matrices?.sharedBytes) ?? device.maxSharedBytes;
  const asked = [
    ["buffers", needs.bindings, device.maxBindings],
    ["bytes of workgroup memory", needs.sharedBytes, shared],
    ["threads in a workgroup", needs.threads, device.maxThreads],
    ["bytes of one binding", needs.bindingBytes, device.maxBindingBytes],
    ["bytes of one buffer", needs.bufferBytes ?? 0, device.maxBufferBytes],
    ["workgroups along one axis", needs.groups ?? 0, device.maxGroups],
  ] as const;
  const { alignment = device.alignment } = needs;
  const isAligned = alignment % device.alignment === 0;
  const beyond =
    asked.find(([, need, limit]) => need > limit) ??
    (isAligned ? undefined : (["bytes of alignment", alignment, device.alignment] as const));
  if (!beyond) return undefined;
  const [what, need, limit] = beyond;
  return { message: `needs ${need} ${what}, but the device has ${limit}` };
}

/** What is of a later version's format is lacking, however large it is. */
const bytesOf = ({ size, scalar }: PlanParam) => (isFormat(scalar) ? storedBytes(scalar, size) : 0);
