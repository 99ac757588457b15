/**
 * Gradient descent with momentum as PyTorch computes it: decay is added to the gradient, dampening
 * is 0, and the rate multiplies the velocity, not what enters it.
 */
import { checkOptions } from "../../diagnostics/options.ts";
import { add, mul, sub } from "../../ops/index.ts";
import { belowOne, check, fromZero } from "../settings.ts";
import type { Optimiser } from "./optimiser.ts";

export interface SgdOptions {
  /** How much of the velocity stays: 0 unless said otherwise, which keeps none. */
  readonly momentum?: number;
  readonly decay?: number;
}

/** @throws E720 for settings out of range. */
export function sgd(options: SgdOptions = {}): Optimiser {
  checkOptions<SgdOptions>("sgd", options, { momentum: true, decay: true });
  const { momentum = 0, decay = 0 } = options;
  check("sgd", { momentum: [momentum, belowOne], decay: [decay, fromZero] });
  return {
    name: "sgd",
    moments: momentum === 0 ? [] : ["velocity"],
    options: { momentum, decay },
    factors: (site) => [site.rate, site.decay],
    update({ parameters, gradients, moments: [velocity], factors: [rate, shrink] }) {
      const whole = add(gradients, mul(parameters, shrink!));
      // A first velocity is the gradient itself: that is what a state of zeros gives.
      const next = velocity ? add(mul(velocity, momentum), whole) : whole;
      return {
        parameters: sub(parameters, mul(next, rate!)),
        moments: velocity ? [next] : [],
      };
    },
  };
}
