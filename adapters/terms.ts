/**
 * What adapters add to the loss: the balance of a mixture's gate, and the distance of Tucker factors
 * from orthonormal ones. Compositions of ops, so their derivatives come for nothing.
 */
import { refuse, show, type Tensor } from "../compiler/op-kit.ts";
import { add } from "../ops/elementwise/add.ts";
import { cast } from "../ops/elementwise/cast.ts";
import { div } from "../ops/elementwise/div.ts";
import { eq } from "../ops/elementwise/eq.ts";
import { erf } from "../ops/elementwise/erf.ts";
import { full } from "../ops/elementwise/full.ts";
import { gt } from "../ops/elementwise/gt.ts";
import { iota } from "../ops/elementwise/iota.ts";
import { mul } from "../ops/elementwise/mul.ts";
import { sqrt } from "../ops/elementwise/sqrt.ts";
import { sub } from "../ops/elementwise/sub.ts";
import { where } from "../ops/elementwise/where.ts";
import { mean, sum } from "../ops/lines/reduce.ts";
import { topK } from "../ops/lines/top-k.ts";
import { matmul } from "../ops/matmul/matmul.ts";
import { permute } from "../ops/views/permute.ts";
import { reshape } from "../ops/views/reshape.ts";
import { slice } from "../ops/views/slice.ts";

/** The weight of the balance term in Conv-LoRA's published code. */
export const balanceWeight = 0.01;

/** What a noisy gate decided with. All f32 `[batch, experts]`. */
export interface NoisyGate {
  /** Logits without noise. */
  readonly clean: Tensor;
  /** Logits with noise: `clean` + a standard normal sample times `deviation`. */
  readonly noisy: Tensor;
  /** The standard deviation of the noise, above 0. */
  readonly deviation: Tensor;
  /** How many experts each sample is routed to. */
  readonly kept: number;
}

/**
 * The load-balancing loss of a sparse gate, f32 `[]`: 0.01 (cv2(importance) + cv2(load)), where
 * cv2(v) = variance(v) / (mean(v)^2 + 1e-10) with the unbiased variance, and 0 for a single expert.
 *
 * `gates` is f32 `[batch, experts]`, 0 where a sample is not routed. Importance is its sum over the
 * batch. With noise (in training) load is the expected number of samples per expert under another
 * draw of that expert's noise: the sum of Phi((clean - threshold) / deviation), where the
 * threshold is the best noisy logit that this expert must beat to be kept. Without noise, or where
 * all experts are kept, it is the number of samples routed there, which has no gradient.
 *
 * Source: Shazeer et al. 2017, appendix A, as in autogluon's `MoEGate` (Conv-LoRA).
 * Throws E101 for shapes that differ, or `kept` outside 1 to the number of experts.
 */
export function gateBalance(gates: Tensor, noise?: NoisyGate): Tensor<"f32"> {
  const importance = sum(gates, 0);
  const load = noise && noise.kept < gates.shape[1]! ? expectedLoad(gates, noise) : loadOf(gates);
  const total = add(squaredVariation(importance), squaredVariation(load));
  return mul(total, balanceWeight) as Tensor<"f32">;
}

/**
 * How far the factors of Tucker layers are from orthonormal columns, f32 `[]`: the mean over all
 * layers and terms of ||left^T left - I||, ||right^T right - I|| and, for every c,
 * ||core[:, :, c]^T core[:, :, c] - I||. Frobenius norms, not squared; a norm of 0 has the gradient 0.
 *
 * Source: `orthogonal_reg` of MTSAM's tensorlib (TA-LoRA). Throws E101 for no layers, or for
 * factors that are no matrices.
 */
export function tuckerOrthogonality(layers: readonly TuckerFactors[]): Tensor<"f32"> {
  if (layers.length === 0)
    refuse("tuckerOrthogonality", [], "there are no layers", "give the factors of one or more");
  const terms = layers.flatMap(({ left, right, core }) => {
    if (left.shape.length !== 2 || right.shape.length !== 2 || core.shape.length !== 3)
      refuse(
        "tuckerOrthogonality",
        [left, right, core],
        `factors are ${[left, right, core].map((x) => show(x.type)).join(", ")}`,
        "left is [in, p], right is [out, q] and core is [p, q, v]",
      );
    return [orthogonality(left), orthogonality(right), orthogonality(permute(core, [2, 0, 1]))];
  });
  const count = layers.reduce((n, { core }) => n + 2 + core.shape[2]!, 0);
  const total = terms.map((term) => sum(term)).reduce((a, b) => add(a, b) as Tensor<"f32">);
  return mul(total, 1 / count) as Tensor<"f32">;
}

