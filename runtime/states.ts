/**
 * States: memory of a device that outlives runs. Programs of one model share it by name. What is done with it
 * between runs is in `held-states.ts`, which is loaded where there are states.
 */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import type { DeviceBuffer } from "./devices/device.ts";
import type { Readable } from "./weights/adapted.ts";

/** A state and the memory that it lies in. */
export interface HeldState {
  readonly tensor: PlanTensor;
  readonly buffer: DeviceBuffer;
}

export interface States {
  readonly held: ReadonlyMap<string, HeldState>;
  /** The states of these names, all unless given. @throws E253 for a name that is none. */
  find(names?: string | readonly string[]): readonly HeldState[];
  /** Reads anew what the states begin with, from other files; the memory stays as it is. */
  take(weights: Readable | undefined, adapter: Readable | undefined): Promise<void>;
  /** As `reset`, of memory that is new: what begins as that is, is left alone. */
  begin(states: readonly HeldState[]): Promise<void>;
  /**
   * Makes states what they were at first.
   * @throws E420 for states that begin as tensors of weights where there are none.
   */
  reset(states: readonly HeldState[]): Promise<void>;
}

/** Of a plan that has none. `where` is what messages call it. */
export const noStates = (where: string): States => ({
  held: new Map(),
  find: (names = []) => [names].flat().map((name) => unknownState(where, name, [])),
  async take() {},
  async begin() {},
  async reset() {},
});

/** Whether a state begins as a new buffer does, if no file has it: a device fills it with zeros. */
export const beginsWithZeros = ({ init }: PlanTensor): boolean =>
  !init || (init.kind === "constant" && init.value === 0);

/** Whether a plan reads weights: as parameters, or as what its states begin with. */
export const needsWeights = ({ parameters, states }: Plan): boolean =>
  parameters.length > 0 || states.some((t) => t.init?.kind === "copy");

export interface ModelState {
  readonly tensor: PlanTensor;
  /** The name of the buffer that it lies in. */
  readonly memory: string;
}

/**
 * The states of a model's programs, one of each name. `plans` are by program; `called` makes a name in a
 * plan what the model calls it.
 * @throws E250 for programs that disagree about the dtype, the shape or the first value of one.
 */
export function modelStates(
  plans: Readonly<Record<string, Plan>>,
  called = (name: string): string => name,
): readonly ModelState[] {
  const known = new Map<string, ModelState & { readonly program: string }>();
  for (const [program, { states, buffers }] of Object.entries(plans))
    for (const tensor of states) {
      const before = known.get(tensor.name);
      const { name: memory = "" } = buffers[tensor.buffer]!;
      if (!before) known.set(tensor.name, { program, tensor, memory });
      else if (words(before.tensor) !== words(tensor))
        throw diagnose("E250", {
          message: `the state "${called(tensor.name)}" is ${words(before.tensor)} in the program ${before.program}, but ${words(tensor)} in ${program}`,
          help: "declare it with one dtype, shape and initial value, or call one of the two otherwise",
        });
    }
  return [...known.values()].map(({ tensor, memory }) => ({ tensor, memory }));
}

const words = (tensor: PlanTensor): string => {
  const { dtype, shape, init } = tensor;
  const first = beginsWithZeros(tensor) ? "" : ` that begins as ${JSON.stringify(init)}`;
  return `${dtype}[${shape.join(", ")}]${first}`;
};

/** @throws E253 for a name that is none of these. */
export function unknownState(where: string, name: string, known: Iterable<string>): never {
  const names = [...known];
  const near = meant(name, names);
  throw diagnose("E253", {
    message: `${where} has no state "${name}"`,
    help: `${near ? `did you mean "${near}"? ` : ""}its states are ${names.join(", ") || "none"}`,
  });
}
