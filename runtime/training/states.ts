/** The model's own states in a training: steps move them, and a step that does not count restores them. */
import type { PlanTensor } from "../../compiler/plan.ts";
import type { Device, DeviceBuffer, Numbers } from "../devices/device.ts";
import { late } from "../late.ts";
import { type HeldState, modelStates, noStates } from "../states.ts";
import { writeNumbers } from "../stored.ts";
import type { Readable } from "../weights/adapted.ts";
import { beforeStep, modelPrefix, ownName, type TrainingPlan } from "./plan.ts";

export interface ModelStates {
  /** By the names that the model gives them. */
  readonly held: ReadonlyMap<string, HeldState>;
  /** The memory of these states, all unless given. @throws E253 for a name that is no state's. */
  buffers(names?: string | readonly string[]): readonly DeviceBuffer[];
  /** Those that steps move. */
  readonly moved: readonly PlanTensor[];
  /** Makes states what they were at first. @throws E253 for a name that is no state's. */
  reset(names?: string | readonly string[]): Promise<void>;
  /** @throws E253 for a name that is no state's. */
  read(name: string): Promise<Numbers>;
  write(name: string, values: Numbers): Promise<void>;
  /** Sets the states that steps move to what an adapter's file has. @throws E434 for another shape. */
  load(file: Readable): Promise<void>;
}

const heldStates = () => late(import("../held-states.ts"));

/** Takes hold of the model's states in memory that all plans share; they begin as they should. */
export async function holdModelStates(
  plan: TrainingPlan,
  device: Device,
  buffers: ReadonlyMap<string, DeviceBuffer>,
  weights: Readable,
): Promise<ModelStates> {
  const of = modelStates({ backward: plan.backward, ...plan.programs }).filter(({ memory }) =>
    memory.startsWith(modelPrefix),
  );
  const all = of.map(({ tensor, memory }) => ({
    tensor: { ...tensor, name: ownName(tensor.name) },
    buffer: buffers.get(memory)!,
    before: buffers.get(beforeStep(memory)),
  }));
  const copies = new Map(all.map(({ tensor, before }) => [tensor.name, before]));
  /** A state, and the copy of it from before the step. */
  const both = ({ tensor, buffer }: HeldState): HeldState[] => {
    const before = copies.get(tensor.name);
    return before
      ? [
          { tensor, buffer },
          { tensor, buffer: before },
        ]
      : [{ tensor, buffer }];
  };
  const where = `the training of ${plan.name}`;
  const hold = async () => {
    const { holdStates } = await heldStates();
    return holdStates(where, device, all, weights);
  };
  const states = all.length > 0 ? await hold() : noStates(where);
  await states.begin(all.flatMap(both));
  const moved = all.filter(({ before }) => before).map(({ tensor }) => tensor);
  const write: ModelStates["write"] = async (name, values) => {
    for (const { tensor, buffer } of states.find(name).flatMap(both))
      await writeNumbers(device, buffer, tensor.offset, values);
  };
  return {
    held: states.held,
    buffers: (names) =>
      states
        .find(names)
        .flatMap(both)
        .map(({ buffer }) => buffer),
    moved,
    reset: async (names) => states.reset(states.find(names).flatMap(both)),
    async read(name) {
      const [{ tensor, buffer }] = states.find(name) as [HeldState];
      const count = tensor.shape.reduce((a, b) => a * b, 1);
      const scalar = tensor.dtype === "bool" ? "u32" : tensor.dtype;
      return device.read(buffer, tensor.offset, count, scalar);
    },
    write,
    async load(file) {
      for (const tensor of moved)
        await write(tensor.name, await (await heldStates()).savedValues(tensor, file));
    },
  };
}
