/** What functions on tensors ask of their arguments, before they look into them. All throw E101. */
import { captureSpan } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { checkOptions, type OptionNames, shown } from "../../diagnostics/options.ts";
import {
  dtypes,
  numbersOf,
  problemOfNumber,
  problemOfShape,
  shapeHelp,
  shownList,
} from "./shapes.ts";
import { type DType, refuse, type Tensor } from "./tensor.ts";

/** Requires a shape in numbers. @throws E101 */
export function checkShape(name: string, inputs: readonly Tensor[], shape: unknown): void {
  const problem = problemOfShape(shape);
  if (problem !== undefined) refuse(name, inputs, problem, shapeHelp);
}

/** Requires that a dtype can hold a number. @throws E101 */
export function checkHolds(
  name: string,
  inputs: readonly Tensor[],
  value: unknown,
  dtype: DType,
): void {
  checkDType(name, inputs, dtype);
  const problem = problemOfNumber(value, dtype);
  if (problem !== undefined) refuse(name, inputs, problem, numbersOf[dtype]);
}

/** @throws E101 */
export const checkDType = (name: string, inputs: readonly Tensor[], dtype: unknown): void =>
  checkOneOf(name, inputs, "the dtype", dtype, dtypes);

export interface Limits {
  /** Of the numbers that are allowed. */
  readonly least?: number;
  readonly most?: number;
  readonly whole?: boolean;
}

/** Requires a finite number within limits. @throws E101 */
export function checkNumber(
  name: string,
  inputs: readonly Tensor[],
  what: string,
  value: unknown,
  { least = -Number.MAX_VALUE, most = Number.MAX_VALUE, whole = false }: Limits = {},
): void {
  const isNumber = typeof value === "number" && (whole ? Number.isSafeInteger(value) : true);
  if (isNumber && value >= least && value <= most) return;
  const kind = whole ? "a whole number" : "a finite number";
  const from = least === -Number.MAX_VALUE ? "" : ` from ${least} up`;
  const to = most === Number.MAX_VALUE ? "" : `, at most ${most}`;
  refuse(name, inputs, `${what} is ${shown(value)}`, `give ${kind}${from}${to}`);
}

/** Requires one of a few names. @throws E101 */
export function checkOneOf(
  name: string,
  inputs: readonly Tensor[],
  what: string,
  value: unknown,
  names: readonly string[],
): void {
  if (typeof value === "string" && names.includes(value)) return;
  const near = typeof value === "string" ? meant(value, names) : undefined;
  const list = names.map((one) => `"${one}"`).join(", ");
  refuse(
    name,
    inputs,
    `${what} is ${shown(value)}`,
    near === undefined ? `it is one of ${list}` : `write "${near}"; it is one of ${list}`,
  );
}

/** Requires a list, of `count` items where that is given. @throws E101 */
export function checkList(
  name: string,
  inputs: readonly Tensor[],
  what: string,
  value: unknown,
  count?: number,
): asserts value is readonly unknown[] {
  if (Array.isArray(value) && (count === undefined || value.length === count)) return;
  const found = Array.isArray(value) ? shownList(value) : shown(value);
  refuse(
    name,
    inputs,
    `${what} is ${found}`,
    count === undefined ? "give a list: [...]" : `give a list of ${count}`,
  );
}

/**
 * Checks the names of options, at the user's place. @throws E460 for an unknown name and for what is no
 * object, E101 where options are needed and there are none.
 */
export function checkNames<T extends object>(
  name: string,
  given: T | undefined,
  known: OptionNames<T>,
  are: "needed" | "optional" = "optional",
): void {
  if (given !== undefined) checkOptions(name, given, known, captureSpan);
  else if (are === "needed")
    refuse(name, [], "its options are missing", `it has ${Object.keys(known).join(", ")}`);
}
