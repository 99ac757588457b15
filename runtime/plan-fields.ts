/** Checks of what a file holds, field by field: what plans of all kinds are checked with. */
import { diagnose } from "../diagnostics/index.ts";
import { isRecord } from "./weights/json.ts";

/** Tells, as E516, what is wrong in a file, or in what messages call it. */
export const malformedPlan =
  (where: string): Tell =>
  (at, problem) => {
    throw diagnose("E516", {
      message: `${at === "" ? "the plan" : at} ${problem}`,
      where,
      help: "build it again with this version of inarch; plans are not meant to be edited",
    });
  };

export type Tell = (at: string, problem: string) => never;
/** Tells what is wrong with the value at a place such as `steps[3].groups`. */
export type Check = (value: unknown, at: string, tell: Tell) => void;

export const text: Check = (value, at, tell) => {
  if (typeof value !== "string") tell(at, "is not a text");
};

export const truth: Check = (value, at, tell) => {
  if (typeof value !== "boolean") tell(at, "is not true or false");
};

export const whole =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value, at, tell) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
      tell(at, `is ${JSON.stringify(value)}, not a whole number from ${least} to ${most}`);
  };

/** No NaN and no infinity: JSON has neither. */
export const finite: Check = (value, at, tell) => {
  if (typeof value !== "number" || !Number.isFinite(value))
    tell(at, `is ${JSON.stringify(value)}, not a number`);
};

export const oneOf =
  (...names: readonly string[]): Check =>
  (value, at, tell) => {
    if (!names.includes(value as string))
      tell(at, `is ${JSON.stringify(value)}, not one of ${names.join(", ")}`);
  };

export const list =
  (of: Check, length?: number): Check =>
  (value, at, tell) => {
    if (!Array.isArray(value)) return tell(at, "is not a list");
    if (length !== undefined && value.length !== length)
      tell(at, `has ${value.length} entries, not ${length}`);
    // Not `forEach`, which passes over holes.
    for (let i = 0; i < value.length; i++) of(value[i], `${at}[${i}]`, tell);
  };

export const maybe =
  (of: Check): Check =>
  (value, at, tell) => {
    if (value !== undefined) of(value, at, tell);
  };

export const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, at, tell) => {
    if (!isRecord(value)) return tell(at, "is not an object");
    for (const [name, check] of Object.entries(fields))
      check(
        Object.hasOwn(value, name) ? value[name] : undefined,
        at === "" ? name : `${at}.${name}`,
        tell,
      );
  };

/** JSON by any names. */
export const settings: Check = (value, at, tell) => {
  if (!isRecord(value)) tell(at, "is not an object");
};

/** By any names: each value is one of these. */
export const each =
  (of: Check): Check =>
  (value, at, tell) => {
    settings(value, at, tell);
    for (const [name, one] of Object.entries(value as object)) of(one, `${at}.${name}`, tell);
  };

/** One of several records, told by its `kind`. */
export const byKind =
  (kinds: Readonly<Record<string, Readonly<Record<string, Check>>>>): Check =>
  (value, at, tell) => {
    record({ kind: oneOf(...Object.keys(kinds)) })(value, at, tell);
    record(kinds[(value as { readonly kind: string }).kind]!)(value, at, tell);
  };

/** How a parameter or a state begins. */
export const init = byKind({
  constant: { value: finite },
  uniform: { bound: finite },
  normal: { mean: maybe(finite), deviation: finite },
  "truncated normal": { deviation: finite },
  copy: { from: text, rows: maybe(whole(1)) },
});

export const adapters = maybe(
  list(
    record({
      name: text,
      settings,
      assumed: list(text),
      trainingOnly: list(text),
      places: list(text),
    }),
  ),
);
