/** How an op is spelled in ONNX's operators: a function, in a table whose keys are the ops. */
import type { Node, Op, Tensor, Type } from "../../compiler/op-kit.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export interface Spelled<A> {
  readonly w: OnnxWriter;
  readonly node: Node;
  readonly attrs: A;
  /**
   * The inputs as they are at hand. They may be narrower than the inputs' types: what only repeats
   * is left to operators that broadcast.
   */
  readonly x: readonly Value[];
  /** An input in its full shape. */
  readonly wide: (input: number) => Value;
  /** Any tensor that the node depends on, as it is at hand. */
  readonly known: (tensor: Tensor) => Value;
  /** Of the results. A value may be narrower. */
  readonly types: readonly Type[];
}

/** The values of the results. */
export type Spelling<A = unknown> = (site: Spelled<A>) => Value | readonly Value[];

export type Entry = readonly [op: Op, spelling: Spelling];

/** A line of the table; attributes are those of the op. */
export const entry = <A>(op: Op<A>, spelling: Spelling<A>): Entry => [
  op as Op,
  spelling as Spelling,
];
