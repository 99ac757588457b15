/** What the files of a task hold, and the numbers that are made of them. */
import { diagnose } from "../../diagnostics/index.ts";
import { type Labels, levelsOf, type MaskValue } from "../../predict/vision/levels.ts";
import { ignored, type Task } from "./sample.ts";

/** A class: its name, and what it is in the files; the number of its place unless it is said. */
export type ClassName = string | { readonly name: string; readonly value: MaskValue };

/** A picture in which every pixel's value, or colour as `#rrggbb`, is a class. */
export interface ClassFiles {
  readonly kind: "classes";
  /** In the order of their labels, or how many. */
  readonly classes: number | readonly ClassName[];
  /** What does not count. */
  readonly ignore?: MaskValue | readonly MaskValue[] | undefined;
}

/** A picture of what is inside, label 1, and outside, label 0: white on black, or of two values of which one is 0. */
export interface MaskFiles {
  readonly kind: "mask";
  /** What is inside, where white on black does not say it. */
  readonly value?: MaskValue | undefined;
  /** What does not count: a grey value, or an index. */
  readonly ignore?: number | undefined;
  /** "object" unless given. */
  readonly name?: string | undefined;
}

/** A grey picture of 8 or 16 bits, or a `.npy` file `[height, width]`. */
export interface DepthFiles {
  readonly kind: "depth";
  /** What a value is multiplied by: 0.001 for millimetres in metres. 1 unless given. */
  readonly scale?: number | undefined;
  /** The value of pixels whose depth is not known, as in the file; 0 unless given. */
  readonly unknown?: number | undefined;
}

/**
 * A picture whose red, green and blue are x, y and z from -1 to 1, black where nothing is known, or a `.npy` file
 * `[3, height, width]` or `[height, width, 3]`, zeros where nothing is known.
 */
export interface NormalFiles {
  readonly kind: "normals";
}

export type TaskFiles = ClassFiles | MaskFiles | DepthFiles | NormalFiles;

/** @throws E1004 for classes that are none. */
export function taskOf(files: TaskFiles): Task {
  if (files.kind === "depth") return { kind: "depth", scale: files.scale ?? 1 };
  if (files.kind === "normals") return { kind: "normals" };
  if (files.kind === "mask")
    return { kind: "labels", classes: ["background", files.name ?? "object"] };
  const { classes } = files;
  const names =
    typeof classes === "number"
      ? Array.from({ length: classes }, (_, i) => String(i))
      : classes.map((one) => (typeof one === "string" ? one : one.name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (names.length > 0 && twice === undefined) return { kind: "labels", classes: names };
  throw diagnose("E1004", {
    message: twice === undefined ? "a task has no classes" : `a task has two classes "${twice}"`,
    help: 'give their names in the order of their labels: { kind: "classes", classes: ["sky", "road"] }',
  });
}

/**
 * The labels of a picture's values.
 * @throws E1006 for a value that is no class, for values that compression has changed, and for transparent pixels;
 * E363 and E364 for a mask that can be read in several ways.
 */
export function labelsFrom(values: Labels, files: ClassFiles | MaskFiles, where: string) {
  checkOpaque(values, where);
  return files.kind === "mask" ? fromMask(values, files, where) : fromClasses(values, files, where);
}

function fromClasses(labels: Labels, { classes, ignore }: ClassFiles, where: string): Int32Array {
  const { kind, palette, values, width } = labels;
  if (labels.isLossy)
    throw wrong(where, "compression has changed its values, which are classes", "save it as PNG");
  const list = typeof classes === "number" ? Array.from({ length: classes }, (_, i) => i) : classes;
  const known = new Map<number | string, number>(
    list.map((one, i) => [keyOf(typeof one === "object" ? one.value : i), i]),
  );
  for (const value of [ignore ?? []].flat()) known.set(keyOf(value), ignored);
  const colour = (value: number) => `#${value.toString(16).padStart(6, "0")}`;
  const keysOf = (value: number): (number | string)[] => {
    if (kind === "colour") return [colour(value)];
    const shown = kind === "index" ? palette?.[value] : labels.white === 255 && value * 0x010101;
    return typeof shown === "number" ? [value, colour(shown)] : [value];
  };
  const labelOf = (value: number, i: number): number => {
    const label = keysOf(value)
      .map((key) => known.get(key))
      .find((one) => one !== undefined);
    if (label !== undefined) return label;
    throw wrong(
      where,
      `it holds ${keysOf(value)[0]} at column ${i % width}, row ${Math.floor(i / width)}, and the classes are ${listOf(known)}`,
      "name all classes with their values, and what does not count: { ignore: 255 }",
    );
  };
  const out = new Int32Array(values.length);
  // Neighbours are mostly of one class.
  for (let i = 0, last = -1, label = 0; i < out.length; i++) {
    const value = values[i]!;
    if (value !== last) label = labelOf(value, i);
    last = value;
    out[i] = label;
  }
  return out;
}

/** The values of classes, and of what does not count, as a message names them. */
function listOf(known: ReadonlyMap<number | string, number>): string {
  const all = [...known].map(([key, label]) => (label === ignored ? `${key} (ignored)` : key));
  return all.length > 12 ? `${all.slice(0, 10).join(", ")} … ${all.at(-1)}` : all.join(", ");
}

const keyOf = (value: MaskValue) => (typeof value === "string" ? value.toLowerCase() : value);

function fromMask(labels: Labels, { value, ignore }: MaskFiles, where: string): Int32Array {
  const isLeft = (one: number) => ignore !== undefined && one === ignore;
  const values = labels.values.map((one) => (isLeft(one) ? 0 : one));
  const isEmpty = values.every((one) => one === 0);
  const inside = isEmpty
    ? new Uint8Array(values.length)
    : levelsOf({ ...labels, values, alpha: undefined }, { maskValue: value, where }).inside;
  const found = new Int32Array(values.length);
  for (let i = 0; i < found.length; i++)
    found[i] = isLeft(labels.values[i]!) ? ignored : inside[i]! >= 128 ? 1 : 0;
  return found;
}

/** What is under a transparent pixel is not what was painted. */
function checkOpaque({ alpha, white, width }: Labels, where: string): void {
  const clear = alpha?.findIndex((value) => value !== white) ?? -1;
  if (clear < 0) return;
  throw wrong(
    where,
    `it is transparent at column ${clear % width}, row ${Math.floor(clear / width)}`,
    "save it without an alpha channel",
  );
}

const wrong = (where: string, message: string, help: string) =>
  diagnose("E1006", { message, where, help });
