/** The structure loss of binary segmentation: cross entropy, and overlap that weighs edges more. */
import { elements, type Tensor } from "../../compiler/op-kit.ts";
import { abs, add, div, mean, mul, reshape, sigmoid, sub, sum, unfold } from "../../ops/index.ts";
import { bceMap, checkPair } from "./binary.ts";
import { countingOf, type PixelWeights } from "./weights.ts";

/** Half the side of the window that tells how close an edge is: 31 x 31. */
const reach = 15;
const side = 2 * reach + 1;

/**
 * Structure loss of logits and a target in 0..1, both f32 `[n, channels, h, w]`: f32 `[]`.
 *
 * w = 1 + 5 |average of t over 31 x 31 - t|, p = sigmoid(logits), I = sum(p t w),
 * U = sum((p + t) w) over each map; the loss is BCE + mean over maps of 1 - (I + 1) / (U - I + 1).
 * Averages have zeros outside the image and always divide by 961. BCE is the plain mean: the
 * published code asks for the weighted one in a way that PyTorch ignores, and was trained so. Pixels count
 * with `weight`; averages take the target as it is, there too.
 *
 * Source: Conv-LoRA's code (autogluon, `structure_loss.py`), after F3Net. Throws E101 for shapes that differ.
 */
export function structureLoss(
  logits: Tensor,
  target: Tensor,
  options: PixelWeights = {},
): Tensor<"f32"> {
  const wanted = checkPair("structureLoss", logits, target);
  const counting = countingOf("structureLoss", target.shape, options);
  const near: Tensor = abs(sub(averages(wanted), wanted) as Tensor);
  const edges: Tensor = add(mul(near, 5), 1);
  const whole = (map: Tensor) => sum(counting.each(mul(map, edges) as Tensor), [2, 3]) as Tensor;
  const x = counting.seen(logits);
  const p: Tensor = sigmoid(x);
  const common = whole(mul(p, wanted) as Tensor);
  const both = whole(add(p, wanted) as Tensor);
  const ratio: Tensor = div(add(common, 1), add(sub(both, common) as Tensor, 1) as Tensor);
  const overlap: Tensor = mean(sub(1, ratio) as Tensor);
  const entropy: Tensor = counting.mean(bceMap(x, wanted));
  return add(entropy, overlap) as Tensor<"f32">;
}

/**
 * PyTorch's avg_pool2d with a window of 31, stride 1, padding 15: sums over columns, then rows.
 * Windows are views, so each pass is one kernel that reads 31 elements for each it writes.
 */
function averages(x: Tensor): Tensor {
  const [n, channels, h, w] = x.shape as [number, number, number, number];
  const maps = elements([n, channels]);
  const pass = (map: Tensor, kernel: readonly [number, number]): Tensor => {
    const padding = kernel.map((size) => (size - 1) / 2) as [number, number];
    const windows = unfold(reshape(map, [maps, 1, h, w]) as Tensor, { kernel, padding });
    return sum(windows, 1);
  };
  const total = pass(pass(x, [1, side]), [side, 1]);
  return reshape(mul(total, 1 / side ** 2), x.shape) as Tensor;
}
