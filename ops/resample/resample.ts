/**
 * resample(x): resizing by nearest, bilinear or bicubic interpolation, with the conventions of
 * PyTorch's `interpolate` (no antialiasing; a = -3/4; borders repeat).
 *
 * The op works along one axis; two of them make the resizing of an image.
 */
import {
  apply,
  checkList,
  checkNames,
  checkNumber,
  checkOneOf,
  checkShape,
  checkTensors,
  type DType,
  type ElementOp,
  literal,
  refuse,
  show,
  shown,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { matmul } from "../matmul/matmul.ts";
import { axisOf } from "../views/axes.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import {
  type Interpolation,
  type ResampleAxis,
  type Resampling,
  resampling,
  tapCount,
  tapsOf,
} from "./kernel.ts";
import { resampleMatrix } from "./matrix.ts";
import { resampleRules } from "./rules.ts";

interface Attrs extends Resampling {
  readonly axis: number;
}

export const op: ElementOp<Attrs> = {
  name: "resample",
  kind: "element",
  rules: resampleRules(() => op),
  cost: ({ mode }) => ({ nearest: 2, bilinear: 10, bicubic: 36 })[mode],
  reads: ({ mode }) => tapCount[mode],
  type: ([x], { axis, to }, fail) => {
    if (x!.dtype !== "f32") fail(`takes f32, not ${x!.dtype}`, 'convert it: cast(x, "f32")');
    return [{ dtype: "f32", shape: x!.shape.map((n, i) => (i === axis ? to : n)) }];
  },
  element: ({ k, inputs, at, attrs }) => {
    const taps = tapsOf(k, attrs, at[attrs.axis]!);
    const read = (c: Value) => inputs[0]!.at(...at.map((a, i) => (i === attrs.axis ? c : a)));
    if (attrs.mode === "nearest") return read(taps[0]!.at);
    return taps.reduce((sum, tap) => read(tap.at).fma(tap.weight, sum), literal(0, "f32"));
  },
  vjp: ([g], { attrs }) => {
    // The transposed matrix along the axis, which a permutation brings to the end and back.
    const axes = g!.shape.map((_, i) => i).filter((i) => i !== attrs.axis);
    const back = [...axes, attrs.axis].map((_, i) =>
      i === attrs.axis ? axes.length : i - Number(i > attrs.axis),
    );
    const { axis, ...along } = attrs;
    const lines = permute(g!, [...axes, axis]);
    const lead = axes.map((i) => g!.shape[i]!);
    // A product has rows, and a line alone is one.
    const rows = reshape(lines, [...(lead.length === 0 ? [1] : lead), g!.shape[axis]!]) as Tensor;
    const sums = reshape(matmul(rows, resampleMatrix(along)), [...lead, attrs.from]);
    return [permute(sums as Tensor, back)];
  },
  note: ({ mode, from, to, axis }) => `${mode} axis ${axis}: ${from} -> ${to}`,
  tests: {
    samples: [
      {
        claim: "bilinear: pixels are areas, and borders repeat",
        inputs: [
          [
            [
              [
                [0, 4],
                [8, 12],
              ],
            ],
          ],
        ],
        call: (x) => resample(x!, { size: [2, 4], mode: "bilinear" }),
        outputs: [
          [
            [
              [
                [0, 1, 3, 4],
                [8, 9, 11, 12],
              ],
            ],
          ],
        ],
      },
      {
        claim: "bilinear with aligned corners",
        inputs: [[[[[0, 3]]]]],
        call: (x) => resample(x!, { size: [1, 4], mode: "bilinear", alignCorners: true }),
        outputs: [[[[[0, 1, 2, 3]]]]],
      },
      {
        claim: "nearest takes the pixel to the left",
        inputs: [[[[[1, 2, 3]]]]],
        call: (x) => [
          resample(x!, { size: [1, 5], mode: "nearest" }),
          resample(x!, { scale: [2, 1], mode: "nearest" }),
        ],
        outputs: [
          [[[[1, 1, 2, 2, 3]]]],
          [
            [
              [
                [1, 2, 3],
                [1, 2, 3],
              ],
            ],
          ],
        ],
      },
      {
        claim: "bicubic downwards by two reads four pixels with -3/32, 19/32, 19/32, -3/32",
        inputs: [[[[[0, 32, 64, 0]]]]],
        call: (x) => resample(x!, { size: [1, 2], mode: "bicubic" }),
        outputs: [[[[[13, 35]]]]],
      },
      {
        claim: "a scale is kept as it was given, even where the size is rounded",
        inputs: [[[[[0, 1, 2]]]]],
        call: (x) => [
          resample(x!, { scale: [1, 1.5], mode: "bilinear" }),
          resample(x!, { size: [1, 4], mode: "bilinear" }),
        ],
        outputs: [[[[[0, 0.5, 7 / 6, 11 / 6]]]], [[[[0, 0.625, 1.375, 2]]]]],
      },
    ],
    cases: [
      {
        claim: "a line alone",
        inputs: [{ shape: [11] }],
        call: (x?: Tensor) => resampleAxis(x!, 0, { size: 5, mode: "bilinear" }),
        smooth: true,
      },
      {
        claim: "the first axis of three",
        inputs: [{ shape: [11, 2, 3] }],
        call: (x?: Tensor) => resampleAxis(x!, 0, { size: 5, mode: "bicubic" }),
        smooth: true,
      },
      ...(
        [
          ["bicubic upwards", [1, 2, 5, 6], { scale: 3, mode: "bicubic" }],
          ["bicubic downwards to odd sizes", [2, 1, 12, 15], { size: [5, 4], mode: "bicubic" }],
          ["bilinear upwards", [1, 2, 7, 9], { size: [20, 31], mode: "bilinear" }],
          ["bilinear downwards", [1, 1, 33, 20], { size: [14, 9], mode: "bilinear" }],
          [
            "aligned corners",
            [1, 1, 7, 9],
            { size: [20, 1], mode: "bilinear", alignCorners: true },
          ],
          [
            "bicubic with aligned corners",
            [1, 1, 4, 5],
            { size: [9, 7], mode: "bicubic", alignCorners: true },
          ],
          [
            "a scale that is not a ratio of the sizes",
            [1, 1, 7, 9],
            { scale: [1.3, 0.7], mode: "bilinear" },
          ],
          ["an irrational scale", [1, 1, 7, 9], { scale: Math.SQRT2, mode: "bicubic" }],
          ["nearest", [1, 2, 7, 9], { size: [20, 5], mode: "nearest" }],
        ] as const
      ).map(([claim, shape, options]) => ({
        claim,
        inputs: [{ shape }],
        call: (x?: Tensor) => resample(x!, options),
        smooth: true,
      })),
    ],
  },
};

