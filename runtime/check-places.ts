/** Whether a plan's places lie where it says: a device binds and copies what it is told. */
import type { Place, Plan } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { isFormat, storedBytes, wholeWords } from "../formats/index.ts";
import type { DeviceBuffer } from "./devices/device.ts";
import { elementCount } from "./inputs.ts";

/**
 * `bound`: buffers of others in the place of the plan's own.
 * @throws E442 for the first place that is not inside its buffer, or too small for what lies there.
 */
export function checkPlaces(plan: Plan, bound: ReadonlyMap<number, DeviceBuffer>): void {
  const check = (what: string, place: Place, least = 0) => {
    const { buffer, offset, bytes } = place;
    const size = bound.get(buffer)?.bytes ?? plan.buffers[buffer]?.bytes;
    if (size === undefined)
      throw malformed(plan, `${what} lies in buffer ${buffer}, which is not there`);
    const isRange = isCount(offset) && isCount(bytes) && offset % 4 === 0;
    if (!isRange || offset + wholeWords(bytes) > wholeWords(size))
      throw malformed(
        plan,
        `${what} takes ${bytes} bytes at ${offset} of a buffer of ${size} bytes`,
      );
    if (bytes < least) throw malformed(plan, `${what} has ${bytes} bytes but needs ${least}`);
  };
  for (const [i, { role, bytes }] of plan.buffers.entries())
    if (!isCount(bytes)) throw malformed(plan, `buffer ${i}, ${role}, has ${bytes} bytes`);
  for (const kind of ["parameters", "states", "inputs", "outputs"] as const)
    for (const t of plan[kind]) {
      const stored = t.stored ?? (t.dtype === "bool" ? "u32" : t.dtype);
      if (isFormat(stored))
        check(`${kind.slice(0, -1)} ${t.name}`, t, storedBytes(stored, elementCount(t)));
    }
  for (const [i, { kernel, bindings, label, groups }] of plan.steps.entries()) {
    const step = `step ${i} (${label})`;
    const { params, name } = plan.kernels[kernel] ?? {};
    if (!params) throw malformed(plan, `${step} runs kernel ${kernel}, which is not there`);
    if (params.length !== bindings.length)
      throw malformed(
        plan,
        `${step} binds ${bindings.length} buffers, but ${name} has ${params.length}`,
      );
    const dispatched: readonly unknown[] = groups;
    if (!dispatched.every(isCount))
      throw malformed(plan, `${step} has ${dispatched.join(" x ")} groups`);
    // How much of it the kernel reads is not said: steps that differ in that may share a kernel.
    for (const [j, place] of bindings.entries()) check(`binding ${j} of ${step}`, place);
  }
  for (const [i, { from, to }] of plan.commits.entries()) {
    check(`the source of commit ${i}`, from, to.bytes);
    check(`the target of commit ${i}`, to);
  }
}

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

const malformed = (plan: Plan, message: string) =>
  diagnose("E442", {
    message: `plan ${plan.name} cannot be run: ${message}`,
    help: "compile it again; plans are not meant to be edited",
  });
