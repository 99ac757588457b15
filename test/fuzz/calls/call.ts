/** A call as data: what is called with which numbers, what comes before it, and how it is disturbed. */
import type { Random } from "../random.ts";

/** Values as a user gives them: of a kind of list, or nothing of the sort. */
export interface Values {
  readonly as: keyof typeof makers;
  readonly of: readonly number[];
}

export type Argument = string | readonly string[] | Readonly<Record<string, Values>> | undefined;

export interface Call {
  /** `one.run`, `two.close`, `lose`. */
  readonly method: string;
  readonly args: readonly Argument[];
  /** What passes before the call: nothing, a turn of promises, a turn of events, or all calls before. */
  readonly after: "nothing" | "promises" | "events" | "all";
  /** Milliseconds until it is aborted; -1: its signal is aborted before the call. */
  readonly abort?: number;
  /** Its arrays are overwritten as soon as it is made. */
  readonly overwritten: boolean;
  /** It must be refused. */
  readonly bad?: string;
}

const makers = {
  Float32Array: (of: readonly number[]) => Float32Array.from(of),
  Int32Array: (of: readonly number[]) => Int32Array.from(of),
  Uint32Array: (of: readonly number[]) => Uint32Array.from(of),
  array: (of: readonly number[]) => [...of],
  // What is refused.
  undefined: () => undefined,
  null: () => null,
  words: (of: readonly number[]) => of.map(String),
  nested: (of: readonly number[]) => of.map((x) => [x]),
  holes: (of: readonly number[]) => Array(of.length),
  bigints: (of: readonly number[]) => BigInt64Array.from(of, (x) => BigInt(Math.trunc(x))),
  length: (of: readonly number[]) => ({ length: of.length }),
  longer: (of: readonly number[]) => [...of, 1],
  shorter: (of: readonly number[]) => of.slice(1),
  number: () => 5,
};

export const badForms: readonly (keyof typeof makers)[] = [
  "undefined",
  "null",
  "words",
  "nested",
  "holes",
  "bigints",
  "length",
  "longer",
  "shorter",
  "number",
];

/** What the call is given: new arrays each time. */
export function real(arg: Argument): unknown {
  if (typeof arg !== "object") return arg;
  if (Array.isArray(arg)) return [...arg];
  return Object.fromEntries(
    Object.entries(arg as Record<string, Values>).map(([name, v]) => [name, makers[v.as](v.of)]),
  );
}

/** Whoever keeps an array that was given sees these. */
export function overwrite(args: readonly unknown[]): void {
  for (const arg of args)
    if (typeof arg === "object" && arg !== null && !Array.isArray(arg))
      for (const values of Object.values(arg))
        if (Array.isArray(values)) values.fill(77);
        else if (ArrayBuffer.isView(values) && !(values instanceof BigInt64Array))
          (values as Float32Array).fill(77);
}

/** An input, or one that cannot be. */
export function valuesOf(
  random: Random,
  { dtype, size }: { dtype: "f32" | "i32" | "u32" | "bool"; size: number },
): Values {
  const of = Array.from({ length: size }, () =>
    dtype === "bool" ? random.below(2) : random.between(dtype === "u32" ? 0 : -4, 9),
  );
  const own = { f32: "Float32Array", i32: "Int32Array", u32: "Uint32Array", bool: "Uint32Array" };
  return { as: random.chance(0.5) ? "array" : (own[dtype] as Values["as"]), of };
}

/** The same values as nobody may give them. */
export function spoiled(
  random: Random,
  values: Values,
  dtype: "f32" | "i32" | "u32" | "bool",
): Values {
  if (dtype === "f32" || random.chance(0.5)) return { ...values, as: random.pick(badForms) };
  const place = random.below(values.of.length);
  const wrong = { i32: [1.5, NaN, 1e12, Infinity], u32: [-1, 0.5, NaN, 2 ** 32], bool: [NaN] };
  const bad = random.pick(wrong[dtype]);
  return { as: "array", of: values.of.map((x, i) => (i === place ? bad : x)) };
}

/** A call as code. */
export function showCall({ method, args, after, abort, overwritten, bad }: Call): string {
  const one = (arg: Argument): string => {
    if (typeof arg !== "object") return JSON.stringify(arg) ?? "undefined";
    if (Array.isArray(arg)) return JSON.stringify(arg);
    const fields = Object.entries(arg as Record<string, Values>).map(
      ([name, { as, of }]) => `${name}: ${as === "array" ? "" : `${as} of `}[${of.join(", ")}]`,
    );
    return `{ ${fields.join(", ")} }`;
  };
  const notes = [
    ...(after === "nothing"
      ? []
      : [`after ${after === "all" ? "all before" : `a turn of ${after}`}`]),
    ...(abort === undefined ? [] : [abort < 0 ? "aborted before" : `aborted after ${abort} ms`]),
    ...(overwritten ? ["its arrays are overwritten"] : []),
    ...(bad ? [`bad: ${bad}`] : []),
  ];
  return `${method}(${args.map(one).join(", ")})${notes.length > 0 ? `  // ${notes.join("; ")}` : ""}`;
}