export type ResampleOptions = {
  readonly mode: Interpolation;
  /** Corner pixels fall on corner pixels. For bilinear and bicubic. */
  readonly alignCorners?: boolean;
} & (
  | { readonly size: readonly [height: number, width: number] }
  | { readonly scale: number | readonly [rows: number, columns: number] }
);

/** Resizes [batch, channels, height, width]. Throws E101 if the size or the scale is not usable. */
export function resample<D extends DType>(x: Tensor<D>, options: ResampleOptions): Tensor<D> {
  checkTensors("resample", { x });
  checkNames<Given>("resample", options, resampleNames, "needed");
  if (x.shape.length !== 4)
    refuse("resample", [x], `takes [batch, channels, height, width], not ${show(x.type)}`);
  const { mode, alignCorners = false, size, scale } = options as Given;
  if ((size === undefined) === (scale === undefined))
    refuse(
      "resample",
      [x],
      "neither a size nor a scale, or both",
      "give size: [height, width] or scale: 2",
    );
  if (size !== undefined) checkList("resample", [x], "the size", size, 2);
  if (scale !== undefined && typeof scale !== "number")
    checkList("resample", [x], "the scale", scale, 2);
  return [0, 1].reduce((image, i) => {
    const factor = typeof scale === "number" ? scale : scale?.[i];
    const extent = size === undefined ? { scale: factor! } : { size: size[i]! };
    return resampleAxis(image, 2 + i, { ...extent, mode, alignCorners });
  }, x);
}

interface Given {
  readonly mode: Interpolation;
  readonly alignCorners?: boolean;
  readonly size?: readonly [number, number];
  readonly scale?: number | readonly [number, number];
}

const resampleNames = { mode: true, alignCorners: true, size: true, scale: true };

/** From here on single precision, which the positions of `nearest` are rounded to, skips whole numbers. */
const mostPixels = 2 ** 24;

/** Resizes one axis: to a size, or by a scale. Throws E101. */
export function resampleAxis<D extends DType>(
  x: Tensor<D>,
  axis: number,
  options: ResampleAxis,
): Tensor<D> {
  const along = axisOf("resample", x, axis);
  checkNames("resampleAxis", options, resampleNames, "needed");
  const { size, scale, mode, alignCorners = false } = options;
  checkOneOf("resample", [x], "the mode", mode, ["nearest", "bilinear", "bicubic"]);
  if (typeof alignCorners !== "boolean")
    refuse("resample", [x], `alignCorners is ${shown(alignCorners)}`, "give true or false");
  if (size !== undefined) checkNumber("resample", [x], "the size", size, { whole: true });
  else checkNumber("resample", [x], "the scale", scale);
  const from = x.shape[along]!;
  const to = size ?? Math.floor(from * (scale ?? 0));
  if (to < 1 || to > mostPixels)
    refuse(
      "resample",
      [x],
      `axis ${along} of size ${from} to ${size === undefined ? `${scale} times that` : `size ${size}`}`,
      `give a size from 1 up, at most ${mostPixels}, or a scale that leaves one pixel or more`,
    );
  checkShape("resample", [x], x.shape.with(along, to));
  if (to === from && (scale ?? 1) === 1) return x;
  const positions = resampling(from, { ...options, alignCorners });
  if (positions.factor * (to - 1) + positions.offset >= 2 ** 32)
    refuse("resample", [x], `axis ${along} of size ${from} to ${to}`, "resize in two steps");
  return apply(op, [x], { ...positions, axis: along })[0] as Tensor<D>;
}
