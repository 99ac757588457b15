/** Which shapes, sizes and numbers there are, whoever asks for them. */
import { shown } from "../../diagnostics/options.ts";

export type DType = "f32" | "i32" | "u32" | "bool";

/** Elements are counted and found with `u32`. */
const mostElements = 2 ** 32 - 1;
const mostAxes = 32;

/** What is wrong with a shape in numbers; undefined if nothing is. */
export function problemOfShape(shape: unknown): string | undefined {
  if (!Array.isArray(shape)) return `the shape is ${shown(shape)}, not a list of sizes`;
  if (shape.length > mostAxes) return `a shape of ${shape.length} axes, more than ${mostAxes}`;
  let count = 1;
  // Not `every`, which passes over the holes of a list.
  for (let i = 0; i < shape.length; i++) {
    if (!isSize(shape[i])) return `${shownList(shape)} has the size ${shown(shape[i])}`;
    count *= shape[i];
  }
  return count > mostElements
    ? `${shownList(shape)} has ${count} elements, more than ${mostElements}`
    : undefined;
}

export const shapeHelp =
  "sizes are whole numbers from 1 up, and a shape is a list of them: [2, 64]";

const isSize = (size: unknown): size is number =>
  Number.isSafeInteger(size) && (size as number) >= 1;

/** [2, 1.5, "a"]: of a list that may hold anything. */
export const shownList = (list: readonly unknown[]): string =>
  `[${Array.from(list.slice(0, mostAxes + 1), shown).join(", ")}${list.length > mostAxes + 1 ? ", …" : ""}]`;

export const dtypes: readonly DType[] = ["f32", "i32", "u32", "bool"];

/** What is wrong with a number as an element of a dtype; undefined if nothing is. */
export function problemOfNumber(value: unknown, dtype: DType): string | undefined {
  if (typeof value !== "number") return `${shown(value)} is no number`;
  return holds[dtype](value) ? undefined : `${dtype} cannot hold ${value}`;
}

/** What numbers a dtype has, in words. */
export const numbersOf: Readonly<Record<DType, string>> = {
  f32: "f32 holds numbers up to 3.4028234663852886e38, infinities and NaN",
  i32: 'i32 holds whole numbers from -2147483648 to 2147483647; for others use cast(x, "f32")',
  u32: 'u32 holds whole numbers from 0 to 4294967295; for others use cast(x, "i32") or cast(x, "f32")',
  bool: "bool holds 0 and 1",
};

const isWithin = (value: number, least: number, end: number) =>
  Number.isInteger(value) && value >= least && value < end;

const holds: Readonly<Record<DType, (value: number) => boolean>> = {
  f32: (value) => !Number.isFinite(value) || Number.isFinite(Math.fround(value)),
  i32: (value) => isWithin(value, -(2 ** 31), 2 ** 31),
  u32: (value) => isWithin(value, 0, 2 ** 32),
  bool: (value) => value === 0 || value === 1,
};
