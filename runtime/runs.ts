/** Runs of a plan in place, as calls do them: checked when the call is made, done in its turn. */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import type { Turn } from "./calls.ts";
import type { DeviceBuffer, Numbers, Submitted } from "./devices/device.ts";
import {
  type CheckedInput,
  checkInputs,
  checkValues,
  elementCount,
  entriesOf,
  type Inputs,
  unknownName,
} from "./inputs.ts";
import type { Placement } from "./placement.ts";
import { writeNumbers } from "./stored.ts";

/** The results of a run by name. */
export type Results = Record<string, Numbers>;

/** Checks and copies what is given to a run; what is returned runs, in a turn. `atOnce` as in `Calls.call`. */
export function prepareRun(
  placement: Placement,
  inputs: Inputs = {},
  names: readonly string[] = placement.plan.outputs.map((t) => t.name),
  atOnce = false,
): (turn: Turn) => Promise<Results> {
  const tensors = findOutputs(placement.plan, names);
  const checked = checkInputs(placement.plan, inputs, placement.device.doubles === true, atOnce);
  return async (turn) => {
    checkGiven(placement, checked);
    if (turn.signal) await keep([placement], tensorsOf(checked), turn);
    const { accepted } = await submit(placement, checked, turn.signal);
    const values = readTensors(placement, tensors);
    turn.leave();
    const [results] = await turn.wait(Promise.all([values, accepted]));
    return results;
  };
}

/** Checks and copies what states are set to; what is returned sets them, in a turn. */
export function prepareWrite(placement: Placement, values: Inputs): (turn: Turn) => Promise<void> {
  const { device, states } = placement;
  const all = entriesOf("states", values).map(([name, numbers]) => {
    const [state] = states.find(name);
    return { ...state!, numbers: checkValues("state", state!.tensor, numbers, device.doubles) };
  });
  return async (turn) => {
    await keepBuffers(
      placement,
      all.map(({ buffer }) => buffer),
      turn,
    );
    for (const { tensor, buffer, numbers } of all)
      await writeNumbers(device, buffer, tensor.offset, numbers);
  };
}

/** @throws E420 for a name that is no output's. */
export const findOutputs = (plan: Plan, names: readonly string[]): PlanTensor[] =>
  namesIn(plan, names).map((name) => {
    const output = plan.outputs.find((t) => t.name === name);
    if (!output) throw unknownName(plan, "output", name);
    return output;
  });

/** @throws E420 for a name that is neither an output's nor a state's. */
export const findTensors = (plan: Plan, names: readonly string[]): PlanTensor[] =>
  namesIn(plan, names).map(
    (name) => plan.states.find((t) => t.name === name) ?? findOutputs(plan, [name])[0]!,
  );

function namesIn(plan: Plan, names: readonly string[]): readonly string[] {
  if (Array.isArray(names)) return names;
  throw diagnose("E420", {
    message: `the outputs to read are ${typeof names === "string" ? `"${names}"` : typeof names}, not a list of names`,
    help: `give a list: [${plan.outputs.map((t) => `"${t.name}"`).join(", ")}]`,
  });
}

const tensorsOf = (inputs: readonly CheckedInput[]) => inputs.map(({ tensor }) => tensor);

/** Refuses a run of which an input was never given, before anything is changed. */
export function checkGiven({ plan, given }: Placement, inputs: readonly CheckedInput[]): void {
  const now = new Set(tensorsOf(inputs));
  const missing = plan.inputs.filter((t) => !given.has(t.name) && !now.has(t)).map((t) => t.name);
  if (missing.length === 0) return;
  throw diagnose("E420", {
    message: `plan ${plan.name} needs inputs that were never given: ${missing.join(", ")}`,
    help: `run({ ${missing.map((n) => `${n}: ...`).join(", ")} })`,
  });
}

/** Writes inputs and submits a run; resolves once that is done. */
export async function submit(
  placement: Placement,
  inputs: readonly CheckedInput[],
  signal: AbortSignal | undefined,
): Promise<Submitted> {
  await write(placement, inputs);
  placement.hasRun = true;
  return placement.program.run(signal);
}

/** Writes inputs: the device has copied all of them when this first waits. */
export async function write(
  { device, buffers, given }: Placement,
  inputs: readonly CheckedInput[],
): Promise<void> {
  const written = inputs.map(({ tensor, values }) =>
    writeNumbers(device, buffers[tensor.buffer]!, tensor.offset, values),
  );
  for (const one of written) if (one) await one;
  for (const { tensor } of inputs) given.add(tensor.name);
}

/** Submits the reading of tensors at once, and waits for their values, by name. */
export async function readTensors(
  { device, buffers }: Placement,
  tensors: readonly PlanTensor[],
): Promise<Results> {
  const values = await Promise.all(
    tensors.map((t) => {
      const scalar = t.dtype === "bool" ? "u32" : t.dtype;
      return device.read(buffers[t.buffer]!, t.offset, elementCount(t), scalar);
    }),
  );
  return Object.fromEntries(tensors.map((t, i) => [t.name, values[i]!]));
}

/**
 * Copies what runs change, if the call may be aborted: the inputs named, outputs and states. `also` puts
 * back what the host counts.
 */
export async function keep(
  placements: readonly Placement[],
  inputs: readonly PlanTensor[],
  turn: Turn,
  also: () => void = () => {},
): Promise<void> {
  const [first] = placements;
  if (!turn.signal || !first) return;
  const before = placements.map((p) => ({ p, given: [...p.given], hasRun: p.hasRun }));
  const changed = new Set(placements.flatMap((p) => changedBy(p, inputs)));
  const restore = await first.keeper.keep([...changed]);
  turn.undo(async () => {
    also();
    for (const { p, given, hasRun } of before) {
      p.given.clear();
      for (const name of given) p.given.add(name);
      p.hasRun = hasRun;
    }
    await restore();
  });
}

/** Copies buffers, if the call may be aborted. */
export async function keepBuffers(
  { keeper }: Placement,
  buffers: readonly DeviceBuffer[],
  turn: Turn,
): Promise<void> {
  if (turn.signal) turn.undo(await keeper.keep([...new Set(buffers)]));
}

/** Buffers in which a run leaves something: inputs, outputs, states that it makes anew. */
function changedBy({ plan, buffers }: Placement, inputs: readonly PlanTensor[]) {
  const states = plan.steps.flatMap(({ kernel, bindings }) => {
    const { params } = plan.kernels[kernel]!;
    const written = bindings.filter((_, i) => params[i]!.writes).map(({ buffer }) => buffer);
    return written.filter((i) => plan.buffers[i]!.role === "state");
  });
  const numbers = new Set([
    ...plan.inputs.filter((t) => inputs.includes(t)).map((t) => t.buffer),
    ...plan.outputs.map((t) => t.buffer),
    ...plan.commits.map(({ to }) => to.buffer),
    ...states,
  ]);
  return [...numbers].map((i) => buffers[i]!);
}
