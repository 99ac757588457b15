/** What is given to a run, checked and copied: from then on it is the call's own. */
import type { Plan, PlanTensor } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { shown } from "../diagnostics/options.ts";
import type { Numbers } from "./devices/device.ts";

/** Inputs of a run: plain numbers are converted to the input's dtype. */
export type Inputs = Readonly<Record<string, Numbers | readonly number[]>>;

/** An input's values, of the type in which it is written. */
export interface CheckedInput {
  readonly tensor: PlanTensor;
  readonly values: Numbers;
}

/**
 * Checks all inputs before any is written. `isDouble`: the device takes doubles as they are. `atOnce`: they are
 * written before the caller goes on, so that arrays of their dtype need no copy.
 * @throws E420 for what is no input, and for the first element that its dtype cannot hold.
 */
export const checkInputs = (
  plan: Plan,
  inputs: Inputs,
  isDouble: boolean,
  atOnce = false,
): CheckedInput[] =>
  entriesOf("inputs", inputs).map(([name, values]) => {
    const tensor = plan.inputs.find((t) => t.name === name);
    if (!tensor) throw unknownName(plan, "input", name);
    return { tensor, values: checkValues("input", tensor, values, isDouble, atOnce) };
  });

/** What is given by name. @throws E420 for what is not. */
export function entriesOf(what: string, given: Inputs): [string, unknown][] {
  if (typeof given === "object" && given !== null && !isList(given)) return Object.entries(given);
  throw diagnose("E420", {
    message: `${what} are given by name, not as ${shown(given)}`,
    help: "pass { NAME: numbers }",
  });
}

/** Refuses a name that is none of a plan's. */
export function unknownName(plan: Plan, kind: "input" | "output", name: unknown) {
  const names = plan[`${kind}s`].map((t) => t.name);
  const near = meant(String(name), names);
  return diagnose("E420", {
    message: `plan ${plan.name} has no ${kind} "${String(name)}"`,
    help: `${near === undefined ? "" : `did you mean "${near}"? `}its ${kind}s are ${names.join(", ") || "none"}`,
  });
}

export const elementCount = (t: Pick<PlanTensor, "shape">): number =>
  t.shape.reduce((a, b) => a * b, 1);

const isList = (values: unknown): values is ArrayLike<unknown> =>
  Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView));

/**
 * A copy of the values, as an array of the tensor's dtype; the array itself where it is one and is read `atOnce`.
 * `what` the tensor is, for messages.
 * @throws E420 for the first element that its dtype cannot hold.
 */
export function checkValues(
  what: "input" | "state",
  tensor: PlanTensor,
  values: unknown,
  isDouble = false,
  atOnce = false,
): Numbers {
  const input = { ...tensor, name: `${what} ${tensor.name}` };
  if (!isList(values))
    throw diagnose("E420", {
      message: `${input.name} is ${shown(values)}, not an array`,
      help: "give a typed array or a list of numbers",
    });
  if (values.length !== elementCount(input))
    throw diagnose("E420", {
      message: `${input.name} has ${values.length} elements, but its shape [${input.shape.join(", ")}] holds ${elementCount(input)}`,
      help: "give row-major values of that shape",
    });
  switch (input.dtype) {
    case "f32":
      if (values instanceof Float32Array) return atOnce ? plain(values) : new Float32Array(values);
      if (isDouble && values instanceof Float64Array) return new Float64Array(values);
      return converted(input, values, new Float32Array(values.length), singleFault);
    case "i32":
      if (values instanceof Int32Array) return new Int32Array(values);
      return converted(
        input,
        values,
        new Int32Array(values.length),
        wholeFault(-(2 ** 31), 2 ** 31),
      );
    case "u32":
      if (values instanceof Uint32Array) return new Uint32Array(values);
      return converted(input, values, new Uint32Array(values.length), wholeFault(0, 2 ** 32));
    case "bool":
      return truths(input, values);
  }
}

/** Memory that is shared, or that may grow, is not given to devices. */
const plain = (values: Float32Array): Float32Array<ArrayBuffer> =>
  values.buffer instanceof ArrayBuffer && !(values.buffer as Growing).resizable
    ? (values as Float32Array<ArrayBuffer>)
    : new Float32Array(values);

/** What later versions of JavaScript know of a buffer. */
interface Growing {
  readonly resizable?: boolean;
}

/** What is wrong with a number, if anything. */
type Fault = (value: number) => string | undefined;

const largestSingle = (2 - 2 ** -23) * 2 ** 127;

const singleFault: Fault = (value) =>
  Math.abs(value) > largestSingle && Number.isFinite(value) && !Number.isFinite(Math.fround(value))
    ? `beyond the largest f32, ${largestSingle}`
    : undefined;

const wholeFault =
  (least: number, end: number): Fault =>
  (value) => {
    if (!Number.isInteger(value)) return "no whole number";
    return value < least || value >= end ? `not from ${least} to ${end - 1}` : undefined;
  };

function converted<T extends Numbers>(
  input: PlanTensor,
  values: ArrayLike<unknown>,
  into: T,
  faultOf: Fault,
): T {
  for (let i = 0; i < into.length; i++) {
    const value = values[i];
    if (typeof value !== "number") throw notNumber(input, i, value);
    const fault = faultOf(value);
    if (fault !== undefined) throw badElement(input, i, `${value}, ${fault}`);
    into[i] = value;
  }
  return into;
}

/** Zero is false, and every other number true. */
function truths(input: PlanTensor, values: ArrayLike<unknown>): Numbers {
  const into = new Uint32Array(values.length);
  for (let i = 0; i < into.length; i++) {
    const value = values[i];
    if (typeof value !== "number" && typeof value !== "boolean") throw notNumber(input, i, value);
    if (Number.isNaN(value)) throw badElement(input, i, "NaN, neither true nor false");
    into[i] = Number(value) === 0 ? 0 : 1;
  }
  return into;
}

const notNumber = (input: PlanTensor, index: number, value: unknown) =>
  badElement(input, index, `${shown(value)}, not a number`);

const badElement = (input: PlanTensor, index: number, words: string) =>
  diagnose("E420", {
    message: `element ${index} of ${input.name} is ${words}`,
    help: `give ${elementCount(input)} values of ${input.dtype}, row-major and not nested`,
  });
