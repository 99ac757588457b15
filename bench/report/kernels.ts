/** Where a program's time goes: its steps, those of one kernel and one shape together. */
import type { StepTime } from "../../runtime/index.ts";

export interface KernelTime {
  readonly kernel: string;
  /** Steps. */
  readonly count: number;
  readonly milliseconds: number;
}

/** The longest first. */
export function byKernel(steps: readonly StepTime[]): KernelTime[] {
  const sums = new Map<string, { count: number; milliseconds: number }>();
  for (const { kernel, label, milliseconds } of steps) {
    const key = `${kernel} ${label.split(" ").at(-1)}`;
    const sum = sums.get(key) ?? { count: 0, milliseconds: 0 };
    sums.set(key, { count: sum.count + 1, milliseconds: sum.milliseconds + milliseconds });
  }
  return [...sums]
    .map(([kernel, sum]) => ({ kernel, ...sum }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}
