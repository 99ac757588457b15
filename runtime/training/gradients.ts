/** The gradients that an update will use, as one list of numbers: what ranks of a training add up. */
import { diagnose } from "../../diagnostics/index.ts";
import { elementsIn } from "../../formats/index.ts";
import type { Numbers } from "../devices/device.ts";
import { stateBeside, type TrainedTensor, type TrainingPlan } from "./plan.ts";
import { stateOf, type Trained } from "./trained.ts";

/** The names of the states that the update reads: with micro-steps, of what has been added up. */
const sources = ({ micro }: TrainingPlan) =>
  micro > 1
    ? { gradients: "accumulated", present: "accumulated.present", loss: "accumulated.loss" }
    : { gradients: "gradients", present: "present", loss: "loss" };

const count = ({ bytes }: TrainedTensor): number => elementsIn("f32", bytes);

/** How many numbers they are: gradients, a flag of each tensor, the loss. */
export const packedLength = ({ tensors }: TrainingPlan): number =>
  tensors.reduce((sum, tensor) => sum + count(tensor), tensors.length + 1);

/** Elements of each state that holds gradients, up to its last one. */
function partsOf(plan: TrainingPlan): Map<string, number> {
  const parts = new Map<string, number>();
  const { gradients } = sources(plan);
  for (const tensor of plan.tensors) {
    const state = stateBeside(tensor, gradients);
    const end = tensor.offset / 4 + count(tensor);
    parts.set(state, Math.max(parts.get(state) ?? 0, end));
  }
  return parts;
}

/**
 * Submits the reading of all, and waits for it: the gradients of the trained tensors one after another in
 * the order of `plan.tensors`, zeros where a tensor has none, then for each tensor 1 or 0, whether it has
 * one, then the loss. f32.
 */
export async function readPacked(trained: Trained): Promise<Float32Array<ArrayBuffer>> {
  const { plan, device } = trained;
  const from = sources(plan);
  const read = (state: string, length: number): Promise<Numbers> =>
    device.read(stateOf(trained, state), 0, length, "f32");
  const states = [...partsOf(plan)];
  const [parts, flags, loss] = await Promise.all([
    Promise.all(states.map(([state, length]) => read(state, length))),
    read(from.present, plan.tensors.length),
    read(from.loss, 1),
  ]);
  const values = new Map(states.map(([state], i) => [state, parts[i]! as Float32Array]));
  const packed = new Float32Array(packedLength(plan));
  let at = 0;
  for (const [i, tensor] of plan.tensors.entries()) {
    const start = tensor.offset / 4;
    const part = values.get(stateBeside(tensor, from.gradients))!;
    // Where a tensor has no gradient, memory holds that of an earlier step.
    if (flags[i] !== 0) packed.set(part.subarray(start, start + count(tensor)), at);
    at += count(tensor);
  }
  packed.set(flags as Float32Array, at);
  packed[at + plan.tensors.length] = loss[0]!;
  return packed;
}

/** @throws E420 for what is no list of as many numbers as `readPacked` gives. */
export function checkPacked(plan: TrainingPlan, packed: Float32Array): void {
  const length = packedLength(plan);
  if (packed instanceof Float32Array && packed.length === length) return;
  const found =
    packed instanceof Float32Array
      ? `${packed.length} numbers`
      : `no Float32Array but ${typeof packed}`;
  throw diagnose("E420", {
    message: `the gradients of ${plan.name} are ${length} numbers, and ${found} is given`,
    help: "give what readGradients() returned, changed in place",
  });
}

/** Every state that `writePacked` changes. */
export const packedStates = (trained: Trained) => {
  const { present, loss } = sources(trained.plan);
  return [...partsOf(trained.plan).keys(), present, loss].map((name) => stateOf(trained, name));
};

/** Writes what `readPacked` reads. Flags above 0 stand for tensors that have a gradient. */
export async function writePacked(trained: Trained, packed: Float32Array): Promise<void> {
  const { plan, device } = trained;
  const from = sources(plan);
  const parts = new Map([...partsOf(plan)].map(([name, n]) => [name, new Float32Array(n)]));
  let at = 0;
  for (const tensor of plan.tensors) {
    const values = packed.subarray(at, at + count(tensor));
    parts.get(stateBeside(tensor, from.gradients))!.set(values, tensor.offset / 4);
    at += count(tensor);
  }
  const end = at + plan.tensors.length;
  parts.set(from.present, packed.slice(at, end));
  parts.set(from.loss, packed.slice(end));
  for (const [name, values] of parts) await device.write(stateOf(trained, name), 0, values);
}
