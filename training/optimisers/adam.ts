/**
 * Adam, after Kingma and Ba (2015) as PyTorch computes it, with its two ways of decay: `adamW`
 * shrinks the parameters themselves (Loshchilov and Hutter, 2019), `adam` adds the decay to the
 * gradient, so that it passes through the moments.
 */
import { checkOptions } from "../../diagnostics/options.ts";
import { add, div, mul, pow, rsqrt, sqrt, sub } from "../../ops/index.ts";
import { belowOne, check, fromZero, positive } from "../settings.ts";
import {
  biasCorrection,
  movingAverage,
  type Optimiser,
  type TensorSite,
  type UpdateSite,
} from "./optimiser.ts";

export interface AdamOptions {
  /** How fast parameters shrink, in units of the rate (adamW) or as a gradient (adam). */
  readonly decay?: number;
  /** Of the mean of gradients and of the mean of their squares. */
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
}

/** Adam with decoupled decay: 0.01 unless said otherwise. Throws E720 for settings out of range. */
export const adamW = (options: AdamOptions = {}): Optimiser => {
  const { decay, betas, epsilon } = settings("adamW", 0.01, options);
  return {
    name: "adamW",
    moments: ["mean", "square"],
    options: { decay, betas, epsilon },
    factors: (site) => [mul(site.rate, site.decay), ...corrections(betas, site)],
    update({ parameters, gradients, moments, factors: [shrink, size, root] }) {
      const [mean, square] = averages(betas, moments, gradients);
      const step = div(mul(mean, size!), add(mul(sqrt(square), root!), epsilon));
      const change = add(mul(parameters, shrink!), step);
      return { parameters: sub(parameters, change), moments: [mean, square] };
    },
  };
};

/** Adam with decay added to the gradient: none unless said otherwise. Throws E720. */
export const adam = (options: AdamOptions = {}): Optimiser => {
  const { decay, betas, epsilon } = settings("adam", 0, options);
  return {
    name: "adam",
    moments: ["mean", "square"],
    options: { decay, betas, epsilon },
    factors: (site) => [site.decay, ...corrections(betas, site)],
    update({ parameters, gradients, moments, factors: [shrink, size, root] }) {
      const whole = add(gradients, mul(parameters, shrink!));
      const [mean, square] = averages(betas, moments, whole);
      const step = div(mul(mean, size!), add(mul(sqrt(square), root!), epsilon));
      return { parameters: sub(parameters, step), moments: [mean, square] };
    },
  };
};

type Betas = readonly [number, number];

function settings(of: string, usual: number, options: AdamOptions) {
  checkOptions<AdamOptions>(of, options, { decay: true, betas: true, epsilon: true });
  const { decay = usual, betas = [0.9, 0.999] as const, epsilon = 1e-8 } = options;
  check(of, {
    decay: [decay, fromZero],
    "betas[0]": [betas[0], belowOne],
    "betas[1]": [betas[1], belowOne],
    epsilon: [epsilon, positive],
  });
  return { decay, betas, epsilon };
}

/** The rate over the first correction, and one over the root of the second. */
const corrections = ([first, second]: Betas, { rate, steps }: TensorSite) =>
  [div(rate, biasCorrection(first, steps)), rsqrt(biasCorrection(second, steps))] as const;

const averages = (
  [first, second]: Betas,
  [mean, square]: UpdateSite["moments"],
  gradients: UpdateSite["gradients"],
) =>
  [
    movingAverage(mean!, first, gradients),
    movingAverage(square!, second, pow(gradients, 2)),
  ] as const;
