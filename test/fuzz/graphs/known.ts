/** What the fuzzer knows of an op: how its arguments are drawn, and its values in plain numbers. */
import type { DType } from "../../../compiler/graph/tensor.ts";
import type { Random } from "../random.ts";
import type { Arithmetic } from "./arithmetic.ts";
import type { Dense } from "./dense.ts";

/** A result of a statement, as an argument of a later one. */
export interface Ref {
  readonly at: number;
  readonly result: number;
}

/** An argument as it is written: tensors are references, wherever they stand in it. */
export type Arg =
  | Ref
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Arg[]
  | { readonly [name: string]: Arg };

export const isRef = (x: unknown): x is Ref =>
  typeof x === "object" && x !== null && "at" in x && "result" in x;

export interface Kind {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface Drawing {
  readonly random: Random;
  /** What is known of a tensor. */
  kind(ref: Ref): Kind;
  /** A tensor that is there already, rather a late one; or a new source. */
  some(fits?: (kind: Kind) => boolean): Ref;
  /** As `some`, of float32 and of a rank from `least` on. */
  floats(least?: number, most?: number): Ref;
  /** A new source. */
  fresh(dtype: DType, shape: readonly number[], fill?: Fill): Ref;
  /** A float32 tensor of this shape: one that is there, or a new source. */
  shaped(shape: readonly number[]): Ref;
  /** A tensor that broadcasts with this one. */
  beside(ref: Ref): Ref;
  /** One of the axes, now and then counted from the end. */
  axis(ref: Ref): number;
  /** A size: small, often 1 or a prime. */
  size(most?: number): number;
  shape(rank: number): number[];
  /** The largest number of elements that a tensor may have. */
  readonly most: number;
}

/** What a source holds. */
export type Fill =
  | "ordinary"
  | "positive"
  | "tied"
  | "extreme"
  | "whole"
  | "wide"
  | "masked"
  | "index";

export interface Known {
  readonly draw: (d: Drawing) => readonly Arg[] | undefined;
  /** Its results; arguments as they are written, with tensors of numbers for references. */
  readonly plain: (f: Arithmetic, args: readonly unknown[]) => readonly Dense[];
  /** Its derivative is another one than that of its values, or none: its value is held still. */
  readonly still?: true | ((args: readonly unknown[]) => boolean);
}

export function known<A extends readonly unknown[]>(
  draw: Known["draw"],
  plain: (f: Arithmetic, ...args: A) => Dense | readonly Dense[],
  more: Pick<Known, "still"> = {},
): Known {
  return {
    draw,
    plain: (f, args) => {
      const y = plain(f, ...(args as unknown as A));
      return Array.isArray(y) ? y : [y as Dense];
    },
    ...more,
  };
}
