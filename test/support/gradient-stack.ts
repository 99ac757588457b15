/** A stack of transformer blocks with frozen weights and LoRA in some blocks, for tests of gradients. */
import { graphOf, type Output } from "../../compiler/graph/graph.ts";
import { input, type Source } from "../../compiler/graph/sources.ts";
import { elements, isSource, type Tensor } from "../../compiler/graph/tensor.ts";
import {
  add,
  attention,
  gelu,
  layerNorm,
  matmul,
  mean,
  mul,
  permute,
  reshape,
  slice,
} from "../../ops/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";

type Floats = Tensor<"f32">;

export interface StackShape {
  readonly blocks: number;
  readonly tokens: number;
  readonly width: number;
  readonly heads: number;
  /** The blocks whose fused qkv has LoRA of rank 2. */
  readonly adapted: (block: number) => boolean;
}

export interface Stack {
  readonly loss: Floats;
  /** What each block starts from, the first block's first. */
  readonly blockInputs: readonly Floats[];
  /** LoRA's two factors of each adapted block. */
  readonly trained: readonly Floats[];
}

/** The mean square of what the blocks make of the input `x`, [tokens, width]. */
export function transformerStack(shape: StackShape): Stack {
  const trained: Floats[] = [];
  const blockInputs: Floats[] = [];
  let x: Floats = input("x", "f32", [shape.tokens, shape.width]);
  for (let i = 0; i < shape.blocks; i++) {
    blockInputs.push(x);
    x = block(`b${i}`, x, shape, shape.adapted(i) ? trained : undefined);
  }
  return { loss: mean(mul(x, x)) as Floats, blockInputs, trained };
}

function block(name: string, x: Floats, shape: StackShape, trained: Floats[] | undefined): Floats {
  const { tokens, width, heads } = shape;
  const weight = (part: string, size: number[]): Floats => input(`${name}.${part}`, "f32", size);
  const normed = (part: string, t: Floats): Floats =>
    layerNorm(t, weight(`${part}.g`, [width]), weight(`${part}.b`, [width]), 1e-6) as Floats;
  const dense = (part: string, t: Floats, outputs: number): Floats => {
    const product = matmul(t as Tensor, weight(part, [t.shape[1]!, outputs]) as Tensor);
    return add(product, weight(`${part}.bias`, [outputs])) as Floats;
  };
  const inside = normed("norm1", x);
  let qkv = dense("qkv", inside, 3 * width);
  if (trained) {
    const [down, up] = [weight("down", [width, 2]), weight("up", [2, 3 * width])];
    trained.push(down, up);
    const low = matmul(matmul(inside as Tensor, down as Tensor), up as Tensor);
    qkv = add(qkv, low as Floats) as Floats;
  }
  const third = (i: number): Tensor => {
    const part = slice(qkv, [[], [i * width, (i + 1) * width]]);
    return permute(reshape(part, [1, tokens, heads, width / heads]), [0, 2, 1, 3]);
  };
  const attended = permute(attention(third(0), third(1), third(2)), [0, 2, 1, 3]);
  const h = add(x, dense("proj", reshape(attended, [tokens, width]) as Floats, width)) as Floats;
  const wide = gelu(dense("lin1", normed("norm2", h), 4 * width));
  return add(h, dense("lin2", wide as Floats, width)) as Floats;
}

/** Values for all inputs that some outputs are computed from, small enough for any depth. */
export function valuesFor(outputs: readonly Output[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const node of graphOf(outputs).nodes) {
    if (!isSource(node)) continue;
    const { name, type } = node.attrs as Source;
    const size = elements(type.shape);
    const high = name === "x" ? 1 : 1 / Math.sqrt(type.shape[0]!);
    found[name] = randomNumbers(size, name.length * 31 + size, [-high, high]);
  }
  return found;
}
