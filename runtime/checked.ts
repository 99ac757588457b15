/**
 * Plans that need no check: those of a bundle whose hash is that of what was built. Of all others a module that is
 * loaded for it checks every field.
 */
import type { Plan } from "../compiler/plan.ts";
import { late } from "./late.ts";
import { planFormat } from "./plan-json.ts";

const built = new WeakSet<object>();

/** Takes a plan as the compiler made it. */
export function trust(plan: Plan): Plan {
  if (plan.format === planFormat) built.add(plan);
  return plan;
}

/** @throws E421, E153 and E516, as `checkPlan`. */
export async function checked(plan: Plan, where: string): Promise<void> {
  if (!built.has(plan)) (await late(import("./check-plan.ts"))).checkPlan(plan, where);
}
