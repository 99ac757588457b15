/**
 * What scaledConvolution and its gradient mean, in double precision: the maps are resized upwards,
 * convolved, activated and resized back, with every sample computed.
 */
import { type Dense, type Fail, show, type Type } from "../../compiler/op-kit.ts";
import { shown } from "../../diagnostics/options.ts";

export interface ScaledAttrs {
  /** By expert: how many times it enlarges the map along each axis. */
  readonly scales: readonly number[];
  /** Channels mix within groups of this many: 1 mixes all, as many as channels mixes none. */
  readonly groups: number;
}

export interface Sizes {
  readonly maps: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Experts that each map goes to. */
  readonly kept: number;
  readonly experts: number;
  /** Channels of the result. */
  readonly outputs: number;
  /** Channels that one channel of the result looks at. */
  readonly each: number;
}

export function sizesOf([x, choice, weights]: readonly { readonly shape: readonly number[] }[]) {
  const [maps, height, width, channels] = x!.shape as [number, number, number, number];
  const [experts, outputs, each] = weights!.shape as [number, number, number];
  const kept = choice!.shape[1]!;
  const sizes: Sizes = { maps, height, width, channels, kept, experts, outputs, each };
  return sizes;
}

/** Whether the operands are what both ops take; `[maps, kept, height, width, outputs]` if so. */
export function checkedShape(
  [x, choice, weights, bias]: readonly Type[],
  { scales, groups }: ScaledAttrs,
  fail: Fail,
): readonly number[] {
  if (x!.shape.length !== 4 || x!.dtype !== "f32")
    fail(`takes f32[maps, height, width, channels], not ${show(x!)}`, "permute or reshape it");
  const [maps, height, width, channels] = x!.shape as [number, number, number, number];
  const isWhole = choice!.dtype === "i32" || choice!.dtype === "u32";
  if (!isWhole || choice!.shape.length !== 2 || choice!.shape[0] !== maps)
    fail(
      `the choice is ${show(choice!)}, the maps are ${show(x!)}`,
      `give whole numbers [${maps}, kept]: the experts that each map goes to`,
    );
  if (!scales.every((s) => Number.isInteger(s) && s >= 1) || scales.length === 0)
    fail(
      `the scales are [${scales.map(shown).join()}]`,
      "give a whole number from 1 up per expert",
    );
  const outputs = weights!.shape[1]!;
  const wanted = [scales.length, outputs, channels / groups, 3, 3];
  const fits = weights!.shape.length === 5 && wanted.every((n, i) => weights!.shape[i] === n);
  if (!fits || outputs % groups !== 0 || weights!.dtype !== "f32")
    fail(
      `the weights are ${show(weights!)} for ${channels} channels in groups: ${groups}`,
      `give f32[${scales.length}, outputs, ${channels} / groups, 3, 3], outputs a multiple of groups`,
    );
  if (bias!.dtype !== "f32" || bias!.shape.join() !== [scales.length, outputs].join())
    fail(`the bias is ${show(bias!)}`, `give f32[${scales.length}, ${outputs}]`);
  return [maps, choice!.shape[1]!, height, width, outputs];
}

/** One map in the hands of one expert, enlarged and convolved. */
interface Enlarged {
  /** The weights of the way there and of the way back, along rows and along columns. */
  readonly up: readonly [Matrix, Matrix];
  readonly down: readonly [Matrix, Matrix];
  /** Rows and columns of the enlarged map. */
  readonly size: readonly [number, number];
  /** `[rows, columns, channels]`. */
  readonly large: Float64Array;
  /** What the convolution makes of it: `[rows, columns, outputs]`. */
  readonly convolved: Float64Array;
}

/** `[maps, kept, height, width, outputs]`. */
export function plainForward(inputs: readonly Dense[], attrs: ScaledAttrs): Float64Array {
  const { height, width, outputs } = sizesOf(inputs);
  const y = new Float64Array(inputs[1]!.data.length * height * width * outputs);
  let at = 0;
  eachMap(inputs, attrs, ({ down, size, convolved }) => {
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let o = 0; o < outputs; o++, at++)
          for (const [p, wp] of down[0][i]!)
            for (const [q, wq] of down[1][j]!)
              y[at]! += wp * wq * plainGelu(convolved[(p * size[1] + q) * outputs + o]!);
  });
  return y;
}

/**
 * What every element of the result sends back, each by itself: to the pixels around it, and to the
 * weights and biases of the expert. Layout: scaled-convolution-gradient.ts.
 */
