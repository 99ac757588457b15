/**
 * A target: how kernels are spelled. One folder with one record of this type, and one line in
 * `index.ts`; flags, stages, profiles of bundles and pages of `explain` are made of the record.
 */
import type { Capable } from "../../formats/index.ts";
import type { Capabilities } from "../capabilities.ts";
import type { Kernel } from "../kernel/ir.ts";
import type { Names } from "../kernel/printer.ts";
import type { KernelSource } from "../plan.ts";

export interface Target {
  /** How it is asked for, and what its plans say. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What begins a comment that ends with the line. */
  readonly comment: string;
  /** The one width of subgroup that it has; undefined: whatever the profile says. */
  readonly subgroup?: number;
  /** What all its devices have, where that is more than every WebGPU device has. */
  readonly capabilities?: Capabilities;
  /** Whether all its devices have halves; else the profile says. */
  readonly half: boolean;
  /** Whether its kernels load and store bfloat16. */
  readonly bfloat?: true;
  /** Whether it spells an `fma` that some of its devices lack. */
  readonly fma?: true;
  /** Whether what it prints holds no names: kernels that differ in nothing else are printed alike. */
  readonly nameless?: true;
  /** Whether it spells matrix fragments. */
  readonly fragments: boolean;
  /** Whether it spells their elements, and copies that go on meanwhile. */
  readonly numbered?: true;
  /** Whether it spells shuffles, and workgroups of several subgroups of one width. */
  readonly shuffles?: true;
  /**
   * A kernel, whole: its text, or the bytes of a module. `scratch` tells by their names which parameters
   * live in reused memory; with `names` numbered, kernels that differ in nothing but names are equal.
   */
  print(kernel: Kernel, scratch: (name: string) => boolean, names?: Names): KernelSource;
  /** The name to launch. */
  entry(kernel: Kernel): string;
}

/** A kernel for people: its text, or its bytes as hexadecimal digits, sixteen in a line. */
export const readable = (source: KernelSource): string =>
  typeof source === "string" ? source : hexadecimal(source);

function hexadecimal(bytes: Uint8Array): string {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const lines = Array.from({ length: Math.ceil(digits.length / 16) }, (_, i) =>
    digits.slice(16 * i, 16 * i + 16).join(" "),
  );
  return `${lines.join("\n")}\n`;
}

/** What number formats find on devices of a target, as far as a profile knows them. */
export const capableOf = (target: Target, profile: Capable): Capable => ({
  half: target.half || profile.half,
  bfloat: target.bfloat === true,
});

/** Why a target cannot spell a kernel that was made for another profile; undefined if it can. */
export function reasonAgainst(target: Target, kernel: Kernel): string | undefined {
  if (kernel.fragments.length > 0 && !target.fragments)
    return `this kernel multiplies matrix fragments, which ${target.title} is not given`;
  if (kernel.matrices?.numbered && !target.numbered)
    return `this kernel numbers elements of matrix fragments, which ${target.title} is not given`;
  const { subgroup } = target;
  const [x, y, z] = kernel.threads;
  if (kernel.subgroup > 0 && x * y * z > kernel.subgroup && !target.shuffles)
    return `this kernel has several subgroups in a workgroup, which ${target.title} is not given`;
  if (kernel.subgroup === 0 || subgroup === undefined || kernel.subgroup === subgroup)
    return undefined;
  return `this kernel is written for subgroups of ${kernel.subgroup} threads; those of ${target.title} have ${subgroup}`;
}
