/**
 * normalizeGradient(x, g): with y = normalize(x), (g - mean(g) - y * mean(g * y)) / deviation.
 *
 * Mean and deviation are made again from x, so that nothing but x is kept for the backward pass.
 */
import {
  apply,
  type Dense,
  elements,
  gradient,
  type KernelOp,
  literal,
  sameShape,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { mul } from "../elementwise/mul.ts";
import { rsqrt } from "../elementwise/rsqrt.ts";
import { sub } from "../elementwise/sub.ts";
import { lineForms } from "./line-forms.ts";
import { plainLines } from "./line-kernel.ts";
import { mean } from "./reduce.ts";

export interface Attrs {
  readonly axis: number;
  /** Added to the variance. */
  readonly epsilon: number;
}

export const op: KernelOp<Attrs> = {
  name: "normalizeGradient",
  kind: "kernel",
  type: ([x, g], _attrs, fail) => {
    if (!sameShape(x!.shape, g!.shape)) fail(`the input is ${show(x!)}, the cotangent ${show(g!)}`);
    return [x!];
  },
  forms: lineForms({
    axes: (_inputs, { axis }) => [axis],
    along: 2,
    passes: () => 3,
    kernel({ k, outputs: [dx], attrs: { epsilon } }, line) {
      const share = 1 / line.layout.extent;
      const zero = literal(0, "f32");
      const own = ["sum", "changes"].map((name) => k.var(name, zero));
      line.each((value, _i, [change]) => {
        own[0]!.set(own[0]!.get.add(value));
        own[1]!.set(own[1]!.get.add(change!));
      });
      const totals = line.all(
        own.map((v) => v.get),
        ["add", "add"],
      );
      const [center, shift] = totals.map((v) => k.let("mean", v.mul(share)));
      const squares = k.var("squares", zero);
      const products = k.var("products", zero);
      line.each((value, _i, [change]) => {
        const away = k.let("away", value.sub(center!));
        squares.set(away.fma(away, squares.get));
        products.set(away.fma(change!, products.get));
      });
      const [spread, along] = line.all([squares.get, products.get], ["add", "add"]);
      const variance = k.let("variance", spread!.mul(share).add(epsilon));
      const scale = k.let("scale", literal(1, "f32").div(variance.sqrt()));
      const slope = k.let("slope", along!.mul(share).div(variance));
      line.each((value, i, [change]) => {
        const rest = change!.sub(shift!).sub(value.sub(center!).mul(slope));
        dx!.put(rest.mul(scale), ...line.coords(i));
      });
      return line.finish("normalizeGradient");
    },
  }),
  oracle: ([x, g], attrs) => [plain(x!, g!, attrs)],
  work: ([x]) => 12 * elements(x!.shape),
  vjp: (cotangents, { inputs: [x, g], attrs }) =>
    gradient([composed(x!, g!, attrs)], [cotangents[0]!], [x!, g!]),
  note: (a) => `axis ${a.axis}, epsilon ${a.epsilon}`,
  tests: {
    samples: [
      {
        claim: "what scales or shifts the whole line goes away",
        inputs: [[[1, 3, 2, 2]], [[1, 3, 5, 3]]],
        call: (x, g) => apply(op, [x!, g!], { axis: 1, epsilon: 0 })[0]!,
        outputs: [[[-Math.SQRT2, -Math.SQRT2, 2 * Math.SQRT2, 0]]],
      },
    ],
    cases: (
      [
        ["short rows", [70, 6], 1],
        ["rows that fit the registers of one workgroup", [3, 67], 1],
        ["rows for four values a thread", [2, 768], 1],
        ["long rows in three passes", [2, 4500], 1],
        ["channels first in three passes", [1, 300, 1, 5], 1],
      ] as const
    ).map(([claim, shape, axis]) => ({
      claim,
      inputs: [{ shape }, { shape }],
      call: (x?: Tensor, g?: Tensor) => apply(op, [x!, g!], { axis, epsilon: 1e-5 })[0]!,
      smooth: true,
    })),
  },
};

/** The definition, written with ops. */
function composed(x: Tensor, g: Tensor, { axis, epsilon }: Attrs): Tensor {
  const away = sub(x, mean(x, axis, "keep"));
  const scale = rsqrt(add(mean(mul(away, away), axis, "keep"), epsilon));
  const y = mul(away, scale);
  const along = mul(y, mean(mul(g, y), axis, "keep"));
  return mul(sub(sub(g, mean(g, axis, "keep")), along), scale);
}

function plain(x: Dense, g: Dense, { axis, epsilon }: Attrs): Float64Array {
  const average = (of: readonly number[]) => of.reduce((a, b) => a + b, 0) / of.length;
  return plainLines(
    x,
    axis,
    (line, changes) => {
      const center = average(line);
      const deviation = Math.sqrt(average(line.map((v) => (v - center) ** 2)) + epsilon);
      const y = line.map((v) => (v - center) / deviation);
      const shift = average(changes!);
      const along = average(y.map((v, i) => v * changes![i]!));
      return y.map((v, i) => (changes![i]! - shift - v * along) / deviation);
    },
    [g],
  );
}
