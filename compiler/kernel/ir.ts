/**
 * Kernel IR: the small statement language that WGSL, CUDA and the reference device can all spell.
 *
 * Expressions are pure trees; statements give order. Every access to memory is a `load` or a
 * `store`, so a printer needs one case per node and nothing else. A node belongs here only if every
 * target has a spelling or a rewrite for it, the reference device a meaning, and a kernel a need.
 *
 * Semantics. `f32` arithmetic is IEEE single precision up to the target's reordering; the reference
 * device evaluates in double precision and rounds at stores. `u32` and `i32` never overflow in a
 * correct kernel, except in `addwrap` and `shl`, which are modulo 2^32. `shl` and `shr` are by 0 to
 * 31; `bits` is the pattern of an `f32` as a `u32`, what no arithmetic on NaNs can show. Integer
 * division truncates. `select(yes, no, condition)` evaluates both sides, so the loads in them must
 * stay in bounds. A `for` counts from 0 up to its constant count.
 *
 * Halves exist in global memory alone. A `load` from a buffer of `f16` is an exact `f32`; a `store`
 * rounds to nearest, ties to even, and from 65520 on to infinity. What is computed is always `f32`:
 * sums must be, and single halves are not multiplied faster anywhere.
 */
export type Scalar = "f32" | "u32" | "i32" | "bool";
/** What a buffer holds. */
export type Element = Scalar | "f16";
export type Space = "global" | "shared" | "local";

export interface Buffer {
  readonly name: string;
  readonly space: Space;
  readonly scalar: Element;
  /** Element count. Known at compile time: shapes are numbers before lowering. */
  readonly size: number;
  readonly writable: boolean;
}

/** Scalar functions: a closed set. `gelu`, `erf`, `sin` are compositions, not members. */
export const functions = [
  ...["add", "sub", "mul", "div", "mod", "min", "max", "fma", "neg", "abs", "floor"],
  ...["exp", "log", "sqrt", "tanh", "lt", "le", "eq", "and", "or", "not", "select"],
  ...["addwrap", "xor", "shl", "shr", "bits"],
] as const;
export type Fn =
  | ("add" | "sub" | "mul" | "div" | "mod" | "min" | "max" | "fma" | "neg" | "abs" | "floor")
  | ("exp" | "log" | "sqrt" | "tanh" | "lt" | "le" | "eq" | "and" | "or" | "not" | "select")
  | ("addwrap" | "xor" | "shl" | "shr" | "bits");

/** What an element is once it is loaded, and before it is stored. */
export const widened = (element: Element): Scalar => (element === "f16" ? "f32" : element);

export type Expr =
  | { readonly kind: "lit"; readonly type: Scalar; readonly value: number }
  | {
      readonly kind: "ref";
      readonly type: Scalar;
      readonly name: string;
      /** A `var`: its value depends on when it is read, so the expression is never shared. */
      readonly mutable: boolean;
    }
  | {
      readonly kind: "id";
      readonly type: "u32";
      readonly of: "group" | "thread";
      readonly axis: 0 | 1 | 2;
    }
  /** The thread's number within its subgroup. Workgroups that use it are one subgroup each. */
  | { readonly kind: "lane"; readonly type: "u32" }
  /** The value that one lane of the subgroup has. All lanes must get here together. */
  | { readonly kind: "broadcast"; readonly type: Scalar; readonly arg: Expr; readonly lane: number }
  | {
      readonly kind: "call";
      readonly type: Scalar;
      readonly fn: Fn;
      readonly args: readonly Expr[];
    }
  | { readonly kind: "cast"; readonly type: Scalar; readonly arg: Expr }
  | { readonly kind: "load"; readonly type: Scalar; readonly from: Buffer; readonly index: Expr };

export type Stmt =
  | { readonly kind: "let"; readonly name: string; readonly value: Expr }
  | { readonly kind: "var"; readonly name: string; readonly value: Expr }
  | {
      /** Four neighbours at once: names[j] = from[4 * index + j]. Only from global memory. */
      readonly kind: "load4";
      readonly names: readonly [string, string, string, string];
      readonly from: Buffer;
      readonly index: Expr;
    }
  | { readonly kind: "set"; readonly name: string; readonly value: Expr }
  | { readonly kind: "store"; readonly to: Buffer; readonly index: Expr; readonly value: Expr }
  | {
      readonly kind: "for";
      readonly name: string;
      readonly count: number;
      /** The driver must not unroll it: the count is hidden from it where that is needed. */
      readonly rolled: boolean;
      readonly body: readonly Stmt[];
    }
  | { readonly kind: "if"; readonly cond: Expr; readonly body: readonly Stmt[] }
  | { readonly kind: "barrier" };

export interface Kernel {
  readonly name: string;
  readonly params: readonly Buffer[];
  /** Those parameters that are read by `load4`, and by nothing else. */
  readonly vectors: ReadonlySet<Buffer>;
  readonly scratch: readonly Buffer[];
  /** The exact width of subgroup that the kernel is written for; 0 if it uses none. */
  readonly subgroup: number;
  readonly threads: readonly [number, number, number];
  readonly groups: readonly [number, number, number];
  readonly body: readonly Stmt[];
}
