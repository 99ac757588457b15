/**
 * States: memory of a device that outlives runs. Programs of one model share it by name; this is what
 * can be done with it between runs.
 */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { formatOf, plain } from "../formats/index.ts";
import type { Device, DeviceBuffer, Numbers } from "./devices/device.ts";
import { writeNumbers } from "./stored.ts";
import type { Readable } from "./weights/adapted.ts";
import { finite } from "./weights/finite.ts";
import { initialValues } from "./weights/initial.ts";
import { savedState } from "./weights/kinds.ts";
import { otherShape } from "./weights/shapes.ts";

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

/** Random first values of states do not depend on the session. */
const seed = 0;

/**
 * Takes hold of states and reads what they begin with: what training left in them, if one of the files
 * has it, the last that does; else what their `init` says. It writes nothing. `where` is what messages
 * call the plan, or the model.
 * @throws E430 for weights that lack a tensor that a state begins as; what `savedValues` throws.
 */
export async function holdStates(
  where: string,
  device: Device,
  all: readonly HeldState[],
  weights: Readable | undefined,
  adapter?: Readable,
): Promise<States> {
  const held = new Map(all.map((state) => [state.tensor.name, state]));
  let kept: ReadonlyMap<string, Numbers>;
  const take: States["take"] = async (weights, adapter) => {
    const values = new Map<string, Numbers>();
    for (const { tensor } of all) {
      const name = savedState(tensor.name);
      const file = [adapter, weights].find((one) => one?.tensors.has(name));
      if (file) values.set(tensor.name, await savedValues(tensor, file));
      if (file || !tensor.init || tensor.init.kind === "constant") continue;
      if (!weights && tensor.init.kind === "copy") continue;
      values.set(tensor.name, await initialValues(tensor, seed, weights ?? nothing));
    }
    kept = values;
  };
  await take(weights, adapter);
  const find: States["find"] = (names = [...held.keys()]) =>
    [names].flat().map((name) => held.get(name) ?? unknownState(where, name, held.keys()));
  const reset: States["reset"] = async (states) => {
    for (const { tensor, buffer } of states) {
      const values = kept.get(tensor.name);
      if (!values && tensor.init?.kind === "copy") throw noWeights(where, tensor.name);
      if (values) await writeNumbers(device, buffer, tensor.offset, values);
      else await writeConstant(device, buffer, tensor);
    }
  };
  const isNew = ({ tensor }: HeldState) => !kept.has(tensor.name) && beginsWithZeros(tensor);
  const begin: States["begin"] = (states) => reset(states.filter((state) => !isNew(state)));
  return { held, find, begin, reset, take };
}

/** What a file has of a state. @throws E205 for NaN and infinite values, E434 for another shape. */
export async function savedValues(
  { name, dtype, shape }: PlanTensor,
  file: Readable,
): Promise<Numbers> {
  const entry = file.tensors.get(savedState(name))!;
  if (entry.shape.join() !== shape.join())
    throw diagnose("E434", {
      message: otherShape(`the state ${name}`, entry, { shape }, "program"),
      where: file.source,
      help: "use the file of this very model",
    });
  const values: number[] = [];
  const key = savedState(name);
  for await (const chunk of finite(file.chunks(key, undefined, true), key, file.source))
    for (const value of chunk) values.push(value);
  return new (formatOf(plain(dtype)).array!)(values) as Numbers;
}

const nothing: Readable = { source: "", tensors: new Map(), async *chunks() {} };

/** Words at a time. */
const piece = 2 ** 20;

async function writeConstant(device: Device, buffer: DeviceBuffer, tensor: PlanTensor) {
  const { dtype, offset, init } = tensor;
  const count = elements(tensor);
  const value = init?.kind === "constant" ? init.value : 0;
  const values = new (formatOf(plain(dtype)).array!)(Math.min(count, piece)).fill(value);
  let start = offset;
  for (let at = 0; at < count; at += values.length) {
    const some = values.subarray(0, Math.min(values.length, count - at));
    await writeNumbers(device, buffer, start, some);
    start += some.byteLength;
  }
}

/** Whether a state begins as a new buffer does, if no file has it: a device fills it with zeros. */
const beginsWithZeros = ({ init }: PlanTensor): boolean =>
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

const elements = ({ shape }: PlanTensor): number => shape.reduce((a, b) => a * b, 1);

const noWeights = (where: string, name: string) =>
  diagnose("E420", {
    message: `the state ${name} of ${where} begins as a tensor of the weights, but no weights are given`,
    help: "pass { weights: await openWeights(...) }",
  });

function unknownState(where: string, name: string, known: Iterable<string>): never {
  const names = [...known];
  const near = meant(name, names);
  throw diagnose("E253", {
    message: `${where} has no state "${name}"`,
    help: `${near ? `did you mean "${near}"? ` : ""}its states are ${names.join(", ") || "none"}`,
  });
}
