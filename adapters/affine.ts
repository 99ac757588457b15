/** A linear layer that belongs to an adapter. */
import { type Init, kaiming, type Parameters, type Tensor, zeros } from "../compiler/index.ts";
import { add, matmul } from "../ops/index.ts";

/**
 * x Wᵀ + b on the last axis: `[..., inputs]` -> `[..., outputs]`, with `weight` and `bias` below
 * `p`. The weight begins as PyTorch's linear layers do unless another way is given, the bias as
 * zeros.
 */
export function affine(
  p: Parameters,
  x: Tensor<"f32">,
  outputs: number,
  init?: Init,
): Tensor<"f32"> {
  const inputs = x.shape.at(-1)!;
  const weight = p.f32("weight", [outputs, inputs], { init: init ?? kaiming(inputs) });
  const product: Tensor<"f32"> = matmul(x, weight, { transpose: "right" });
  return add(product, p.f32("bias", [outputs], { init: zeros }));
}
