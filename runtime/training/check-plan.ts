/**
 * Whether a value is a training plan: a file may hold one, and what trains relies on its types, on the memory
 * that its plans share, and on what they take and return by name.
 */
import type { PlanTensor } from "../../compiler/plan.ts";
import { diagnose } from "../../diagnostics/index.ts";
import { isFormat, storedBytes } from "../../formats/index.ts";
import { checkPlan } from "../check-plan.ts";
import {
  adapters,
  byKind,
  each,
  finite,
  init,
  list,
  malformedPlan,
  maybe,
  record,
  settings,
  type Tell,
  text,
  truth,
  whole,
} from "../plan-fields.ts";
import { unknownFormat } from "../unknown-format.ts";
import { isRecord } from "../weights/json.ts";
import { sharedBuffers } from "./memory.ts";
import {
  plansOf,
  type ResidentTensor,
  stateBeside,
  sumsBefore,
  type TrainingPlan,
  trainingFormat,
} from "./plan.ts";

/**
 * Returns the plan.
 * @throws E421 for another format, E153 for a number format of a later version, E516 for what is no
 * training plan, naming the field.
 */
export function checkTrainingPlan(value: unknown, where = "the training plan"): TrainingPlan {
  const tell: Tell = malformedPlan(where);
  if (!isRecord(value)) return tell("", "is not an object");
  if (!isRecord(value.backward)) return tell("backward", "is not an object");
  if (typeof value.format === "number" && value.format !== trainingFormat)
    throw diagnose("E421", {
      message: `training plan ${String(value.name)} has format ${value.format}, this runtime reads ${trainingFormat}`,
      help: "compile it again with this version of inarch",
    });
  fields(value, "", tell);
  const plan = value as unknown as TrainingPlan;
  checkPlan(plan.backward, `${where}, backward`);
  if (plan.sums !== undefined) checkPlan(plan.sums, `${where}, sums`);
  if (plan.accumulate !== undefined) checkPlan(plan.accumulate, `${where}, accumulate`);
  checkPlan(plan.update, `${where}, update`);
  if (plan.evaluate !== undefined) checkPlan(plan.evaluate, `${where}, evaluate`);
  for (const [name, one] of Object.entries(plan.programs)) checkPlan(one, `${where}, ${name}`);
  checkTensors(plan, tell);
  checkParts(plan, tell);
  return plan;
}

const resident = {
  name: text,
  shape: list(whole(1)),
  state: text,
  offset: whole(0),
  bytes: whole(0),
  stored: maybe(text),
  init: maybe(init),
};

const fields = record({
  format: whole(trainingFormat, trainingFormat),
  name: text,
  target: text,
  recomputed: finite,
  programs: settings,
  frozen: list(record(resident)),
  tensors: list(record({ ...resident, group: whole(0), grafted: truth })),
  groups: list(record({ rate: finite, decay: finite })),
  moments: list(text),
  optimiser: record({ name: text }),
  micro: whole(1),
  ranks: whole(1),
  targets: each(
    list(
      byKind({
        mask: {},
        weights: {},
        labels: { classes: whole(1), ignore: maybe(whole(-(2 ** 31))) },
      }),
    ),
  ),
  settings,
  terms: list(text),
  adapters,
});

/** Tensors lie in states that there are, and have the room that their shapes need. */
function checkTensors(plan: TrainingPlan, tell: Tell): void {
  const states = new Map<string, number>();
  for (const { role, name = "", bytes } of sharedBuffers(plansOf(plan)))
    if (role === "state") states.set(name, bytes);
  const inside = ({ offset, bytes }: ResidentTensor, state: string, at: string) => {
    const held = states.get(state) ?? tell(at, `lies in ${state}, a state that no plan has`);
    if (offset + bytes > held) tell(at, `ends at byte ${offset + bytes} of ${held} in ${state}`);
  };
  const names = new Set<string>();
  for (const part of ["frozen", "tensors"] as const)
    for (const [i, tensor] of plan[part].entries()) {
      const at = `${part}[${i}]`;
      const { name, stored = "f32", shape, bytes } = tensor;
      if (names.has(name)) tell(`${at}.name`, `is ${name}, which is there already`);
      names.add(name);
      if (!isFormat(stored)) throw unknownFormat(`${name} is stored in`, stored);
      const needed = storedBytes(
        stored,
        shape.reduce((a, b) => a * b, 1),
      );
      if (bytes !== needed) tell(at, `has ${bytes} bytes, its shape needs ${needed}`);
      inside(tensor, tensor.state, at);
    }
  checkApart([...plan.frozen, ...plan.tensors], tell);
  for (const [i, tensor] of plan.tensors.entries()) {
    if (!/^parameters(?:\.\d+)?$/.test(tensor.state))
      tell(`tensors[${i}].state`, `is ${tensor.state}, which is not of parameters`);
    inside(tensor, stateBeside(tensor, "gradients"), `tensors[${i}]`);
    if (!plan.groups[tensor.group])
      tell(`tensors[${i}].group`, `is ${tensor.group} of ${plan.groups.length}`);
  }
  const flags = states.get("present") ?? tell("backward", "has no state present");
  if (flags < storedBytes("f32", plan.tensors.length))
    tell("backward", `has flags of ${flags / 4} tensors, not of ${plan.tensors.length}`);
}

/** No two tensors share a byte. */
function checkApart(tensors: readonly ResidentTensor[], tell: Tell): void {
  const ends = new Map<string, { readonly name: string; readonly end: number }>();
  for (const { name, state, offset, bytes } of tensors.toSorted((a, b) => a.offset - b.offset)) {
    if (offset % 4 !== 0) tell(name, `begins at byte ${offset}, which is not a multiple of 4`);
    const before = ends.get(state);
    if (before && before.end > offset) tell(name, `lies where ${before.name} does`);
    ends.set(state, { name, end: offset + bytes });
  }
}

/** The plans of a step take and return what each step gives and reads. */
function checkParts(
  { backward, sums, accumulate, update, evaluate, micro, terms }: TrainingPlan,
  tell: Tell,
): void {
  if (accumulate === undefined && micro > 1) tell("accumulate", "is not an object");
  const has = (list: readonly PlanTensor[], at: string, names: readonly string[]) => {
    for (const name of names) if (!list.some((t) => t.name === name)) tell(at, `has no ${name}`);
  };
  has(backward.outputs, "backward.outputs", ["loss", ...terms.map((name) => `term.${name}`)]);
  has(update.outputs, "update.outputs", ["norm", "broken"]);
  has(update.inputs, "update.inputs", ["rates", "decays", "chunk_tensor"]);
  if (sums) has(sums.inputs, "sums.inputs", [sumsBefore]);
  if (evaluate) has(evaluate.outputs, "evaluate.outputs", ["loss"]);
  if (accumulate) has(accumulate.inputs, "accumulate.inputs", ["chunk_tensor"]);
}
