/** Counts of pixels by their class and the class that they were given, on the device. */
import type { Tensor } from "../../compiler/index.ts";
import { cast, eq, iota, matmul, mul, reshape } from "../../ops/index.ts";

/**
 * f32 `[classes, classes]`, of labels i32 of one shape: how many pixels of a class (row) were given which (column). A
 * label that is no class is counted nowhere; `counted`, f32 of that shape, is 0 where a pixel does not count.
 */
export function countsOf(found: Tensor, truth: Tensor, classes: number, counted?: Tensor): Tensor {
  const pixels = found.shape.reduce((a, b) => a * b, 1);
  const is = (labels: Tensor) =>
    cast(
      eq(reshape(labels, [1, pixels]) as Tensor, iota([classes, 1], 0) as Tensor) as Tensor,
      "f32",
    ) as Tensor;
  const rows = counted
    ? (mul(is(truth), reshape(counted, [1, pixels]) as Tensor) as Tensor)
    : is(truth);
  return matmul(rows, is(found), { transpose: "right" }) as Tensor;
}
