/** Ops that work element by element. ONNX's operators broadcast as ours do. */
import { copyOp } from "../../compiler/graph/sources.ts";
import { castRange, type Op } from "../../compiler/op-kit.ts";
import { op as abs } from "../../ops/elementwise/abs.ts";
import { op as and } from "../../ops/elementwise/and.ts";
import { op as cast } from "../../ops/elementwise/cast.ts";
import { op as div } from "../../ops/elementwise/div.ts";
import { op as eq } from "../../ops/elementwise/eq.ts";
import { op as erf } from "../../ops/elementwise/erf.ts";
import { op as exp } from "../../ops/elementwise/exp.ts";
import { op as finite } from "../../ops/elementwise/finite.ts";
import { op as ge } from "../../ops/elementwise/ge.ts";
import { op as gelu } from "../../ops/elementwise/gelu.ts";
import { op as gt } from "../../ops/elementwise/gt.ts";
import { op as le } from "../../ops/elementwise/le.ts";
import { op as log } from "../../ops/elementwise/log.ts";
import { op as lt } from "../../ops/elementwise/lt.ts";
import { op as maximum } from "../../ops/elementwise/maximum.ts";
import { op as minimum } from "../../ops/elementwise/minimum.ts";
import { op as mul } from "../../ops/elementwise/mul.ts";
import { op as ne } from "../../ops/elementwise/ne.ts";
import { op as neg } from "../../ops/elementwise/neg.ts";
import { op as not } from "../../ops/elementwise/not.ts";
import { op as oneMinusPower } from "../../ops/elementwise/one-minus-power.ts";
import { op as or } from "../../ops/elementwise/or.ts";
import { op as pow } from "../../ops/elementwise/pow.ts";
import { op as relu } from "../../ops/elementwise/relu.ts";
import { op as rsqrt } from "../../ops/elementwise/rsqrt.ts";
import { op as selectPositive } from "../../ops/elementwise/select-positive.ts";
import { op as sigmoid } from "../../ops/elementwise/sigmoid.ts";
import { op as sin } from "../../ops/elementwise/sin.ts";
import { op as softplus } from "../../ops/elementwise/softplus.ts";
import { op as sqrt } from "../../ops/elementwise/sqrt.ts";
import { op as stopGradient } from "../../ops/elementwise/stop-gradient.ts";
import { op as sub } from "../../ops/elementwise/sub.ts";
import { op as tanh } from "../../ops/elementwise/tanh.ts";
import { op as where } from "../../ops/elementwise/where.ts";
import { op as computeTogether } from "../../ops/training/compute-together.ts";
import { type Entry, entry } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

/** The same operator by another name. */
const named: readonly (readonly [op: Op<null>, opType: string])[] = [
  [abs, "Abs"],
  [div, "Div"],
  [erf, "Erf"],
  [exp, "Exp"],
  [gelu, "Gelu"],
  [log, "Log"],
  [maximum, "Max"],
  [minimum, "Min"],
  [mul, "Mul"],
  [neg, "Neg"],
  [relu, "Relu"],
  [sigmoid, "Sigmoid"],
  [softplus, "Softplus"],
  [sqrt, "Sqrt"],
  [sub, "Sub"],
  [tanh, "Tanh"],
];

const logical: readonly (readonly [op: Op<null>, opType: string])[] = [
  [and, "And"],
  [eq, "Equal"],
  [ge, "GreaterOrEqual"],
  [gt, "Greater"],
  [le, "LessOrEqual"],
  [lt, "Less"],
  [not, "Not"],
  [or, "Or"],
];

export const elementwise: readonly Entry[] = [
  ...named.map(([op, opType]) => entry(op, ({ w, x }) => w.map(opType, x))),
  ...logical.map(([op, opType]) => entry(op, ({ w, x }) => w.map(opType, x, "bool"))),
  entry(copyOp, ({ x }) => x[0]!),
  entry(stopGradient, ({ x }) => x[0]!),
  entry(computeTogether, ({ x }) => x),
  entry(ne, ({ w, x }) => w.map("Not", [w.map("Equal", x, "bool")])),
  entry(rsqrt, ({ w, x }) => w.map("Reciprocal", [w.map("Sqrt", x)])),
  entry(pow, ({ w, x, attrs }) => w.map("Pow", [x[0]!, w.number(attrs.exponent)])),
  entry(sin, ({ w, x, attrs: { quarter } }) => {
    const wave = w.map(quarter % 2 === 0 ? "Sin" : "Cos", x);
    return quarter < 2 ? wave : w.map("Neg", [wave]);
  }),
  entry(finite, ({ w, x }) => {
    const not = w.map("Or", [w.map("IsNaN", x, "bool"), w.map("IsInf", x, "bool")]);
    return w.map("Not", [not]);
  }),
  // 1 - exp(y) = -tanh(y / 2) (exp(y) + 1), which keeps its digits where exp(y) is near 1.
  entry(oneMinusPower, ({ w, x, attrs: { base } }) => {
    const y = w.map("Mul", [x[0]!, w.number(Math.log(base))]);
    const half = w.map("Tanh", [w.map("Mul", [y, w.number(-0.5)])]);
    return w.map("Mul", [half, w.map("Add", [w.map("Exp", [y]), w.number(1)])]);
  }),
  entry(cast, ({ w, x, attrs: { dtype } }) => {
    const [from] = x as [Value];
    // ONNX says nothing of numbers that a type does not have, NaN among them.
    if (from.dtype !== "f32" || (dtype !== "i32" && dtype !== "u32")) return w.cast(from, dtype);
    const [low, high] = castRange[dtype];
    const near = w.map("Min", [w.map("Max", [from, w.number(low)]), w.number(high)]);
    return w.cast(choice(w, w.map("IsNaN", [from], "bool"), w.number(0), near), dtype);
  }),
  entry(where, ({ w, x }) => choice(w, x[0]!, x[1]!, x[2]!)),
  entry(selectPositive, ({ w, x }) => {
    const open = w.map("Greater", [x[0]!, w.number(0)], "bool");
    return choice(w, open, x[1]!, x[2]!);
  }),
];

function choice(w: OnnxWriter, condition: Value, yes: Value, no: Value): Value {
  if (yes.dtype !== "bool") return w.map("Where", [condition, yes, no], yes.dtype);
  // ONNX Runtime chooses among numbers only.
  const otherwise = w.map("And", [w.map("Not", [condition]), no]);
  return w.map("Or", [w.map("And", [condition, yes]), otherwise]);
}
