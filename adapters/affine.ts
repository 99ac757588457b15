/** Layers that belong to an adapter. */
import {
  type Init,
  kaiming,
  ones,
  type Parameters,
  type Tensor,
  zeros,
} from "../compiler/index.ts";
import { add, layerNorm, matmul } from "../ops/index.ts";

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

/** Layer norm of the last axis, with `weight` and `bias` below `p`, which begin as ones and zeros. */
export function norm(p: Parameters, x: Tensor<"f32">): Tensor<"f32"> {
  const channels = x.shape.at(-1)!;
  const gamma = p.f32("weight", [channels], { init: ones });
  return layerNorm(x, gamma, p.f32("bias", [channels], { init: zeros }), 1e-6);
}
