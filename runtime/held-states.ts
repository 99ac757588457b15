/** States in memory: what they begin with, and how they are made so again. */
import type { PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { formatOf, plain } from "../formats/index.ts";
import type { Device, DeviceBuffer, Numbers } from "./devices/device.ts";
import { beginsWithZeros, type HeldState, type States, unknownState } from "./states.ts";
import { writeNumbers } from "./stored.ts";
import type { Readable } from "./weights/adapted.ts";
import { finite } from "./weights/finite.ts";
import { initialValues } from "./weights/initial.ts";
import { savedState } from "./weights/kinds.ts";
import { otherShape } from "./weights/shapes.ts";

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

const elements = ({ shape }: PlanTensor): number => shape.reduce((a, b) => a * b, 1);

const noWeights = (where: string, name: string) =>
  diagnose("E420", {
    message: `the state ${name} of ${where} begins as a tensor of the weights, but no weights are given`,
    help: "pass { weights: await openWeights(...) }",
  });
