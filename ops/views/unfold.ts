/**
 * unfold(x) lays out the window under every position of a kernel (im2col), fold(x) adds windows
 * back up. Each is the derivative of the other, so they share a file.
 *
 * Unfold is a view, so a convolution written as unfold and matmul is an implicit matrix product:
 * the columns are never stored. Padding is with zeros.
 */
import {
  apply,
  bounded,
  checkNames,
  checkTensors,
  type DType,
  type ElementOp,
  elements,
  type In,
  literal,
  refuse,
  show,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { type Pair, pairOf } from "./axes.ts";
import { reshape } from "./reshape.ts";

/** How windows lie on an image: rows and columns of each. */
export interface Windows {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

interface FoldAttrs extends Windows {
  readonly size: readonly [number, number];
}

/** [batch, channels, height, width] -> [batch, channels, kernel rows and columns, positions]. */
export const op: ElementOp<Windows> = {
  name: "unfold",
  kind: "element",
  cost: 0,
  type: ([x], windows, fail) => {
    if (x!.shape.length !== 4)
      fail(`takes [batch, channels, height, width], not ${show(x!)}`, "reshape it");
    const [n, c, h, w] = x!.shape as [number, number, number, number];
    const grid = positions([h, w], windows);
    if (grid.some((size) => size < 1))
      fail(
        `no ${windows.kernel.join(" x ")} window fits ${h} x ${w} with padding ${windows.padding.join(" x ")}`,
        "use a larger image, a smaller kernel or more padding",
      );
    return [{ dtype: x!.dtype, shape: [n, c, ...windows.kernel, ...grid] }];
  },
  element: ({ k, inputs, at, attrs: { stride, padding } }) => {
    const x = inputs[0]!;
    const [n, c, i, j, oy, ox] = at as [Value, Value, Value, Value, Value, Value];
    const y = windowRow(oy, i, stride[0], padding[0], x.shape[2]!);
    const z = windowRow(ox, j, stride[1], padding[1], x.shape[3]!);
    const value = x.at(n, c, k.let("y", y.at), k.let("x", z.at));
    return y.inside.and(z.inside).select(value, literal(0, x.dtype));
  },
  vjp: ([g], { inputs: [x], attrs }) => {
    const size = [x!.shape[2]!, x!.shape[3]!] as const;
    return [apply(adjoint, [g!], { ...attrs, size })[0]!];
  },
  note: ({ kernel, stride }) => `${kernel.join("x")} stride ${stride.join("x")}`,
  tests: {
    samples: [
      {
        claim: "a row per kernel position, a column per window, as in PyTorch",
        inputs: [
          [
            [
              [
                [1, 2, 3],
                [4, 5, 6],
              ],
            ],
          ],
        ],
        call: (x) => unfold(x!, { kernel: [2, 2] }),
        outputs: [
          [
            [
              [1, 2],
              [2, 3],
              [4, 5],
              [5, 6],
            ],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "padding and stride on odd sizes",
        inputs: [{ shape: [2, 3, 7, 9] }],
        call: (x) => unfold(x!, { kernel: 3, stride: 2, padding: 1 }),
        smooth: true,
      },
      {
        claim: "rows and columns of their own",
        inputs: [{ shape: [1, 2, 5, 11] }],
        call: (x) => unfold(x!, { kernel: [2, 3], stride: [1, 4], padding: [0, 2] }),
        smooth: true,
      },
    ],
  },
};

/** [batch, channels, kernel rows and columns, positions] -> [batch, channels, height, width]. */
export const adjoint: ElementOp<FoldAttrs> = {
  name: "fold",
  kind: "element",
  cost: (attrs) => taps(attrs).reduce((a, b) => a * b),
  reads: (attrs) => taps(attrs).reduce((a, b) => a * b),
  type: ([x], { size }) => [{ dtype: x!.dtype, shape: [x!.shape[0]!, x!.shape[1]!, ...size] }],
  element: ({ k, inputs, at, attrs }) => {
    const x = inputs[0]!;
    const [n, c, y, z] = at as [Value, Value, Value, Value];
    const [rows, columns] = taps(attrs);
    const sum = k.var("sum", literal(0, x.dtype));
    k.for("row", rows!, (row) => {
      const from = tapOf(y, row, attrs, 0, x);
      k.for("column", columns!, (column) => {
        const to = tapOf(z, column, attrs, 1, x);
        k.if(from.where.and(to.where), () => {
          const value = x.at(n, c, from.tap, to.tap, from.window, to.window);
          sum.set(sum.get.add(value));
        });
      });
    });
    return sum.get;
  },
  vjp: ([g], { attrs: { kernel, stride, padding } }) => [
    apply(op, [g!], { kernel, stride, padding })[0]!,
  ],
  note: ({ kernel, stride }) => `${kernel.join("x")} stride ${stride.join("x")}`,
  tests: {
    samples: [
      {
        claim: "what windows share is added up",
        inputs: [
          [
            [
              [1, 2],
              [3, 4],
              [5, 6],
              [7, 8],
            ],
          ],
        ],
        call: (x) => fold(x!, [2, 3], { kernel: [2, 2] }),
        outputs: [
          [
            [
              [
                [1, 5, 4],
                [5, 13, 8],
              ],
            ],
          ],
        ],
      },
    ],
    cases: [
      {
        claim: "padding and stride on odd sizes",
        inputs: [{ shape: [2, 27, 20] }],
        call: (x) => fold(x!, [7, 9], { kernel: 3, stride: 2, padding: 1 }),
        smooth: true,
      },
      {
        claim: "rows and columns of their own",
        inputs: [{ shape: [1, 12, 16] }],
        call: (x) => fold(x!, [5, 13], { kernel: [2, 3], stride: [1, 4], padding: [0, 1] }),
        smooth: true,
      },
    ],
  },
};

export interface WindowOptions {
  readonly kernel: Pair;
  /** 1 unless given. */
  readonly stride?: Pair;
  /** Zeros on every side: 0 unless given. */
  readonly padding?: Pair;
}

const windowNames = { kernel: true, stride: true, padding: true };

/**
 * The windows of [batch, channels, height, width] as [batch, channels * kernel rows * kernel columns,
 * positions], in PyTorch's order. Throws E101 if no window fits.
 */
export function unfold<D extends DType>(x: Tensor<D>, options: WindowOptions): Tensor<D> {
  checkTensors("unfold", { x });
  checkNames("unfold", options, windowNames, "needed");
  const columns = windowsOf(x, checkedWindows("unfold", x, options));
  const [n, c, kh, kw, oh, ow] = columns.shape as [number, number, number, number, number, number];
  return reshape(columns, [n, c * kh * kw, oh * ow]) as Tensor as Tensor<D>;
}

/** Adds windows back up to images of `size`: the transpose of `unfold`. Throws E101. */
export function fold<D extends DType>(
  x: Tensor<D>,
  size: readonly [height: number, width: number],
  options: WindowOptions,
): Tensor<D> {
  checkTensors("fold", { x });
  checkNames("fold", options, windowNames, "needed");
  const [height, width] = pairOf("fold", [x], "the size", size, { least: 1, whole: true });
  const windows = checkedWindows("fold", x, options);
  const area = elements(windows.kernel);
  const grid = positions([height, width], windows);
  if (x.shape.length !== 3 || x.shape[1]! % area !== 0 || x.shape[2] !== elements(grid))
    refuse(
      "fold",
      [x],
      `${show(x.type)} does not hold ${grid.join(" x ")} windows of ${windows.kernel.join(" x ")} on ${height} x ${width}`,
      `the shape must be [batch, channels * ${area}, ${elements(grid)}]`,
    );
  const apart = reshape(x, [x.shape[0]!, x.shape[1]! / area, ...windows.kernel, ...grid]);
  return foldWindows(apart as Tensor, [height, width], windows) as Tensor<D>;
}

/** unfold with its axes apart: [batch, channels, kernel rows, columns, position rows, columns]. */
export const windowsOf = <D extends DType>(x: Tensor<D>, windows: Windows): Tensor<D> =>
  apply(op, [x], windows)[0] as Tensor<D>;

/** fold from axes that are apart. */
export const foldWindows = (x: Tensor, size: readonly [number, number], windows: Windows): Tensor =>
  apply(adjoint, [x], { ...windows, size })[0]!;

/** How many windows fit, along rows and columns. */
export const positions = (
  size: readonly [number, number],
  { kernel, stride, padding }: Windows,
): [number, number] => [
  Math.floor((size[0] + 2 * padding[0] - kernel[0]) / stride[0]) + 1,
  Math.floor((size[1] + 2 * padding[1] - kernel[1]) / stride[1]) + 1,
];

/** Options as pairs of whole numbers that make sense. Throws E101 in the name of `name`. */
export function checkedWindows(name: string, x: Tensor, options: WindowOptions): Windows {
  const { kernel, stride = 1, padding = 0 } = options;
  const sizes = (what: string, given: Pair, least: number) =>
    pairOf(name, [x], what, given, { least, most: 2 ** 31, whole: true });
  return {
    kernel: sizes("the kernel", kernel, 1),
    stride: sizes("the stride", stride, 1),
    padding: sizes("the padding", padding, 0),
  };
}

/** The row of the image under row `tap` of window `window`, clamped, and whether it is inside. */
function windowRow(window: Value, tap: Value, stride: number, padding: number, size: number) {
  const at = window.mul(stride).add(tap);
  const inside = at.ge(padding).and(at.lt(size + padding));
  return {
    at: bounded(
      at
        .max(padding)
        .sub(padding)
        .min(size - 1),
      size - 1,
    ),
    inside,
  };
}

/** The most windows that cover one row, and one column. */
const taps = ({ kernel, stride }: Windows) => kernel.map((n, i) => Math.ceil(n / stride[i]!));

/**
 * The `count`th window over coordinate `c` along one axis, and the tap with which it covers it:
 * c + padding = window * stride + tap.
 */
function tapOf(c: Value, count: Value, attrs: FoldAttrs, axis: 0 | 1, x: In) {
  const stride = attrs.stride[axis];
  const at = c.add(attrs.padding[axis]);
  const tap = at.mod(stride).add(count.mul(stride));
  const whole = at.div(stride);
  const [most, windows] = [attrs.kernel[axis], x.shape[4 + axis]!];
  const where = tap
    .lt(most)
    .and(whole.ge(count))
    .and(whole.lt(count.add(windows)));
  const window = bounded(whole.sub(count), windows - 1);
  return { tap: bounded(tap, most - 1), window, where };
}
