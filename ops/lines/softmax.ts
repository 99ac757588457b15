/** softmax(x, axis): exponentials that sum to 1 along an axis, relative to the largest: stable. */
import {
  apply,
  type Dense,
  type DType,
  elements,
  gradient,
  type KernelOp,
  literal,
  type Shape,
  sameShape,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { mul } from "../elementwise/mul.ts";
import { sub } from "../elementwise/sub.ts";
import { extentOf, lineOf, smallForm } from "../small.ts";
import { axisOf } from "../views/axes.ts";
import { lineForms } from "./line-forms.ts";
import { plainLines } from "./line-kernel.ts";
import { sum } from "./reduce.ts";

interface Attrs {
  readonly axis: number;
}

/** The longest line that is written out. */
const mostSmall = 16;

export const op: KernelOp<Attrs> = {
  name: "softmax",
  kind: "kernel",
  type: ([x], _attrs, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    return [x!];
  },
  forms: lineForms({
    axes: (_inputs, { axis }) => [axis],
    passes: () => 3,
    kernel({ k, outputs: [y] }, line) {
      const most = k.var("most", literal(Number.NEGATIVE_INFINITY, "f32"));
      line.each((value) => most.set(most.get.max(value)));
      const [peak] = line.all([most.get], ["max"]);
      const own = k.var("own", literal(0, "f32"));
      line.each((value) => own.set(own.get.add(value.sub(peak!).exp())));
      const [total] = line.all([own.get], ["add"]);
      const inverse = k.let("inverse", literal(1, "f32").div(total!));
      line.each((value, i) => y!.put(value.sub(peak!).exp().mul(inverse), ...line.coords(i)));
      return line.finish("softmax");
    },
  }),
  oracle: ([x], { axis }) => [plainSoftmax(x!, axis)],
  work: ([x]) => 40 * elements(x!.shape),
  small: ([x], { axis }) => {
    const extent = extentOf(x!, [axis]);
    if (extent > mostSmall) return undefined;
    return smallForm(op, 0, {
      cost: 25 * extent,
      reads: extent + 1,
      element: ({ k, inputs: [from], at }) => {
        const line = lineOf(from!, [axis], at).map((v) => k.let("value", v));
        const peak = k.let(
          "peak",
          line.reduce((a, b) => a.max(b)),
        );
        const total = line.map((v) => v.sub(peak).exp()).reduce((a, b) => a.add(b));
        return from!
          .at(...at)
          .sub(peak)
          .exp()
          .div(total);
      },
    });
  },
  vjp: ([g], { results: [y], attrs }) => [apply(adjoint, [y!, g!], attrs)[0]],
  note: (a) => `axis ${a.axis}`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [0, Math.log(3)],
            [2, 2],
          ],
        ],
        call: (x) => softmax(x!),
        outputs: [
          [
            [0.25, 0.75],
            [0.5, 0.5],
          ],
        ],
      },
      {
        claim: "large scores do not overflow",
        inputs: [[1000, 1000, -1000]],
        call: (x) => softmax(x!),
        outputs: [[0.5, 0.5, 0]],
      },
    ],
    cases: (
      [
        ["short rows", [70, 5], -1],
        ["a row of one", [3, 1], -1],
        ["rows that fit the registers of one workgroup", [3, 77], -1],
        ["long rows in three passes", [2, 4500], -1],
        ["an axis in the middle", [2, 19, 5], 1],
        ["a long axis in the middle", [2, 300, 3], 1],
      ] as const
    ).map(([claim, shape, axis]) => ({
      claim,
      inputs: [{ shape, range: [-3, 3] as const }],
      call: (x?: Tensor) => softmax(x!, axis),
      smooth: true,
    })),
  },
};

/** y * (g - sum(g * y)) along the axis: the gradient of softmax from its result and cotangent. */
export const adjoint: KernelOp<Attrs> = {
  name: "softmaxGradient",
  kind: "kernel",
  type: ([y, g], _attrs, fail) => {
    if (!sameShape(y!.shape, g!.shape))
      fail(`the result is ${show(y!)}, its cotangent ${show(g!)}`);
    return [y!];
  },
  forms: lineForms({
    axes: (_inputs, { axis }) => [axis],
    along: 2,
    passes: () => 2,
    kernel({ k, outputs: [dx] }, line) {
      const own = k.var("own", literal(0, "f32"));
      line.each((value, _i, [change]) => own.set(value.fma(change!, own.get)));
      const [along] = line.all([own.get], ["add"]);
      line.each((value, i, [change]) => dx!.put(value.mul(change!.sub(along!)), ...line.coords(i)));
      return line.finish("softmaxGradient");
    },
  }),
  oracle: ([y, g], { axis }) => [
    plainLines(
      y!,
      axis,
      (line, change) => {
        const along = line.reduce((total, v, i) => total + v * change![i]!, 0);
        return line.map((v, i) => v * (change![i]! - along));
      },
      [g!],
    ),
  ],
  work: ([y]) => 4 * elements(y!.shape),
  small: ([y], { axis }) => {
    const extent = extentOf(y!, [axis]);
    if (extent > mostSmall) return undefined;
    return smallForm(adjoint, 0, {
      cost: 2 * extent,
      reads: extent + 1,
      element: ({ inputs: [from, change], at }) => {
        const changes = lineOf(change!, [axis], at);
        const along = lineOf(from!, [axis], at)
          .map((v, i) => v.mul(changes[i]!))
          .reduce((a, b) => a.add(b));
        return from!.at(...at).mul(change!.at(...at).sub(along));
      },
    });
  },
  vjp: (cotangents, { inputs: [y, g], attrs: { axis } }) => {
    const composed = mul(sub(g!, sum(mul(g!, y!), axis, "keep")), y!);
    return gradient([composed], [cotangents[0]!], [y!, g!]);
  },
  note: (a) => `axis ${a.axis}`,
  tests: {
    samples: [
      {
        inputs: [[[0.25, 0.75]], [[4, 8]]],
        call: (y, g) => apply(adjoint, [y!, g!], { axis: 1 })[0]!,
        outputs: [[[-0.75, 0.75]]],
      },
    ],
    cases: (
      [
        ["short rows", [70, 5], 1],
        ["rows that fit the registers of one workgroup", [3, 77], 1],
        ["long rows in two passes", [2, 4500], 1],
        ["a long axis in the middle", [1, 520, 3], 1],
      ] as const
    ).map(([claim, shape, axis]) => ({
      claim,
      inputs: [{ shape }, { shape }],
      call: (y?: Tensor, g?: Tensor) => apply(adjoint, [y!, g!], { axis })[0]!,
      smooth: true,
    })),
  },
};

/**
 * exp(x) over its sum along `axis`, the last one unless given. As in PyTorch a line of -Infinity alone is
 * NaN, and one of any finite number alone, the smallest included, is uniform. Throws E101.
 */
export function softmax<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  axis = -1,
): Tensor<D, S> {
  const along = axisOf("softmax", x, axis);
  return apply(op, [x], { axis: along })[0] as unknown as Tensor<D, S>;
}

function plainSoftmax(x: Dense, axis: number): Float64Array {
  return plainLines(x, axis, (line) => {
    const most = Math.max(...line);
    const exps = line.map((v) => Math.exp(v - most));
    const total = exps.reduce((a, b) => a + b, 0);
    return exps.map((v) => v / total);
  });
}
