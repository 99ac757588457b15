/** How the reference device deals out the threads of a workgroup to subgroups. */
import type { PlanKernel } from "../../compiler/plan.ts";

/** Where a thread is among the subgroups of its workgroup. */
export interface Team {
  readonly subgroup: number;
  readonly subgroups: number;
  readonly member: number;
  readonly members: number;
}

/** No kernel may rely on which threads make a subgroup: they are dealt out in turn. */
export function teamsOf(plan: PlanKernel, width: number): Team[] {
  const threads = plan.threads.reduce((a, b) => a * b, 1);
  const subgroups = Math.ceil(threads / (plan.reduces ? width : widthOf(plan)));
  const numbers = Array.from({ length: threads }, (_, me) => me % subgroups);
  const sizes = new Array<number>(subgroups).fill(0);
  const placed = numbers.map((subgroup) => ({ subgroup, member: sizes[subgroup]!++ }));
  return placed.map((at) => ({ ...at, subgroups, members: sizes[at.subgroup]! }));
}

/** A kernel that knows no more than the most threads that a subgroup may have gets half as many. */
function widthOf({ subgroup, matrices }: PlanKernel): number {
  if (!matrices) return subgroup || 1;
  return matrices.widths === "most" ? Math.max(1, matrices.width >> 1) : matrices.width;
}
