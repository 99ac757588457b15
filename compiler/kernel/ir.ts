/**
 * Kernel IR: the small statement language that WGSL, CUDA and the reference device can all spell.
 *
 * Expressions are pure trees; statements give order. Every access to memory is a `load` or a
 * `store`, so a printer needs one case per node and nothing else. A node belongs here only if every
 * target has a spelling or a rewrite for it, the reference device a meaning, and a kernel a need.
 *
 * Semantics. `f32` arithmetic is IEEE single precision up to the target's reordering; the reference
 * device evaluates in double precision and rounds at stores. A NaN stays NaN: `min` and `max` of `f32`,
 * and reductions by them, are NaN if any argument is. `maxnum` alone may drop a NaN: what it gives for
 * one is either argument. Where `exp` is less than the least normal number it may be 0.
 *
 * `i32` arithmetic is modulo 2^32. `u32` is what counts and indexes: `add`, `sub` and `mul` of it never
 * overflow in a correct kernel, and are simplified by that; `addwrap`, `mulwrap` and `shl` are modulo
 * 2^32, for numbers of tensors and for bits. Integer division truncates; a number divided by 0 is that
 * number, with a remainder of 0, and the least `i32` divided by -1 is itself. `cast` of an `f32` to an integer drops the fraction,
 * gives 0 for NaN, and for numbers out of range the nearest `f32` that the integers have; between `i32` and
 * `u32` it keeps the bits; to `bool` it is whether the number is not 0.
 *
 * `shl` and `shr` are by 0 to 31; `bits` is the pattern of an `f32` as a `u32`, what no arithmetic on NaNs
 * can show; `float` is the `f32` of a pattern, and `half` the one of the half in its lower 16 bits. `opaque` is
 * its argument, of which a target's compiler is to know nothing.
 * `select(yes, no, condition)` evaluates both sides, so the loads in them must stay in
 * bounds. A `for` counts from 0 up to its constant count.
 *
 * Formats (`formats/`) exist in memory alone. A `load` gives the exact number as the format's scalar; a
 * `store` rounds to nearest, ties to even, and what is too large to infinity. What is computed is
 * always `f32`: sums must be, and single halves are not multiplied faster anywhere. Formats that are
 * read from words are in global memory and only read; before a kernel is printed they become arithmetic
 * on words (`unpack.ts`). Workgroup memory holds halves only as operands of fragments, which multiply
 * them and add in `f32`.
 *
 * A fragment is a matrix that a subgroup holds together: its lanes load, multiply and store it
 * together, with equal indices, and none sees an element of its own. Sums are zero at first;
 * operands are loaded before they are multiplied. To other threads, and to later fragment
 * statements, a stored fragment is visible after a barrier.
 *
 * A reduction needs no width: it combines what the threads of a subgroup have, however many they
 * are. Nothing is promised of which threads make a subgroup, in which order subgroups are numbered,
 * or that they are full; a kernel that combines subgroups knows its `member` of how many `members`,
 * and which `subgroup` of how many `subgroups` that is. A kernel written for one width is for workgroups of
 * full subgroups: its threads are numbered by `subgroup` and `lane`, and `thread` tells nothing of either.
 */
import { type FormatName, formatOf } from "../../formats/index.ts";
import type { KernelMatrices } from "../plan.ts";

export type Scalar = "f32" | "u32" | "i32" | "bool";
/** What a buffer holds. */
export type Element = "bool" | FormatName;
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
  ...["maxnum", "addwrap", "mulwrap", "xor", "shl", "shr", "bits", "float", "half", "opaque"],
] as const;
export type Fn =
  | ("add" | "sub" | "mul" | "div" | "mod" | "min" | "max" | "fma" | "neg" | "abs" | "floor")
  | ("exp" | "log" | "sqrt" | "tanh" | "lt" | "le" | "eq" | "and" | "or" | "not" | "select")
  | (
      | "maxnum"
      | "addwrap"
      | "mulwrap"
      | "xor"
      | "shl"
      | "shr"
      | "bits"
      | "float"
      | "half"
      | "opaque"
    );

/** What an element is once it is loaded, and before it is stored. */
export const widened = (element: Element): Scalar =>
  element === "bool" ? element : formatOf(element).scalar;

/** What subgroups reduce by themselves. */
export type Fold = "add" | "max" | "min";

/** Row-major in memory, rows `stride` elements apart. */
export interface Fragment {
  readonly name: string;
  readonly role: "left" | "right" | "sum";
  readonly scalar: FormatName;
  readonly rows: number;
  readonly columns: number;
}

