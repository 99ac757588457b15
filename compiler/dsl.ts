/**
 * What the editor knows of shapes. Dims are literal numbers or names; a plain `number` says
 * nothing and fits everything. One function and one type share each message, so that the editor and
 * the trace say the same words.
 */
import type { Dim, Shape } from "./graph/tensor.ts";

/** A shape that does not exist, with the reason. No tensor is assignable to it. */
export interface ShapeError<Message extends string> {
  readonly error: Message;
}

/** The message of inner dims that differ. */
export const innerDims = <K extends Dim, J extends Dim>(k: K, j: J): innerDims<K, J> =>
  `left has ${k} columns but right has ${j} rows`;
export type innerDims<
  K extends Dim,
  J extends Dim,
> = `left has ${K} columns but right has ${J} rows`;

/** The message of sizes that do not broadcast. */
export const noBroadcast = <A extends Dim, B extends Dim>(a: A, b: B): noBroadcast<A, B> =>
  `sizes ${a} and ${b} do not broadcast`;
export type noBroadcast<A extends Dim, B extends Dim> = `sizes ${A} and ${B} do not broadcast`;

/** True when nothing static is known of a dim. */
type Unknown<D> = number extends D ? true : string extends D ? true : false;

type BroadcastDim<A extends Dim, B extends Dim> = [A] extends [1]
  ? B
  : [B] extends [1]
    ? A
    : Unknown<A> extends true
      ? B
      : Unknown<B> extends true
        ? A
        : [A] extends [B]
          ? A
          : ShapeError<noBroadcast<A, B>>;

type Append<S, D> =
  S extends ShapeError<string>
    ? S
    : D extends ShapeError<string>
      ? D
      : S extends Shape
        ? D extends Dim
          ? readonly [...S, D]
          : never
        : never;

/** NumPy's broadcasting: aligned at the right, sizes equal or 1. */
export type Broadcast<A extends Shape, B extends Shape> = number extends A["length"]
  ? Shape
  : number extends B["length"]
    ? Shape
    : A extends readonly [...infer AHead extends Shape, infer ALast extends Dim]
      ? B extends readonly [...infer BHead extends Shape, infer BLast extends Dim]
        ? Append<Broadcast<AHead, BHead>, BroadcastDim<ALast, BLast>>
        : A
      : B;

type Agrees<K extends Dim, J extends Dim> =
  Unknown<K> extends true ? true : Unknown<J> extends true ? true : [K] extends [J] ? true : false;

/** [..., M, K] x [K, N] or [..., K, N]. */
export type Product<A extends Shape, B extends Shape> = number extends A["length"]
  ? Shape
  : number extends B["length"]
    ? Shape
    : A extends readonly [...infer Batch extends Shape, infer M extends Dim, infer K extends Dim]
      ? B extends readonly [...infer Other extends Shape, infer J extends Dim, infer N extends Dim]
        ? Agrees<K, J> extends true
          ? Append<Append<Broadcast<Batch, Other>, M>, N>
          : ShapeError<innerDims<K, J>>
        : ShapeError<"right must have rank 2 or more">
      : ShapeError<"left must have rank 2 or more">;

/** Swaps the last two dims. */
export type Transposed<S extends Shape> = S extends readonly [
  ...infer Batch extends Shape,
  infer M extends Dim,
  infer N extends Dim,
]
  ? readonly [...Batch, N, M]
  : Shape;

/** For an argument: nothing when the shape exists, else the error, which no tensor satisfies. */
export type Valid<S> = S extends ShapeError<string> ? S : unknown;
/** For a result. */
export type ShapeOf<S> = S extends Shape ? S : never;
