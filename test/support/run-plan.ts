/** Runs a plan without parameters once, on arrays of doubles. */
import type { Plan } from "../../compiler/plan.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createSession } from "../../runtime/session.ts";
import type { Arrays, Results } from "../../verify/ops/evaluate.ts";

/** Its outputs, by name; `arrays` are its inputs. */
export async function runPlan(plan: Plan, arrays: Arrays, device: Device): Promise<Results> {
  const session = await createSession(plan, device);
  const given = plan.inputs.map(({ name, dtype }) => {
    const values = [...arrays[name]!];
    return [name, dtype === "f32" ? Float32Array.from(values) : values] as const;
  });
  const results = await session.run(Object.fromEntries(given));
  await session.close();
  return Object.fromEntries(Object.entries(results).map(([name, v]) => [name, [...v]]));
}
