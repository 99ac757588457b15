/** Conv-LoRA's gate: it looks at a whole map and chooses which experts see it. */
import { type Site, type Tensor, zeros } from "../compiler/index.ts";
import {
  add,
  cast,
  eq,
  gt,
  iota,
  matmul,
  mean,
  mul,
  reshape,
  slice,
  softmax,
  softplus,
  sum,
  topK,
  where,
} from "../ops/index.ts";
import { draw } from "./noise.ts";
import { gateBalance } from "./terms.ts";

export interface Routing {
  /** The experts that each map goes to: i32 `[maps, kept]`. */
  readonly choice: Tensor<"i32">;
  /** How much each counts there, of the same shape; undefined where it is always 1. */
  readonly weights: Tensor<"f32"> | undefined;
  /** Whether any map goes to the expert: bool `[1]`. */
  used(index: number): Tensor<"bool">;
}

/**
 * Routes maps `[maps, pixels, channels]` to `kept` of the experts each, by the logits mean(z)
 * w_gate. In training they get noise of deviation softplus(mean(z) w_noise) + 0.01. Of equal logits
 * the first expert's wins. `w_gate` and `w_noise` are `[channels, experts]` and begin as zeros.
 *
 * Adds the term `moe_loss`, which balances the experts. The choice has no derivative: with one
 * expert a map the gate learns from that term alone.
 */
export function route(site: Site, z: Tensor<"f32">, experts: number, kept: number): Routing {
  const [maps, , channels] = z.shape as [number, number, number];
  const gating = site.own.at("lora_moe_gating");
  const toGate = gating.f32("w_gate", [channels, experts], { init: zeros });
  const toNoise = gating.f32("w_noise", [channels, experts], { init: zeros });
  const pooled = mean(z, 1);
  const clean = matmul(pooled, toGate);
  const drawn = site.training && drawNoise(site, pooled, toNoise);
  const logits: Tensor<"f32"> = drawn ? add(clean, mul(drawn.normal, drawn.deviation)) : clean;
  const best = topK(logits, kept);
  const hits = eq(reshape(best.indices, [maps, kept, 1]), iota([1, 1, experts], 2));
  const chosen: Tensor<"bool"> = gt(sum(cast(hits, "f32"), 1), 0);
  const gates = softmax(where(chosen, logits, -1e30));
  const noise = drawn && { clean, noisy: logits, deviation: drawn.deviation, kept };
  site.term("moe_loss", noise ? gateBalance(gates, noise) : gateBalance(gates));
  const used: Tensor<"bool"> = gt(sum(cast(chosen, "f32"), 0), 0);
  return {
    choice: best.indices,
    weights: kept === 1 ? undefined : softmax(best.values),
    used: (index) => slice(used, [[index, index + 1]]),
  };
}

/** Standard normal numbers and the deviation that each is scaled with, `[maps, experts]`. */
function drawNoise(site: Site, pooled: Tensor<"f32">, weight: Tensor<"f32">) {
  const raw = matmul(pooled, weight);
  const deviation = add(softplus(raw), 0.01);
  return { deviation, normal: draw(site, "normal", "gate", raw.shape as readonly number[]) };
}
