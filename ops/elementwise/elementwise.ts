/**
 * How element-wise ops are made: one element from the elements at the same place. Operands
 * broadcast as in NumPy, and numbers stand for themselves.
 */
import {
  always,
  apply,
  type Broadcast,
  type DType,
  type ElementOp,
  type ElementSite,
  type Fail,
  noBroadcast,
  refuse as refuseCall,
  type Shape,
  type ShapeOf,
  sameShape,
  show,
  shown,
  Tensor,
  type Tests,
  type Type,
  type Valid,
  type Value,
} from "../../compiler/op-kit.ts";
import { bug } from "../../diagnostics/index.ts";
import { broadcastTo } from "../views/broadcast.ts";
import { operand } from "./full.ts";

export interface Elementwise {
  /** One element from its operands, in the order of the call. */
  readonly at: (k: ElementSite<null>["k"], ...operands: Value[]) => Value;
  readonly vjp: (
    g: Tensor,
    site: { readonly inputs: readonly Tensor[]; readonly result: Tensor },
  ) => readonly (Tensor | undefined)[];
  /** In multiplications: 1 unless said otherwise. */
  readonly cost?: number;
  /** The result's dtype, where it is not that of the operands. */
  readonly result?: DType;
  /** The dtypes it takes: f32 unless said otherwise. */
  readonly takes?: readonly DType[];
  readonly tests: Tests;
  /** How many leading operands are conditions (bool). */
  readonly conditions?: number;
  /** The result is the sum of its operands. */
  readonly sums?: true;
}

/** Throws E101 for a specification without a name, an element or a derivative. */
export function elementwiseOp(name: string, spec: Elementwise): ElementOp<null> {
  const isSpec = typeof spec?.at === "function" && typeof spec.vjp === "function";
  if (typeof name !== "string" || !isSpec)
    refuseCall(
      "elementwiseOp",
      [],
      "it is given no name, or no element and derivative",
      'write elementwiseOp("name", { at: (k, x) => …, vjp: (g) => [g], tests })',
    );
  const takes = spec.takes ?? ["f32"];
  return {
    name,
    kind: "element",
    cost: spec.cost ?? 1,
    tests: spec.tests,
    ...(spec.sums ? { sums: spec.sums } : {}),
    type(inputs, _attrs, fail) {
      const operands = inputs.slice(spec.conditions ?? 0);
      checkTypes(operands, takes, fail);
      const dtype = spec.result ?? operands[0]!.dtype;
      return [{ dtype, shape: inputs[0]!.shape }];
    },
    element: ({ k, inputs, at }) => spec.at(k, ...inputs.map((x) => x.at(...at))),
    push: ({ at, inputs, input, type }) =>
      sameShape(inputs[input]!.shape, type.shape) ? { at, where: always } : undefined,
    vjp: ([g], { inputs, results }) => spec.vjp(g!, { inputs, result: results[0]! }),
  };
}

function checkTypes(operands: readonly Type[], takes: readonly DType[], fail: Fail): void {
  for (const x of operands) {
    if (!takes.includes(x.dtype))
      fail(`takes ${takes.join(" or ")}, not ${show(x)}`, `convert it: cast(x, "${takes[0]}")`);
    if (x.dtype !== operands[0]!.dtype)
      fail(
        `operands are ${operands.map(show).join(" and ")}`,
        `convert one of them: cast(x, "${operands[0]!.dtype}")`,
      );
  }
}

/** Applies an element-wise op after broadcasting its operands against one another. */
export function applyElementwise(op: ElementOp<null>, operands: readonly (Tensor | number)[]) {
  const tensors = operands.filter((x) => x instanceof Tensor);
  const dtype = tensors.findLast((x) => x.dtype !== "bool")?.dtype ?? tensors[0]?.dtype ?? "f32";
  const inputs = operands.map((x) => operand(op.name, x, dtype));
  const shape = inputs.map((x) => x.shape).reduce((a, b) => broadcastShape(op, inputs, a, b));
  return apply(
    op,
    inputs.map((x) => broadcastTo(x, shape)),
    null,
  )[0]!;
}

/** The shape that two shapes broadcast to. */
function broadcastShape(
  op: ElementOp<null>,
  inputs: readonly Tensor[],
  a: readonly number[],
  b: readonly number[],
): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [m, n] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (m !== n && m !== 1 && n !== 1) refuse(op, inputs, noBroadcast(m, n));
    return m === 1 ? n : m;
  });
}

/** Reports through the op's own shape rule, so that the place and the operands are shown. */
function refuse(op: ElementOp<null>, inputs: readonly Tensor[], message: string): never {
  const help = "sizes must be equal or 1, aligned at the last axis; reshape one of them";
  apply({ ...op, type: (_types, _attrs, fail) => fail(message, help) }, inputs, null);
  return bug(`${op.name} accepted operands that do not broadcast`);
}

function checkOp(name: string, op: ElementOp<null>): void {
  if (
    typeof op?.name !== "string" ||
    typeof op.type !== "function" ||
    typeof op.element !== "function"
  )
    refuseCall(
      name,
      [],
      `it is given ${shown(op)}, not an op`,
      "give what elementwiseOp(...) makes",
    );
}

/** The call of an op with one operand: same dtype, same shape. */
export type Unary = <D extends DType, S extends Shape>(x: Tensor<D, S>) => Tensor<D, S>;

/** Throws E101 for what is no op. */
export function unary(op: ElementOp<null>): Unary {
  checkOp("unary", op);
  return ((x: Tensor) => applyElementwise(op, [x])) as Unary;
}

/** The call of an op with two operands of one dtype that broadcast; either may be a number. */
export interface Binary {
  <D extends DType, A extends Shape>(left: Tensor<D, A>, right: number): Tensor<D, A>;
  <D extends DType, B extends Shape>(left: number, right: Tensor<D, B>): Tensor<D, B>;
  // Last, because the editor explains the last signature: why two shapes do not broadcast.
  <D extends DType, A extends Shape, B extends Shape>(
    left: Tensor<D, A>,
    right: Tensor<NoInfer<D>, B> & Valid<Broadcast<A, B>>,
  ): Tensor<D, ShapeOf<Broadcast<A, B>>>;
}

/** Throws E101 for what is no op. */
export function binary(op: ElementOp<null>): Binary {
  checkOp("binary", op);
  return ((a: Tensor, b: Tensor) => applyElementwise(op, [a, b])) as unknown as Binary;
}

/** The call of a comparison: two operands of one dtype that broadcast, a bool result. */
export interface Comparison {
  <A extends Shape>(left: Tensor<DType, A>, right: number): Tensor<"bool", A>;
  <D extends DType, A extends Shape, B extends Shape>(
    left: Tensor<D, A>,
    right: Tensor<NoInfer<D>, B> & Valid<Broadcast<A, B>>,
  ): Tensor<"bool", ShapeOf<Broadcast<A, B>>>;
}

export function comparisonOp(
  name: string,
  at: (a: Value, b: Value) => Value,
  tests: Tests,
): ElementOp<null> {
  return elementwiseOp(name, {
    at: (_k, a, b) => at(a!, b!),
    vjp: () => [undefined, undefined],
    takes: ["f32", "i32", "u32"],
    result: "bool",
    tests,
  });
}

export function comparison(op: ElementOp<null>): Comparison {
  return ((a: Tensor, b: Tensor) => applyElementwise(op, [a, b])) as unknown as Comparison;
}
