import type { Tensor } from "../compiler/op.ts";
export const sumTo = (x: Tensor, _shape: readonly number[]): Tensor => x;
