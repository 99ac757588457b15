/**
 * What an op is. An op is a value; a node points at its op, so no pass knows any op by name.
 *
 * An op says either how to compute one element (`at`) or how to compute all of them together
 * (`kernel`, with an `oracle` in plain double precision). Exactly one. Everything with `at` melts
 * into its neighbours; everything with `kernel` is an anchor. Sources (inputs, parameters) are
 * neither: their values come from outside.
 */
import type { Tensor, Type } from "./graph/tensor.ts";
import type { Builder } from "./kernel/builder.ts";
import type { Kernel } from "./kernel/ir.ts";
import type { In, Out } from "./kernel/ports.ts";
import type { Value } from "./kernel/value.ts";
import type { Profile } from "./profile.ts";
import type { Tests } from "./sample.ts";

export * from "./dsl.ts";
export { gradient } from "./grad/backward.ts";
export {
  apply,
  type Dim,
  type DType,
  elements,
  type Node,
  refuse,
  type Shape,
  sameShape,
  show,
  Tensor,
  type Type,
} from "./graph/tensor.ts";
export {
  addWrapping,
  bitsOf,
  rotateLeft,
  shiftLeft,
  shiftRight,
  xor,
} from "./kernel/bits.ts";
export { always, Builder, type Variable } from "./kernel/builder.ts";
export type { Buffer, Kernel, Scalar } from "./kernel/ir.ts";
export { flatGroups } from "./kernel/lower.ts";
export { flatten, type In, type Out, unflatten } from "./kernel/ports.ts";
export { bounded, index, literal, type Operand, Value } from "./kernel/value.ts";
export type { Profile } from "./profile.ts";
export type { Case, Sample, Tests } from "./sample.ts";

/** Refuses the inputs: what is wrong, and what to type instead. */
export type Fail = (message: string, help?: string) => never;

interface Common<A> {
  readonly name: string;
  /** Result types from input types: the shape rule. */
  type(inputs: readonly Type[], attrs: A, fail: Fail): readonly Type[];
  /**
   * The vector-Jacobian product: from the cotangents of the results (undefined: the result is
   * unused) the cotangents of the inputs, written with ops. Undefined: no gradient goes there.
   */
  readonly vjp?: (
    cotangents: readonly (Tensor | undefined)[],
    site: { readonly inputs: readonly Tensor[]; readonly results: readonly Tensor[]; attrs: A },
  ) => readonly (Tensor | undefined)[];
  /** A few words on the attributes for graph dumps: "axes 0, 1". */
  readonly note?: (attrs: A) => string;
}

/** What every op that computes something has beside its meaning. */
interface Computed<A> extends Common<A> {
  /** An op without samples does not type-check. */
  readonly tests: Tests;
}

/** Where one element is computed. */
export interface ElementSite<A> {
  readonly k: Builder;
  readonly inputs: readonly In[];
  /** Coordinates of the element in the result, one per axis. */
  readonly at: readonly Value[];
  readonly attrs: A;
  readonly type: Type;
}

/** Where an element of an input ends up in the result; `where` holds if it does at all. */
export interface Pushed {
  readonly at: readonly Value[];
  readonly where: Value;
}

export interface ElementOp<A = unknown> extends Computed<A> {
  readonly kind: "element";
  element(site: ElementSite<A>): Value;
  /**
   * Work of one element apart from its inputs' elements, in multiplications: 0 for a view (index
   * arithmetic only), 1 for an addition, about 20 for a transcendental function.
   */
  readonly cost: number | ((attrs: A) => number);
  /** How many elements of input `i` one element of the result reads: 1 unless said otherwise. */
  readonly reads?: (attrs: A, input: number) => number;
  /**
   * The inverse of a view, for melting behind an anchor: where the element at `at` of input `i`
   * stands in the result. Every element of the result must come from exactly one element of that
   * input. Undefined: the result cannot be produced from that input's side.
   */
  readonly push?: (site: {
    readonly input: number;
    readonly at: readonly Value[];
    readonly attrs: A;
    readonly inputs: readonly Type[];
    readonly type: Type;
  }) => Pushed | undefined;
}

/** Where a whole result is computed: ports in, ports out. */
export interface KernelSite<A> {
  readonly k: Builder;
  readonly inputs: readonly In[];
  readonly outputs: readonly Out[];
  readonly attrs: A;
  readonly profile: Profile;
}

/** A dense array in double precision, row-major. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface KernelOp<A = unknown> extends Computed<A> {
  readonly kind: "kernel";
  /** Writes the kernel. It touches global memory through its ports only. */
  kernel(site: KernelSite<A>): Kernel;
  /** The same values computed plainly in double precision: what the kernel is checked against. */
  oracle(inputs: readonly Dense[], attrs: A, types: readonly Type[]): readonly Float64Array[];
  /** How often the kernel reads each element of input `i`: the fuser's cost rule. */
  reads(inputs: readonly Type[], attrs: A, input: number, profile: Profile): number;
  /** Multiplications of the whole node, for reports and cost models. */
  work(inputs: readonly Type[], attrs: A): number;
}

export interface SourceOp<A = unknown> extends Common<A> {
  readonly kind: "input" | "parameter" | "state";
}

export type Op<A = unknown> = ElementOp<A> | KernelOp<A> | SourceOp<A>;
