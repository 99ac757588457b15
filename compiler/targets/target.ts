/** A target: how kernels are spelled. */
import type { Buffer, Kernel } from "../kernel/ir.ts";
import type { Names } from "../kernel/printer.ts";
import type { TargetName } from "../plan.ts";

export interface Target {
  readonly name: TargetName;
  /** The one width of subgroup that it has; undefined: whatever the profile says. */
  readonly subgroup?: number;
  /** Whether all its devices have halves; else the profile says. */
  readonly half: boolean;
  /** Whether it spells matrix fragments. */
  readonly fragments: boolean;
  /**
   * The whole text of a kernel. `scratch` tells which parameters live in reused memory; `halves`, for
   * targets that do not always have halves, whether the device does, or reads them two to a word;
   * with `names` numbered, kernels that differ in nothing but names have one text.
   */
  print(
    kernel: Kernel,
    scratch: (b: Buffer) => boolean,
    halves?: "own" | "packed",
    names?: Names,
  ): string;
  /** The name to launch. */
  entry(kernel: Kernel): string;
}
