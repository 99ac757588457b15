/** What a training plan's memory is for, in bytes: known before anything runs. */
import type { Plan, PlanBuffer } from "../../compiler/plan.ts";
import { beforeStep, modelPrefix } from "./plan.ts";

type Buffers = Pick<Plan, "buffers">;

/** Memory that plans share: states of one name are one, and arenas as large as any plan needs. */
export function sharedBuffers(plans: readonly Buffers[]): readonly PlanBuffer[] {
  const states = new Map<string, PlanBuffer>();
  const arenas: PlanBuffer[] = [];
  for (const { buffers } of plans) {
    let arena = 0;
    for (const buffer of buffers) {
      const { role, bytes, name = "" } = buffer;
      if (role === "state" && bytes > (states.get(name)?.bytes ?? -1)) states.set(name, buffer);
      else if (role === "arena") {
        if (bytes > (arenas[arena]?.bytes ?? -1)) arenas[arena] = buffer;
        arena++;
      }
    }
  }
  return [...states.values(), ...arenas];
}

export interface TrainingBytes {
  /** The base, which does not train. */
  readonly frozen: number;
  readonly trained: number;
  readonly gradients: number;
  /** The model's own states, and what they were before the step. */
  readonly states: number;
  /** The optimiser's moments and counts. */
  readonly optimiser: number;
  /** Scratch memory: what the backward pass needs of the forward pass, above all. */
  readonly activations: number;
  readonly inputsAndOutputs: number;
  readonly total: number;
}

/** All bytes of plans that share their memory. */
export function trainingBytes(plans: readonly Buffers[]): TrainingBytes {
  const sums = { frozen: 0, trained: 0, gradients: 0, states: 0, optimiser: 0, activations: 0 };
  for (const buffer of sharedBuffers(plans)) sums[purposeOf(buffer)] += buffer.bytes;
  let inputsAndOutputs = 0;
  for (const { buffers } of plans)
    for (const { role, bytes } of buffers)
      if (role === "input" || role === "output") inputsAndOutputs += bytes;
  const total = Object.values(sums).reduce((a, b) => a + b, inputsAndOutputs);
  return { ...sums, inputsAndOutputs, total };
}

function purposeOf({
  role,
  name = "",
}: PlanBuffer): Exclude<keyof TrainingBytes, "total" | "inputsAndOutputs"> {
  if (role === "arena") return "activations";
  if (name.startsWith("frozen.")) return "frozen";
  if (name.startsWith("parameters")) return "trained";
  if (name.startsWith(modelPrefix) || name.startsWith(beforeStep(modelPrefix))) return "states";
  return /^(?:gradients|accumulated|whole\.)/.test(name) ? "gradients" : "optimiser";
}