export function plainBackward(
  inputs: readonly Dense[],
  attrs: ScaledAttrs,
  reach: number,
): readonly [patches: Float64Array, parameters: Float64Array] {
  const { height, width, channels, outputs, each } = sizesOf(inputs);
  const g = inputs[4]!.data;
  const [weights, span] = [inputs[2]!.data, 2 * reach + 1];
  const perPixel = outputs * each * 9 + outputs;
  const pixels = inputs[1]!.data.length * height * width;
  const patches = new Float64Array(pixels * span * span * channels);
  const parameters = new Float64Array(pixels * perPixel);
  let pixel = 0;
  eachMap(inputs, attrs, (map, expert) => {
    const { up, down, size, large, convolved } = map;
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++, pixel++)
        for (const [p, wp] of down[0][i]!)
          for (const [q, wq] of down[1][j]!)
            for (let o = 0; o < outputs; o++) {
              const before = convolved[(p * size[1] + q) * outputs + o]!;
              const arrived = g[pixel * outputs + o]! * wp * wq * plainSlope(before);
              parameters[pixel * perPixel + outputs * each * 9 + o]! += arrived;
              const first = Math.floor((o * channels) / (outputs * each)) * each;
              eachTap(size, [p, q], (u, v, tap) => {
                for (let c = 0; c < each; c++) {
                  const weight = (o * each + c) * 9 + tap;
                  const from = (u * size[1] + v) * channels + first + c;
                  parameters[pixel * perPixel + weight]! += arrived * large[from]!;
                  const sent = arrived * weights[expert * outputs * each * 9 + weight]!;
                  for (const [y, wy] of up[0][u]!)
                    for (const [x, wx] of up[1][v]!) {
                      const place = (y - i + reach) * span + x - j + reach;
                      patches[(pixel * span * span + place) * channels + first + c]! +=
                        sent * wy * wx;
                    }
                }
              });
            }
  });
  return [patches, parameters];
}

function eachMap(
  inputs: readonly Dense[],
  { scales }: ScaledAttrs,
  visit: (map: Enlarged, expert: number) => void,
): void {
  const sizes = sizesOf(inputs);
  const { maps, height, width, channels, kept, experts } = sizes;
  const area = height * width * channels;
  for (let map = 0; map < maps; map++)
    for (let rank = 0; rank < kept; rank++) {
      const chosen = inputs[1]!.data[map * kept + rank]!;
      const expert = Math.min(Math.max(chosen, 0), experts - 1);
      const pixels = inputs[0]!.data.subarray(map * area, (map + 1) * area);
      visit(enlarged(pixels, inputs, sizes, scales[expert]!, expert), expert);
    }
}

function enlarged(
  pixels: Float64Array,
  inputs: readonly Dense[],
  { height, width, channels, outputs, each }: Sizes,
  scale: number,
  expert: number,
): Enlarged {
  const size = [scale * height, scale * width] as const;
  const up = [cubicMatrix(height, size[0]), cubicMatrix(width, size[1])] as const;
  const down = [cubicMatrix(size[0], height), cubicMatrix(size[1], width)] as const;
  const large = new Float64Array(size[0] * size[1] * channels);
  const convolved = new Float64Array(size[0] * size[1] * outputs);
  const [weights, bias] = [inputs[2]!.data, inputs[3]!.data];
  for (let u = 0; u < size[0]; u++)
    for (let v = 0; v < size[1]; v++)
      for (const [y, wy] of up[0][u]!)
        for (const [x, wx] of up[1][v]!)
          for (let c = 0; c < channels; c++)
            large[(u * size[1] + v) * channels + c]! +=
              wy * wx * pixels[(y * width + x) * channels + c]!;
  for (let p = 0; p < size[0]; p++)
    for (let q = 0; q < size[1]; q++)
      for (let o = 0; o < outputs; o++) {
        let total = bias[expert * outputs + o]!;
        const first = Math.floor((o * channels) / (outputs * each)) * each;
        eachTap(size, [p, q], (u, v, tap) => {
          for (let c = 0; c < each; c++)
            total +=
              weights[((expert * outputs + o) * each + c) * 9 + tap]! *
              large[(u * size[1] + v) * channels + first + c]!;
        });
        convolved[(p * size[1] + q) * outputs + o] = total;
      }
  return { up, down, size, large, convolved };
}

/** The neighbours of a sample that lie on the map, and which of the nine they are. */
function eachTap(
  [rows, columns]: readonly [number, number],
  [p, q]: readonly [number, number],
  visit: (u: number, v: number, tap: number) => void,
): void {
  for (let e = 0; e < 9; e++) {
    const [u, v] = [p + Math.floor(e / 3) - 1, q + (e % 3) - 1];
    if (u >= 0 && u < rows && v >= 0 && v < columns) visit(u, v, e);
  }
}

/** By element of the result: which elements it is made of, and how much of each. */
type Matrix = readonly (readonly (readonly [at: number, weight: number])[])[];

/** Bicubic interpolation, a = -3/4, centres of pixels on centres, borders replicated. */
function cubicMatrix(from: number, to: number): Matrix {
  return Array.from({ length: to }, (_, d) => {
    const position = ((d + 0.5) * from) / to - 0.5;
    const before = Math.floor(position);
    return [-1, 0, 1, 2].map((n) => {
      const at = Math.min(Math.max(before + n, 0), from - 1);
      return [at, keys(Math.abs(position - before - n))] as const;
    });
  });
}

const keys = (d: number): number =>
  d < 1 ? 1.25 * d ** 3 - 2.25 * d ** 2 + 1 : -0.75 * d ** 3 + 3.75 * d ** 2 - 6 * d + 3;

const plainGelu = (x: number) => x * plainNormal(x);

/** The derivative of GELU. */
const plainSlope = (x: number) =>
  plainNormal(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);

/** The normal distribution, by a series of positive terms: exp(-x²/2) times x, x³/3, x⁵/15, … */
function plainNormal(x: number): number {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  let [term, total] = [x, 0];
  for (let n = 3; Math.abs(term) > 1e-18 * Math.abs(total); n += 2) {
    total += term;
    term *= (x * x) / n;
  }
  return 0.5 + (total * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