/** The factors of DW[i, j, t] = sum over a, b, c of core[a, b, c] left[i, a] right[j, b] tasks[t, c]. */
export interface TuckerFactors {
  /** f32 `[in, p]`. */
  readonly left: Tensor;
  /** f32 `[out, q]`. */
  readonly right: Tensor;
  /** f32 `[p, q, v]`. */
  readonly core: Tensor;
}

/** ||x^T x - I|| in the Frobenius norm, of f32 `[..., rows, columns]`: f32 `[...]`. */
export function orthogonality(x: Tensor): Tensor<"f32"> {
  const columns = x.shape.at(-1)!;
  const gram: Tensor = matmul(x, x, { transpose: "left" });
  const identity = cast(eq(iota([columns, columns], 0), iota([columns, columns], 1)), "f32");
  const off: Tensor = sub(gram, identity as Tensor);
  const squares = sum(mul(off, off), [-2, -1]);
  // The root has no derivative at 0; there the gradient is 0, as in PyTorch.
  const isPositive: Tensor<"bool"> = gt(squares, 0);
  const safe: Tensor = where(isPositive, squares, 1);
  return where(isPositive, sqrt(safe), 0) as Tensor<"f32">;
}

/** How many samples are routed to each expert, f32 `[experts]`. */
const loadOf = (gates: Tensor): Tensor => sum(cast(gt(gates, 0), "f32"), 0);

/** The expected number of samples per expert, f32 `[experts]`. */
function expectedLoad(gates: Tensor, { clean, noisy, deviation, kept }: NoisyGate): Tensor {
  const [batch, experts] = gates.shape as [number, number];
  const shapes = [gates, clean, noisy, deviation];
  if (shapes.some((x) => x.shape.join() !== [batch, experts].join()))
    refuse(
      "gateBalance",
      shapes,
      `gates and logits are ${shapes.map((x) => show(x.type)).join(", ")}`,
      "all are [batch, experts]",
    );
  if (!Number.isInteger(kept) || kept < 1)
    refuse("gateBalance", [gates], `${kept} experts are kept`, `keep 1 to ${experts} of them`);
  const best = topK(noisy, kept + 1, 1);
  const column = (i: number): Tensor => slice(best.values as Tensor, [[], [i, i + 1]]);
  // Which are kept is a matter of places: `noisy` may be computed again where it is compared, and
  // then equals its own stored value only up to rounding.
  const places: Tensor = reshape(slice(best.indices as Tensor, [[], [0, kept]]), [batch, kept, 1]);
  const chosen: Tensor = cast(eq(places, iota([1, 1, experts], 2) as Tensor) as Tensor, "f32");
  const isKept: Tensor<"bool"> = gt(sum(chosen, 1), 0);
  // A kept expert must beat the first that was not kept, the others the last that was.
  const threshold: Tensor = where(isKept, column(kept), column(kept - 1));
  const distance: Tensor = div(sub(clean, threshold) as Tensor, deviation);
  return sum(normalCdf(distance), 0);
}

/** Phi(x), the share of a standard normal distribution below x. */
const normalCdf = (x: Tensor): Tensor => mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);

/** variance(v) / (mean(v)^2 + 1e-10) of f32 `[count]`, with the unbiased variance: f32 `[]`. */
function squaredVariation(v: Tensor): Tensor {
  const count = v.shape[0]!;
  if (count === 1) return full(0, []);
  const middle: Tensor = mean(v, 0, "keep");
  const off: Tensor = sub(v, middle);
  const variance: Tensor = mul(sum(mul(off, off)), 1 / (count - 1));
  return div(variance, add(mul(mean(v), mean(v)), 1e-10) as Tensor);
}
