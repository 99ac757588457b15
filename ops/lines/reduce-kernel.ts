/** The kernel and the oracle of reductions: one number out of every line. */
import {
  addNumbers,
  type Dense,
  type DType,
  type ElementOp,
  elements,
  type Fold,
  type Form,
  index,
  type KernelOp,
  literal,
  type Type,
  type Value,
} from "../../compiler/op-kit.ts";
import { extentOf, lineOf, mostTerms, smallForm } from "../small.ts";
import { type LineKernel, lineForms } from "./line-forms.ts";

export interface Reduction {
  readonly name: string;
  /** What changes nothing when combined with. */
  readonly neutral: (dtype: DType) => number;
  readonly fold: Fold;
  readonly plain: (a: number, b: number) => number;
}

export const summation: Reduction = {
  name: "sum",
  neutral: () => 0,
  fold: "add",
  plain: (a, b) => a + b,
};

/**
 * Reduces input 0 over axes. The output has size 1 there; leading ones it may not have at all.
 */
export const reduceForms = <A>(
  axes: LineKernel<A>["axes"],
  reductionOf: (attrs: A) => Reduction,
): readonly Form<A>[] =>
  lineForms({
    axes,
    passes: () => 1,
    kernel({ k, inputs, outputs, attrs }, line) {
      const [x, out] = [inputs[0]!, outputs[0]!];
      const { name, neutral, fold } = reductionOf(attrs);
      const own = k.var("own", literal(neutral(x.dtype), x.dtype));
      line.each((value) => own.set(folded(fold, own.get, value)));
      line.once([own.get], [fold], ([total]) =>
        out.put(total!, ...placeIn(out.shape, x.shape, axes(inputs, attrs), line.at)),
      );
      return line.finish(name);
    },
  });

/** The same of short lines, one element at a time. */
export function smallReduction<A>(
  op: KernelOp<A>,
  x: Type,
  axes: readonly number[],
  { fold }: Reduction,
): ElementOp<A> | undefined {
  const extent = extentOf(x, axes);
  if (extent > mostTerms) return undefined;
  return smallForm(op, 0, {
    cost: extent,
    reads: extent,
    element: ({ inputs, at }) => {
      const from = inputs[0]!;
      const lead = Array.from({ length: from.shape.length - at.length }, () => index(0));
      return lineOf(from, axes, [...lead, ...at]).reduce((a, b) => folded(fold, a, b));
    },
  });
}

const folded = (fold: Fold, a: Value, b: Value): Value =>
  fold === "add" ? addNumbers(a, b) : a[fold](b);

/** Where a line's result stands: the coordinates of the other axes, 0 at the reduced ones. */
function placeIn(
  out: readonly number[],
  shape: readonly number[],
  axes: readonly number[],
  at: readonly Value[],
): Value[] {
  const others = shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const lead = shape.length - out.length;
  return out.map((_, i) => {
    const other = others.indexOf(i + lead);
    return other < 0 ? index(0) : at[other]!;
  });
}

export function reduceOracle(
  { shape, data }: Dense,
  axes: readonly number[],
  { neutral, plain }: Reduction,
  dtype: DType,
): Float64Array {
  const kept = shape.map((n, i) => (axes.includes(i) ? 1 : n));
  const y = new Float64Array(elements(kept)).fill(neutral(dtype));
  for (let i = 0; i < data.length; i++) {
    let [rest, stride, at] = [i, 1, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const c = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      if (!axes.includes(axis)) at += c * stride;
      stride *= kept[axis]!;
    }
    y[at] = plain(y[at]!, data[i]!);
  }
  if (dtype === "i32") return y.map((v) => v | 0);
  if (dtype === "u32") return y.map((v) => v >>> 0);
  return y;
}
