/**
 * conv2d(x, weight): cross-correlation, as in PyTorch. Written as unfold and matmul, whose unfolded
 * operand is a view: an implicit matrix product. With one channel per group (depthwise) it is a
 * short sum over the taps instead.
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
import { mul } from "../elementwise/mul.ts";
import { sum } from "../lines/reduce.ts";
import { matmul } from "../matmul/matmul.ts";
import type { Pair } from "../views/axes.ts";
import { reshape } from "../views/reshape.ts";
import { checkedWindows, positions, type Windows, windowsOf } from "../views/unfold.ts";

export interface ConvolutionOptions {
  /** [output channels]. */
  readonly bias?: Tensor;
  /** 1 unless given. */
  readonly stride?: Pair;
  /** Zeros on every side: 0 unless given. */
  readonly padding?: Pair;
  /** Input and output channels fall into this many groups: 1 unless given. */
  readonly groups?: number;
}

/**
 * x [batch, channels, height, width] with weight [out, channels / groups, rows, columns] ->
 * [batch, out, ...]. Throws E101 if they do not fit.
 */
export function conv2d(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor<"f32"> {
  checkTensors("conv2d", { x, weight });
  checkNames("conv2d", options, { bias: true, stride: true, padding: true, groups: true });
  const { bias, groups = 1 } = options;
  if (bias !== undefined) checkTensors("conv2d", { bias });
  checkNumber("conv2d", [x, weight], "groups", groups, { least: 1, whole: true });
  if (x.shape.length !== 4 || weight.shape.length !== 4)
    refuse(
      "conv2d",
      [x, weight],
      `x is ${show(x.type)} and weight ${show(weight.type)}`,
      "x is [batch, channels, height, width], weight [out, channels / groups, rows, columns]",
    );
  const [n, channels, height, width] = x.shape as [number, number, number, number];
  const [out, each, kh, kw] = weight.shape as [number, number, number, number];
  const windows = checkedWindows("conv2d", x, { ...options, kernel: [kh, kw] });
  if (channels !== each * groups || out % groups !== 0)
    refuse(
      "conv2d",
      [x, weight],
      `${channels} channels do not fit a weight ${show(weight.type)} in ${groups} groups`,
      "channels = weight.shape[1] * groups, and groups divides weight.shape[0]",
    );
  if (bias && bias.shape.join() !== `${out}`)
    refuse("conv2d", [x, weight, bias], `the bias is ${show(bias.type)}`, `it must be f32[${out}]`);
  const grid = positions([height, width], windows);
  if (grid.some((size) => size < 1))
    refuse(
      "conv2d",
      [x, weight],
      `a ${kh} x ${kw} kernel is larger than ${height} x ${width} with padding ${windows.padding.join(" x ")}`,
      "use a larger image, a smaller kernel or more padding",
    );
  const depthwise = each === 1 && out === groups;
  const y = depthwise
    ? depthwiseConvolution(x, weight, windows)
    : groupedProduct(x, weight, windows, groups);
  const map = reshape(y, [n, out, ...grid]) as Tensor;
  const shifted = bias ? add(map, reshape(bias, [out, 1, 1]) as Tensor) : map;
  return shifted as Tensor<"f32">;
}

/** [out / groups, channels / groups * taps] x [channels / groups * taps, positions], per group. */
function groupedProduct(x: Tensor, weight: Tensor, windows: Windows, groups: number): Tensor {
  const [n, channels] = x.shape as [number, number];
  const [out, each, kh, kw] = weight.shape as [number, number, number, number];
  const [oh, ow] = positions([x.shape[2]!, x.shape[3]!], windows);
  const columns = isPointwise(windows) ? x : windowsOf(x, windows);
  const depth = each * kh * kw;
  if (groups === 1) {
    const batch = n === 1 ? [] : [n];
    return matmul(
      reshape(weight, [out, depth]) as Tensor,
      reshape(columns, [...batch, channels * kh * kw, oh * ow]) as Tensor,
    );
  }
  return matmul(
    reshape(weight, [groups, out / groups, depth]) as Tensor,
    reshape(columns, [n, groups, depth, oh * ow]) as Tensor,
  );
}

function depthwiseConvolution(x: Tensor, weight: Tensor, windows: Windows): Tensor {
  const [out, , kh, kw] = weight.shape as [number, number, number, number];
  const factors: Tensor = reshape(weight, [out, kh, kw, 1, 1]);
  return sum(mul(windowsOf(x, windows), factors), [2, 3]);
}

/** A 1 x 1 kernel without stride and padding: its windows are the pixels. */
const isPointwise = (windows: Windows) =>
  [...windows.kernel, ...windows.stride].every((n) => n === 1) &&
  windows.padding.every((n) => n === 0);

export const tests: Tests = {
  samples: [
    {
      claim: "the kernel is not turned around, the bias is added",
      inputs: [
        [
          [
            [
              [1, 2, 3],
              [4, 5, 6],
              [7, 8, 9],
            ],
          ],
        ],
        [
          [
            [
              [1, 0],
              [0, -1],
            ],
          ],
        ],
        [10],
      ],
      call: (x, w, b) => conv2d(x!, w!, { bias: b! }),
      outputs: [
        [
          [
            [
              [6, 6],
              [6, 6],
            ],
          ],
        ],
      ],
    },
    {
      claim: "padding is with zeros, stride skips",
      inputs: [
        [
          [
            [
              [1, 2],
              [3, 4],
            ],
          ],
        ],
        [
          [
            [
              [1, 1, 1],
              [1, 1, 1],
              [1, 1, 1],
            ],
          ],
        ],
      ],
      call: (x, w) => [conv2d(x!, w!, { padding: 1 }), conv2d(x!, w!, { padding: 1, stride: 2 })],
      outputs: [
        [
          [
            [
              [10, 10],
              [10, 10],
            ],
          ],
        ],
        [[[[10]]]],
      ],
    },
    {
      claim: "groups see their own channels",
      inputs: [
        [[[[1]], [[2]], [[3]], [[4]]]],
        [
          [[[1]], [[10]]],
          [[[1]], [[10]]],
        ],
      ],
      call: (x, w) => conv2d(x!, w!, { groups: 2 }),
      outputs: [[[[[21]], [[43]]]]],
    },
  ],
  cases: (
    [
      ["a 3 x 3 kernel on odd sizes", [2, 3, 7, 9], [5, 3, 3, 3], { padding: 1 }],
      ["patches", [1, 3, 12, 8], [6, 3, 4, 4], { stride: 4 }],
      ["a 1 x 1 kernel", [2, 7, 3, 5], [4, 7, 1, 1], {}],
      ["two groups", [2, 4, 5, 5], [6, 2, 3, 3], { padding: 1, groups: 2 }],
      ["depthwise", [2, 5, 7, 6], [5, 1, 3, 3], { padding: 1, groups: 5 }],
      [
        "uneven stride and padding",
        [1, 2, 9, 7],
        [3, 2, 3, 2],
        { stride: [2, 1], padding: [0, 1] },
      ],
    ] as const
  ).map(([claim, x, weight, options]) => ({
    claim,
    inputs: [{ shape: x }, { shape: weight }, { shape: [weight[0]] }],
    call: (...[a, b, bias]: Tensor[]) => conv2d(a!, b!, { ...options, bias: bias! }),
    smooth: true,
  })),
};
