/**
 * The contract of ops: what an op is. An op is a value; a node points at its op, so no pass knows any op by name.
 *
 * An op says either how to compute one element (`at`) or how to compute all of them together
 * (`forms`, with an `oracle` in plain double precision). Exactly one. Everything with `at` melts
 * into its neighbours; everything with `forms` is an anchor. Sources (inputs, parameters) are
 * neither: their values come from outside.
 */
import type { Op, Tensor, Type } from "./graph/tensor.ts";
import type { Builder } from "./kernel/builder.ts";
import type { Kernel } from "./kernel/ir.ts";
import type { In, Out } from "./kernel/ports.ts";
import type { Value } from "./kernel/value.ts";
import type { Profile } from "./profile.ts";
import type { Tests } from "./sample.ts";

/**
 * A law of algebra that an op takes part in, such as a x b + a x c = a x (b + c). It is tried at every
 * node of a graph that has the op anywhere (`rewrite.ts`).
 */
export interface Rule {
  /** The law, for reports. */
  readonly name: string;
  /**
   * What to compute instead of the node, a tensor for each of its results; undefined: nothing. The new
   * tensors must equal the old ones but for rounding, and cost less.
   */
  apply(site: RuleSite): readonly Tensor[] | undefined;
}

export interface RuleSite {
  /** All results of the node. */
  readonly results: readonly Tensor[];
  isRead(tensor: Tensor): boolean;
  /** What is read once, here, is not computed any more once this read is gone. */
  isReadOnce(tensor: Tensor): boolean;
}

/** What every op that computes something has beside its meaning. */
interface Computed<A> extends Op<A> {
  readonly rules?: readonly Rule[];
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
  /** The result is the sum of the inputs, place by place. */
  readonly sums?: true;
  /** The result is the input's elements in their order: memory that holds the input holds the result. */
  readonly reshapes?: true;
  /** The result is its inputs one after another: parameters may lie in memory so (`joins.ts`). */
  readonly joins?: true;
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

/** What a kernel is asked for: types and attributes of a node, and the device that is compiled for. */
export interface Problem<A> {
  readonly inputs: readonly Type[];
  readonly attrs: A;
  readonly profile: Profile;
}

/** Where a whole result is computed: ports in, ports out. */
export interface Ports {
  readonly k: Builder;
  readonly inputs: readonly In[];
  readonly outputs: readonly Out[];
}

/** The ports of a kernel, with what it is asked for. */
export interface KernelSite<A> extends Ports {
  readonly attrs: A;
  readonly profile: Profile;
}

/** The sizes by which one kernel of a form differs from another: names and numbers. */
export type Tile = Readonly<Record<string, number>>;

/** A form with one of its tiles, for one problem. It is chosen before fusion. */
export interface Variant {
  /** The name of the form. */
  readonly form: string;
  readonly tile: Tile;
  /** How often the kernel reads each element of an input: the fuser's cost rule. */
  reads(input: number): number;
  /** In panels of how many columns it likes an input to lie; undefined: it does not ask. */
  panel?(input: number): number | undefined;
  /** Writes the kernel. It touches global memory through its ports only. */
  kernel(ports: Ports): Kernel;
}

/**
 * One way to compute all results of an op: what it asks of a device, and its kernels, one for each of
 * its tiles. `form` makes one of functions that know the type of its tiles; `portable` makes one that
 * asks for nothing and has no tiles.
 */
export interface Form<A = unknown> {
  readonly name: string;
  /** Whether a device has what the kernels of this form ask for. */
  fits(profile: Profile): boolean;
  /** What tuning files call it, with what a tile depends on: `subgroups-8`. Its name unless given. */
  readonly label?: ((profile: Profile) => string) | undefined;
  /** Nothing says beforehand whether the next form that fits is slower: tuning measures both. */
  readonly contested?: boolean | undefined;
  /**
   * The form with each of its tiles, by a model of their time: the best first. All of them are right.
   * None, where the form is not for this problem.
   */
  variants(problem: Problem<A>): readonly Variant[];
}

/** A dense array in double precision, row-major. */
export interface Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface KernelOp<A = unknown> extends Computed<A> {
  readonly kind: "kernel";
  /** The ways to compute it. The first that fits the device, and has a tile for the problem, is used. */
  readonly forms: readonly Form<A>[];
  /** Counts up whenever an old measurement says nothing of its forms any more: 1 unless given. */
  readonly version?: number;
  /** The same values computed plainly in double precision: what the kernel is checked against. */
  oracle(inputs: readonly Dense[], attrs: A, types: readonly Type[]): readonly Float64Array[];
  /** How many times the kernel's text computes an element of an input: 4 unless said otherwise. */
  readonly spelled?: number;
  /** Multiplications of the whole node, for reports and cost models. */
  work(inputs: readonly Type[], attrs: A): number;
  /**
   * What several nodes of this op compute, in one: from the inputs of each the (only) result of each.
   * Their types and attributes are equal.
   */
  readonly batch?: (inputs: readonly (readonly Tensor[])[], attrs: A) => readonly Tensor[];
  /**
   * One result as an element op, where sizes are so small that computing an element anew wherever it
   * is read may be cheaper than a kernel. It gets the same inputs and attributes.
   */
  readonly small?: (inputs: readonly Type[], attrs: A, result: number) => ElementOp<A> | undefined;
}
