/** What expressions, accesses and statements share while a kernel is written. */
import type { Buffer, Expr, Scalar } from "../../kernel/ir.ts";
import type { Shapes } from "../../kernel/shapes.ts";
import type { Code, Local } from "./code.ts";
import type { ValueType } from "./instructions.ts";
import type { Pointers } from "./pointers.ts";

/** Where a buffer begins: an address in a local, and bytes behind it. */
export interface Base {
  readonly local: Local;
  readonly offset: number;
}

/** Where a name's value is: in a local, or in the scratch memory of a vector of threads. */
export type Held =
  | { readonly kind: "local"; readonly local: Local; readonly type: ValueType }
  | { readonly kind: "memory"; readonly base: Base; readonly type: ValueType };

export interface Writer {
  readonly code: Code;
  readonly shapes: Shapes;
  /** Leaves a value that all threads have, or that of the first one where they are in a line. */
  scalar(e: Expr): void;
  /** Leaves what each of the four threads has. Of booleans: all bits, or none. */
  vector(e: Expr): void;
  baseOf(b: Buffer): Base;
  /** Addresses that loops carry on. */
  readonly pointers: Pointers;
  /** The threads that are at work, as a `v128`; undefined: all of them. */
  readonly mask: Local | undefined;
}

/** The types of scalars in WebAssembly. */
const scalarTypes = { f32: "f32", i32: "i32", u32: "i32", bool: "i32" } as const;
export const typeOf = (of: Scalar): "f32" | "i32" => scalarTypes[of];

/** Threads of a vector. */
export const lanes = 4;
export const laneNumbers = [0, 1, 2, 3] as const;
