/** What expressions, accesses and statements share while a kernel is written. */
import type { Buffer, Expr, Kernel, Scalar } from "../../kernel/ir.ts";
import type { Shapes } from "../../kernel/shapes.ts";

/** An expression of C. */
export type Text = string;

export interface Writer {
  readonly kernel: Kernel;
  readonly shapes: Shapes;
  /** A value that all threads have, or that of the first one where they are in a line. Places are `long`. */
  scalar(e: Expr): Text;
  /** What each thread has. Of booleans: all bits, or none. */
  vector(e: Expr): Text;
  name(name: string): Text;
  /** Whether a name is held as a vector. */
  isVector(name: string): boolean;
  /** An array, or a pointer to a buffer's first element. */
  arrayOf(b: Buffer): Text;
  /** The threads that are at work; undefined: all of them. */
  readonly mask: Text | undefined;
}

/** A place counts beyond 32 bits, so that compilers need not think of what becomes of it there. */
export const scalarTypes = { f32: "float", i32: "int", u32: "long", bool: "int" } as const;

/** Vectors by the letter of what their lanes are. */
export const letters = { f32: "f", i32: "i", u32: "u", bool: "i" } as const;

export const vectorOf = (type: Scalar): Text => `v${letters[type]}`;
