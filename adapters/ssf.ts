/** SSF: a scale and a shift per channel behind every layer. */
import type { Site, Tensor } from "../compiler/index.ts";
import { add, mul } from "../ops/index.ts";
import { defineAdapter } from "./adapter.ts";
import type { AdapterTests } from "./samples.ts";

/**
 * y = gamma * x + beta per channel (`ssf_ada`), behind the patch embedding, both norms, qkv, the
 * projection and both layers of the MLP, the first of them before its activation. Gamma begins
 * normal around 1, beta around 0, both with deviation 0.02. At places of kinds `linear` and `norm`.
 *
 * Left open: SAM's encoder has no last norm, where SSF scales too; the neck stays as it is. On
 * ViT-H these are 903,680 parameters, 4,409,216 with the decoder; the paper says 4.42M. Behind the
 * first norm the windows' padding still comes after, so padded tokens are zeros as before.
 */
export const ssf = () => defineAdapter({ name: "ssf", linear: scaled, norm: scaled });

type Rows = Tensor<"f32">;

function scaled(site: Site, x: Rows, base: (x: Rows) => Rows): Rows {
  const y = base(x);
  const channels = y.shape.at(-1)!;
  const around = (mean: number) => ({ init: { kind: "normal", mean, deviation: 0.02 } }) as const;
  const gamma = site.own.f32("ssf_scale", [channels], around(1));
  return add(mul(y, gamma), site.own.f32("ssf_shift", [channels], around(0)));
}

export const tests: AdapterTests = { ssf: [{ adapter: ssf }] };
