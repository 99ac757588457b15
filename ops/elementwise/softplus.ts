/**
 * softplus(x) = log(1 + exp(x)), as max(x, 0) + log(1 + e) with e = exp(-|x|) in (0, 1].
 *
 * log(1 + e) = 2 atanh(s) with s = e / (2 + e) <= 1/3, by the series of atanh: unlike log(1 + e)
 * it keeps its digits where e is tiny.
 */
import { type ElementOp, literal, type Value } from "../../compiler/op-kit.ts";
import { elementwiseOp, type Unary, unary } from "./elementwise.ts";
import { mul } from "./mul.ts";
import { sigmoid } from "./sigmoid.ts";

// The first term that is left out is 2 s^21 / 21 <= 1e-11.
const oddTerms = 10;

export const op: ElementOp<null> = elementwiseOp("softplus", {
  at: (k, x) => {
    const e = k.let("e", x!.abs().neg().exp());
    const s = k.let("s", e.div(e.add(2)));
    const square = k.let("square", s.mul(s));
    let series: Value = literal(2 / (2 * oddTerms - 1), "f32");
    for (let n = oddTerms - 2; n >= 0; n--) series = series.fma(square, 2 / (2 * n + 1));
    return series.fma(s, x!.max(0));
  },
  vjp: (g, { inputs: [x] }) => [mul(g, sigmoid(x!))],
  cost: 36,
  tests: {
    samples: [
      {
        inputs: [[0, 1, -1, 100]],
        call: (x) => softplus(x!),
        outputs: [[Math.LN2, 1.313261688, 0.3132616875, 100]],
      },
      {
        claim: "the tail keeps its digits",
        inputs: [[-20]],
        call: (x) => softplus(x!),
        outputs: [[2.06115362e-9]],
      },
    ],
    cases: [
      {
        claim: "both signs",
        inputs: [{ shape: [6, 23], range: [-6, 6] }],
        call: (x) => softplus(x!),
        smooth: true,
      },
    ],
  },
});

export const softplus: Unary = unary(op);
