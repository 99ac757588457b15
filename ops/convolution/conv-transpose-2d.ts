/**
 * convTranspose2d(x, weight): the transpose of a convolution, in PyTorch's layout. A matrix product
 * makes the window of every pixel, fold adds them up. Where windows do not touch (kernel = stride)
 * that is only a rearrangement, a view.
 */
import {
  checkNames,
  checkNumber,
  checkTensors,
  refuse,
  show,
  type Tensor,
  type Tests,
} from "../../compiler/op-kit.ts";
import { add } from "../elementwise/add.ts";
import { matmul, transpose } from "../matmul/matmul.ts";
import { type Pair, pairOf } from "../views/axes.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import { checkedWindows, foldWindows } from "../views/unfold.ts";
import type { ConvolutionOptions } from "./conv2d.ts";

export interface TransposedConvolutionOptions extends ConvolutionOptions {
  /** Rows and columns that are added at the bottom and at the right: 0 unless given. */
  readonly outputPadding?: Pair;
}

/**
 * x [batch, channels, height, width] with weight [channels, out / groups, rows, columns] ->
 * [batch, out, (height - 1) * stride - 2 * padding + rows + outputPadding, ...]. Throws E101.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  options: TransposedConvolutionOptions = {},
): Tensor<"f32"> {
  checkTensors("convTranspose2d", { x, weight });
  checkNames("convTranspose2d", options, {
    bias: true,
    stride: true,
    padding: true,
    groups: true,
    outputPadding: true,
  });
  const { bias, groups = 1, outputPadding = 0 } = options;
  if (bias !== undefined) checkTensors("convTranspose2d", { bias });
  checkNumber("convTranspose2d", [x, weight], "groups", groups, { least: 1, whole: true });
  const fail = (message: string, help: string) =>
    refuse("convTranspose2d", bias ? [x, weight, bias] : [x, weight], message, help);
  if (x.shape.length !== 4 || weight.shape.length !== 4)
    fail(
      `x is ${show(x.type)} and weight ${show(weight.type)}`,
      "x is [batch, channels, height, width], weight [channels, out / groups, rows, columns]",
    );
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [inner, each, kh, kw] = weight.shape as [number, number, number, number];
  const windows = checkedWindows("convTranspose2d", x, { ...options, kernel: [kh, kw] });
  const { stride, padding } = windows;
  if (channels !== inner || channels % groups !== 0)
    fail(
      `${channels} channels do not fit a weight ${show(weight.type)} in ${groups} groups`,
      "weight.shape[0] must equal the channels, and groups divide them",
    );
  const out = each * groups;
  if (bias && bias.shape.join() !== `${out}`)
    fail(`the bias is ${show(bias.type)}`, `it must be f32[${out}]`);
  const whole = { least: 0, whole: true };
  const extra = pairOf("convTranspose2d", [x, weight], "outputPadding", outputPadding, whole);
  if (extra.some((e, i) => e >= stride[i]!))
    fail(`outputPadding ${extra.join(" x ")}`, "it is from 0 up and below the stride");
  const size = [
    (height - 1) * stride[0] - 2 * padding[0] + kh + extra[0],
    (width - 1) * stride[1] - 2 * padding[1] + kw + extra[1],
  ] as const;
  if (size.some((s) => s < 1))
    fail(`the result would have the size ${size.join(" x ")}`, "use less padding");

  // [batch, groups, out / groups * taps, pixels]
  const product = matmul(
    transpose(reshape(weight, [groups, channels / groups, each * kh * kw]) as Tensor),
    reshape(x, [n, groups, channels / groups, height * width]) as Tensor,
  );
  const apart = reshape(product, [n, out, kh, kw, height, width]) as Tensor;
  const tiles = stride[0] === kh && stride[1] === kw;
  const touching = !tiles || [...padding, ...extra].some((p) => p > 0);
  const map: Tensor = touching
    ? foldWindows(apart, size, windows)
    : reshape(permute(apart, [0, 1, 4, 2, 5, 3]), [n, out, ...size]);
  return (bias ? add(map, reshape(bias, [out, 1, 1]) as Tensor) : map) as Tensor<"f32">;
}

export const tests: Tests = {
  samples: [
    {
      claim: "each pixel paints the kernel",
      inputs: [
        [[[[1, 2]]]],
        [
          [
            [
              [1, 10],
              [100, 1000],
            ],
          ],
        ],
        [0.5],
      ],
      call: (x, w, b) => convTranspose2d(x!, w!, { stride: 2, bias: b! }),
      outputs: [
        [
          [
            [
              [1.5, 10.5, 2.5, 20.5],
              [100.5, 1000.5, 200.5, 2000.5],
            ],
          ],
        ],
      ],
    },
    {
      claim: "overlapping kernels add up",
      inputs: [[[[[1, 2]]]], [[[[1, 10, 100]]]]],
      call: (x, w) => [
        convTranspose2d(x!, w!),
        convTranspose2d(x!, w!, { padding: [0, 1], stride: [1, 2] }),
      ],
      outputs: [[[[[1, 12, 120, 200]]]], [[[[10, 102, 20]]]]],
    },
  ],
  cases: (
    [
      ["kernel = stride", [2, 5, 3, 4], [5, 3, 2, 2], { stride: 2 }],
      [
        "overlapping windows",
        [2, 3, 5, 4],
        [3, 4, 3, 3],
        { stride: 2, padding: 1, outputPadding: 1 },
      ],
      ["two groups", [1, 4, 3, 5], [4, 3, 3, 2], { stride: [1, 2], groups: 2 }],
    ] as const
  ).map(([claim, x, weight, options]) => ({
    claim,
    inputs: [
      { shape: x },
      { shape: weight },
      { shape: [weight[1] * ("groups" in options ? options.groups : 1)] },
    ],
    call: (...[a, b, bias]: Tensor[]) => convTranspose2d(a!, b!, { ...options, bias: bias! }),
    smooth: true,
  })),
};
