/** Layers that transformers are made of: functions from parameters and a tensor to a tensor. */
import type { Parameters, Tensor } from "../compiler/index.ts";
import { add, layerNorm, matmul, relu } from "../ops/index.ts";

/**
 * x Wᵀ + b on the last axis: x `[..., inputs]` -> `[..., outputs]`. Parameters as PyTorch keeps
 * them: `weight` `[outputs, inputs]`, `bias` `[outputs]`.
 */
export function linear(
  p: Parameters,
  x: Tensor<"f32">,
  inputs: number,
  outputs: number,
): Tensor<"f32"> {
  const product = matmul(x, p.f32("weight", [outputs, inputs]), { transpose: "right" });
  return add(product, p.f32("bias", [outputs]));
}

/** Layer norm of the last axis, with `weight` and `bias`. */
export function norm(p: Parameters, x: Tensor<"f32">, epsilon: number): Tensor<"f32"> {
  const channels = x.shape.at(-1)!;
  const [gamma, beta] = [p.f32("weight", [channels]), p.f32("bias", [channels])];
  return layerNorm(x, gamma, beta, epsilon);
}

/** Linear layers `layers.0`, `layers.1`, … with ReLU between them; `sizes` are their widths. */
export function perceptron(
  p: Parameters,
  x: Tensor<"f32">,
  sizes: readonly number[],
): Tensor<"f32"> {
  return sizes.slice(1).reduce((hidden, outputs, i) => {
    const y = linear(p.at("layers", i), hidden, sizes[i]!, outputs);
    return i === sizes.length - 2 ? y : relu(y);
  }, x);
}
