/**
 * layerNorm(x, gamma, beta): mean 0 and variance 1 along an axis, then scale and shift.
 *
 * The op is the part without parameters, `normalize`. Scale and shift are arithmetic that melts
 * behind it, so one kernel does both, and rules see the parameters as plain factors.
 */
import {
  apply,
  checkNumber,
  checkTensors,
  type Dense,
  type DType,
  elements,
  type KernelOp,
  literal,
  refuse,
  type Shape,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { mul } from "../elementwise/mul.ts";
import { axisOf } from "../views/axes.ts";
import { reshape } from "../views/reshape.ts";
import { type Attrs, op as normalizeGradient } from "./layer-norm-gradient.ts";
import { lineForms } from "./line-forms.ts";
import { plainLines } from "./line-kernel.ts";

export const op: KernelOp<Attrs> = {
  name: "normalize",
  kind: "kernel",
  type: ([x], _attrs, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    return [x!];
  },
  forms: lineForms({
    axes: (_inputs, { axis }) => [axis],
    passes: () => 3,
    kernel({ k, outputs: [y], attrs: { epsilon } }, line) {
      const sum = k.var("sum", literal(0, "f32"));
      line.each((value) => sum.set(sum.get.add(value)));
      const [total] = line.all([sum.get], ["add"]);
      const center = k.let("center", total!.mul(1 / line.layout.extent));
      const squares = k.var("squares", literal(0, "f32"));
      line.each((value) => {
        const away = k.let("away", value.sub(center));
        squares.set(away.fma(away, squares.get));
      });
      const [spread] = line.all([squares.get], ["add"]);
      const deviation = spread!
        .mul(1 / line.layout.extent)
        .add(epsilon)
        .sqrt();
      const scale = k.let("scale", literal(1, "f32").div(deviation));
      line.each((value, i) => y!.put(value.sub(center).mul(scale), ...line.coords(i)));
      return line.finish("normalize");
    },
  }),
  oracle: ([x], attrs) => [plainNormalize(x!, attrs)],
  work: ([x]) => 8 * elements(x!.shape),
  vjp: ([g], { inputs: [x], attrs }) => [apply(normalizeGradient, [x!, g!], attrs)[0]],
  note: (a) => `axis ${a.axis}, epsilon ${a.epsilon}`,
  tests: {
    samples: [
      {
        inputs: [
          [
            [1, 3],
            [-5, 5],
          ],
        ],
        call: (x) => normalize(x!, -1, 0),
        outputs: [
          [
            [-1, 1],
            [-1, 1],
          ],
        ],
      },
      {
        claim: "gamma scales, beta shifts, epsilon adds to the variance",
        inputs: [[[1, 3]], [2, 4], [10, 20]],
        call: (x, gamma, beta) => layerNorm(x!, gamma!, beta!, 3),
        outputs: [[[9, 22]]],
      },
      {
        claim: "channels first, each pixel by itself",
        inputs: [[[[[1, -5]], [[3, 5]]]], [2, 4], [10, 20]],
        call: (x, gamma, beta) => layerNorm2d(x!, gamma!, beta!, 0),
        outputs: [[[[[8, 8]], [[24, 24]]]]],
      },
    ],
    cases: [
      ...(
        [
          ["short rows", [70, 6]],
          ["rows that fit the registers of one workgroup", [5, 2, 67]],
          ["rows for four values a thread", [3, 768]],
          ["long rows in three passes", [2, 4500]],
        ] as const
      ).map(([claim, shape]) => ({
        claim,
        inputs: [{ shape }, { shape: [shape.at(-1)!] }, { shape: [shape.at(-1)!] }],
        call: (...[x, gamma, beta]: Tensor[]) => layerNorm(x!, gamma!, beta!),
        smooth: true,
      })),
      ...(
        [
          ["few channels first", [2, 5, 3, 7]],
          ["many channels first", [1, 67, 5, 7]],
          ["channels first in three passes", [1, 300, 1, 5]],
        ] as const
      ).map(([claim, shape]) => ({
        claim,
        inputs: [{ shape }, { shape: [shape[1]] }, { shape: [shape[1]] }],
        call: (...[x, gamma, beta]: Tensor[]) => layerNorm2d(x!, gamma!, beta!),
        smooth: true,
      })),
    ],
  },
};

/** `x` with mean 0 and (biased) variance 1 along `axis`; `epsilon` is added to the variance. */
export function normalize<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  axis: number,
  epsilon: number,
): Tensor<D, S> {
  const along = axisOf("normalize", x, axis);
  checkNumber("normalize", [x], "epsilon", epsilon, { least: 0 });
  return apply(op, [x], { axis: along, epsilon })[0] as unknown as Tensor<D, S>;
}

/** Normalizes the last axis; gamma and beta are [last axis]. Throws E101 if they are not. */
export function layerNorm<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  gamma: Tensor<D>,
  beta: Tensor<D>,
  epsilon = 1e-5,
): Tensor<D, S> {
  return scaled("layerNorm", x, gamma, beta, -1, epsilon);
}

/** Normalizes the channels of [batch, channels, height, width]; gamma and beta are [channels]. */
export function layerNorm2d<D extends DType, S extends Shape>(
  x: Tensor<D, S>,
  gamma: Tensor<D>,
  beta: Tensor<D>,
  epsilon = 1e-6,
): Tensor<D, S> {
  checkTensors("layerNorm2d", { x });
  if (x.shape.length !== 4)
    refuse("layerNorm2d", [x], `takes [batch, channels, height, width], not ${show(x.type)}`);
  return scaled("layerNorm2d", x, gamma, beta, 1, epsilon);
}

function scaled<D extends DType, S extends Shape>(
  name: string,
  x: Tensor<D, S>,
  gamma: Tensor<D>,
  beta: Tensor<D>,
  axis: number,
  epsilon: number,
): Tensor<D, S> {
  checkTensors(name, { x, gamma, beta });
  checkNumber(name, [x, gamma, beta], "epsilon", epsilon, { least: 0 });
  const size = x.shape.at(axis);
  for (const p of [gamma, beta])
    if (p.shape.length !== 1 || p.shape[0] !== size)
      refuse(
        name,
        [x, gamma, beta],
        `gamma and beta are ${show(gamma.type)} and ${show(beta.type)} for ${size} normalized elements`,
        `both need the shape [${size}]`,
      );
  const along = axisOf(name, x, axis);
  const aligned = x.shape.slice(along).map((n, i) => (i === 0 ? n : 1));
  const factor: Tensor = reshape(gamma, aligned);
  const offset: Tensor = reshape(beta, aligned);
  return add(mul(normalize(x, axis, epsilon) as Tensor, factor), offset) as unknown as Tensor<D, S>;
}

function plainNormalize(x: Dense, { axis, epsilon }: Attrs): Float64Array {
  return plainLines(x, axis, (line) => {
    const center = line.reduce((a, b) => a + b, 0) / line.length;
    const variance = line.reduce((sum, v) => sum + (v - center) ** 2, 0) / line.length;
    return line.map((v) => (v - center) / Math.sqrt(variance + epsilon));
  });
}