/** What a subgroup does together. */
export type FragmentStmt =
  | {
      readonly kind: "fragment-load";
      readonly to: Fragment;
      readonly from: Buffer;
      /** Of the fragment's first element. */
      readonly index: Expr;
      readonly stride: number;
      /** Memory has its columns, `stride` elements apart. */
      readonly turned?: true;
    }
  | {
      /** sum = 0, as it is at first. */
      readonly kind: "fragment-zero";
      readonly sum: Fragment;
    }
  | {
      /** sum += left * right */
      readonly kind: "fragment-multiply";
      readonly sum: Fragment;
      readonly left: Fragment;
      readonly right: Fragment;
    }
  | {
      readonly kind: "fragment-store";
      readonly to: Buffer;
      readonly index: Expr;
      readonly stride: number;
      readonly from: Fragment;
    }
  | {
      /**
       * What a lane has of a sum, where `matrices.numbered` says that lanes have elements: names[e] is that of row
       * lane / 4 + 8 (e / 2 mod 2) and column 8 (e / 4) + 2 (lane mod 4) + e mod 2.
       */
      readonly kind: "fragment-elements";
      readonly names: readonly string[];
      readonly from: Fragment;
    };

/** Those that ask for no element. */
export type WholeFragmentStmt = Exclude<FragmentStmt, { kind: "fragment-elements" }>;

/** Copies of global memory to shared memory that go on while the thread does something else. */
export type CopyStmt =
  | {
      /**
       * to[index + j] = from[at + j] for eight elements of 16 bits, or 0 where `when` does not hold. Until the
       * thread has waited for it the place holds nothing, and then it is as if the thread had just stored there.
       */
      readonly kind: "copy";
      readonly to: Buffer;
      readonly index: Expr;
      readonly from: Buffer;
      readonly at: Expr;
      readonly when: Expr;
    }
  /** The thread's copies since the last such statement are a group. */
  | { readonly kind: "copy-group" }
  /** The thread goes on when all of its groups but the last `left` have arrived. */
  | { readonly kind: "copy-wait"; readonly left: number };

/** Elements of a `copy`. */
export const copied = 8;

/**
 * A subgroup is numbered within its workgroup, of `subgroups`; a thread is a `member` within its
 * subgroup, of `members`. All these are along axis 0.
 */
export type Id = "group" | "thread" | "subgroup" | "subgroups" | "member" | "members";

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
      readonly of: Id;
      readonly axis: 0 | 1 | 2;
    }
  /** The thread's number within its subgroup. Workgroups that use it are full subgroups of one width. */
  | { readonly kind: "lane"; readonly type: "u32" }
  /** The value that one lane of the subgroup has. All lanes must get here together. */
  | { readonly kind: "broadcast"; readonly type: Scalar; readonly arg: Expr; readonly lane: number }
  /** The value of the lane whose number is this one's with the bits of `mask` turned. All lanes must get here together. */
  | { readonly kind: "shuffle"; readonly type: Scalar; readonly arg: Expr; readonly mask: number }
  /**
   * The sum, largest or smallest of what the threads of the subgroup have, in all of them and in any
   * order. All must get here together.
   */
  | { readonly kind: "reduce"; readonly type: Scalar; readonly fold: Fold; readonly arg: Expr }
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
      /**
       * Neighbours at once, as many as there are names: names[j] = from[4 * index + j]. From global and
       * shared memory. They are four, or two words after `unpack`.
       */
      readonly kind: "load4";
      readonly names: readonly string[];
      readonly from: Buffer;
      readonly index: Expr;
    }
  | {
      /** Four neighbours at once: to[4 * index + j] = values[j]. To global and shared memory. */
      readonly kind: "store4";
      readonly to: Buffer;
      readonly index: Expr;
      readonly values: readonly [Expr, Expr, Expr, Expr];
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
  | { readonly kind: "barrier" }
  | FragmentStmt
  | CopyStmt;

export interface Kernel {
  readonly name: string;
  readonly params: readonly Buffer[];
  /**
   * Buffers read by `load4` and written by `store4`, and accessed by nothing else, with how many
   * elements that are at a time.
   */
  readonly vectors: ReadonlyMap<Buffer, number>;
  readonly scratch: readonly Buffer[];
  /** The exact width of subgroup that the kernel is written for, of which a workgroup has whole ones; 0 if it uses none. */
  readonly subgroup: number;
  /** Whether it reduces over subgroups, of whatever width. Its threads lie along axis 0. */
  readonly reduces: boolean;
  readonly fragments: readonly Fragment[];
  /** What its fragments ask of a device. */
  readonly matrices?: KernelMatrices;
  /** Its `fma`, `exp`, `log` and `tanh` use one that is rounded once: it is for devices that have it. */
  readonly fma?: true;
  readonly threads: readonly [number, number, number];
  readonly groups: readonly [number, number, number];
  readonly body: readonly Stmt[];
  /** The tile program that it was lowered from, as text. */
  readonly tiles?: string;
}
