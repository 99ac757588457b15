/** where(condition, yes, no): element by element one of two, all three with broadcasting. */
import {
  type Broadcast,
  checkTensors,
  type DType,
  type ElementOp,
  refuse,
  type Shape,
  type ShapeOf,
  Tensor,
  type Valid,
} from "../../compiler/op-kit.ts";
import { applyElementwise, elementwiseOp } from "./elementwise.ts";
import { operand } from "./full.ts";

export const op: ElementOp<null> = elementwiseOp("where", {
  at: (_k, condition, yes, no) => condition!.select(yes!, no!),
  vjp: (g, { inputs: [condition] }) => [
    undefined,
    where(condition!, g, 0),
    where(condition!, 0, g),
  ],
  takes: ["f32", "i32", "u32", "bool"],
  conditions: 1,
  tests: {
    samples: [
      {
        inputs: [{ dtype: "bool", data: [1, 0, 1] }, [1, 2, 3], [-1, -2, -3]],
        call: (c, a, b) => where(c!, a!, b!),
        outputs: [[1, -2, 3]],
      },
      {
        claim: "numbers are float32 operands",
        inputs: [{ dtype: "bool", data: [[1], [0]] }],
        call: (c) => where(c!, 2.5, 0),
        outputs: [[[2.5], [0]]],
      },
      {
        claim: "a column decides between a row and a number",
        inputs: [
          { dtype: "bool", data: [[1], [0]] },
          { dtype: "i32", data: [4, 5] },
        ],
        call: (c, a) => where(c!, a!, -1),
        outputs: [
          {
            dtype: "i32",
            data: [
              [4, 5],
              [-1, -1],
            ],
          },
        ],
      },
    ],
    cases: [
      {
        claim: "all three broadcast",
        inputs: [{ shape: [5, 1, 7], dtype: "bool" }, { shape: [9, 1] }, { shape: [5, 9, 7] }],
        call: (c, a, b) => where(c!, a!, b!),
        smooth: true,
      },
    ],
  },
});

/** `yes` where the condition holds, else `no`. Throws E101 if the shapes do not broadcast. */
export function where<C extends Shape, D extends DType, A extends Shape, B extends Shape>(
  condition: Tensor<DType, C>,
  yes: Tensor<D, A> & Valid<Broadcast<C, A>>,
  no: Tensor<NoInfer<D>, B> & Valid<Broadcast<A, B>>,
): Tensor<D, ShapeOf<Broadcast<C, ShapeOf<Broadcast<A, B>>>>>;
export function where<C extends Shape, D extends DType, A extends Shape>(
  condition: Tensor<DType, C>,
  yes: Tensor<D, A> & Valid<Broadcast<C, A>>,
  no: number,
): Tensor<D, ShapeOf<Broadcast<C, A>>>;
export function where<C extends Shape, D extends DType, B extends Shape>(
  condition: Tensor<DType, C>,
  yes: number,
  no: Tensor<D, B> & Valid<Broadcast<C, B>>,
): Tensor<D, ShapeOf<Broadcast<C, B>>>;
export function where<C extends Shape>(
  condition: Tensor<DType, C>,
  yes: number,
  no: number,
): Tensor<"f32", C>;
export function where(condition: Tensor, yes: Tensor | number, no: Tensor | number): Tensor {
  const like = [yes, no].find((x) => x instanceof Tensor);
  const dtype = like?.dtype ?? "f32";
  checkTensors("where", { condition });
  const operands = [condition, operand("where", yes, dtype), operand("where", no, dtype)];
  if (condition.dtype !== "bool")
    refuse(
      "where",
      operands,
      `the condition is ${condition.dtype}, not bool`,
      "compare it with something: where(gt(x, 0), ...)",
    );
  return applyElementwise(op, operands);
}
