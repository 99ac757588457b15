/** Layers that transformers are made of: functions from parameters and a tensor to a tensor. */

import { site } from "../adapters/adapter.ts";
import type { Parameters, SiteFacts, Tensor } from "../compiler/index.ts";
import { add, layerNorm, matmul, relu } from "../ops/index.ts";

/**
 * x Wᵀ + b on the last axis: x `[..., inputs]` -> `[..., outputs]`. Parameters as PyTorch keeps
 * them: `weight` `[outputs, inputs]`, `bias` `[outputs]`. A place for adapters, which `facts` are for.
 */
export function linear(
  p: Parameters,
  x: Tensor<"f32">,
  inputs: number,
  outputs: number,
  facts: SiteFacts = {},
): Tensor<"f32"> {
  const base = (rows: Tensor<"f32">) => {
    const product = matmul(rows, p.f32("weight", [outputs, inputs]), { transpose: "right" });
    return add(product, p.f32("bias", [outputs]));
  };
  return site("linear", p, x, base, { ...facts, inputs, outputs });
}

/** Layer norm of the last axis, with `weight` and `bias`. A place for adapters. */
export function norm(p: Parameters, x: Tensor<"f32">, epsilon: number): Tensor<"f32"> {
  const channels = x.shape.at(-1)!;
  const base = (rows: Tensor<"f32">) => {
    const [gamma, beta] = [p.f32("weight", [channels]), p.f32("bias", [channels])];
    return layerNorm(rows, gamma, beta, epsilon);
  };
  return site("norm", p, x, base, { outputs: channels });
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
