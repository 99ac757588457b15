/**
 * One expert of Conv-LoRA: a map resized upwards, convolved, activated, and resized back.
 *
 * Read literally, an expert of scale s computes s * s samples for every pixel, of which the way
 * back reads few: bicubic interpolation without antialiasing looks at 4 x 4 of them, and at one
 * where s is odd. Interpolation and convolution before it compose into one 5 x 5 kernel on the
 * original map, so the samples that are read can be computed alone.
 */
import type { Tensor } from "../../compiler/index.ts";
import {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  conv2d,
  eq,
  full,
  gelu,
  iota,
  lt,
  matmul,
  mul,
  or,
  permute,
  resample,
  reshape,
  slice,
  sub,
  sum,
  where,
} from "../index.ts";

type Map = Tensor<"f32">;

export interface Expert {
  /** `[channels, channels / groups, 3, 3]`: dense, or depthwise with one channel a group. */
  readonly weight: Tensor<"f32">;
  /** `[channels]`. */
  readonly bias: Tensor<"f32">;
  /** How many times the map is enlarged along each axis: a whole number from 1 up. */
  readonly scale: number;
}

/**
 * What an expert makes of maps `[maps, channels, height, width]`: the published chain, or less work
 * that comes to the same. Borders included, they agree but for rounding.
 */
export const expertAtScale = (map: Map, expert: Expert): Map =>
  reshape(expertsAtScales(map, [expert])[0]!.results, map.shape as readonly number[]);

/** What several experts make of the same maps, by those that are computed together. */
export interface Results {
  /** Which of the experts these are. */
  readonly indexes: readonly number[];
  /** `[maps, channels, indexes.length, height, width]`. */
  readonly results: Map;
}

/**
 * Experts that read one sample of each pixel are one convolution, those that read sixteen another.
 */
export function expertsAtScales(map: Map, experts: readonly Expert[]): Results[] {
  const [maps, channels, height, width] = map.shape as [number, number, number, number];
  const all = [...experts.keys()];
  const found: Results[] = all
    .filter((i) => samplesRead(experts[i]!.scale) === 0)
    .map((i) => {
      const results = plainExpert(map, experts[i]!);
      return { indexes: [i], results: reshape(results, [maps, channels, 1, height, width]) };
    });
  for (const samples of [1, 4]) {
    const indexes = all.filter((i) => samplesRead(experts[i]!.scale) === samples);
    const alike = indexes.map((i) => experts[i]!);
    if (alike.length > 0) found.push({ indexes, results: composed(map, alike, samples) });
  }
  return found;
}

/** How many samples along each axis the way back reads; 0 where the chain is computed as it is. */
function samplesRead(scale: number): 0 | 1 | 4 {
  // At these scales zeros from beyond the border reach samples that are read.
  if (scale === 1 || scale === 2 || scale === 4) return 0;
  return scale % 2 === 1 ? 1 : 4;
}

function composed(map: Map, experts: readonly Expert[], samples: number): Map {
  const [maps, channels, height, width] = map.shape as [number, number, number, number];
  const kernel = composedKernel(experts, samples);
  const convolved = conv2d(withBorder(map), kernel, { groups: groupsOf(map, experts[0]!.weight) });
  const size = [maps, channels, experts.length, samples * samples, height, width];
  const bias = concat(
    experts.map((expert) => reshape(expert.bias, [channels, 1, 1, 1, 1])),
    1,
  );
  const active = gelu(add(reshape(convolved, size), bias));
  if (samples === 1) return reshape(active, [maps, channels, experts.length, height, width]);
  return sum(mul(active, evenWeights()), 3);
}

/** The same as published: every sample is computed. */
export function plainExpert(map: Map, { weight, bias, scale }: Expert): Map {
  const size = map.shape.slice(2) as [number, number];
  const large = resample(map, { scale, mode: "bicubic" });
  const convolved = conv2d(large, weight, { bias, padding: 1, groups: groupsOf(map, weight) });
  return resample(gelu(convolved), { size, mode: "bicubic" });
}

const groupsOf = (map: Map, weight: Map) => map.shape[1]! / weight.shape[1]!;

/**
 * The 3 x 3 kernels over interpolated samples as 5 x 5 kernels over pixels, one for each sample
 * that is read: `[channels * experts * samples², channels / groups, 5, 5]`, those of a channel
 * together.
 */
function composedKernel(experts: readonly Expert[], samples: number): Map {
  const [out, each] = experts[0]!.weight.shape as [number, number];
  const count = experts.length;
  const taps = permute(interpolation(experts, samples), [0, 2, 1, 3]);
  const rows = reshape(taps, [count, 3, 1, samples, 1, 5, 1]);
  const columns = reshape(taps, [count, 1, 3, 1, samples, 1, 5]);
  const both = reshape(mul(rows, columns), [count, 9, samples * samples * 25]);
  const weights = concat(
    experts.map(({ weight }) => reshape(weight, [1, out * each, 9])),
    0,
  );
  const product = reshape(matmul(weights, both), [count, out, each, samples * samples, 25]);
  const apart = permute(product, [1, 0, 3, 2, 4]);
  return reshape(apart, [out * count * samples * samples, each, 5, 5]);
}

/**
 * f32 `[experts, samples, 3, 5]`: how much each of the five pixels around pixel i counts in what a
 * tap of the kernel reads. The sample that is read lies at i (odd scales), or the four of them at i
 * - 1.5 / s to i + 1.5 / s (even ones), and the taps are 1 / s apart.
 */
function interpolation(experts: readonly Expert[], samples: number): Map {
  const shape = [experts.length, samples, 3, 5] as const;
  const along = (axis: number): Map => cast(iota(shape, axis), "f32");
  const first = samples === 1 ? 1 : 2.5;
  const steps = concat(
    experts.map(({ scale }): Map => full(1 / scale, [1, 1, 1, 1])),
    0,
  );
  const position = mul(sub(add(along(1), along(2)), first), steps);
  const distance: Map = abs(sub(sub(along(3), 2), position));
  return where(lt(distance, 1), near(distance), where(lt(distance, 2), far(distance), 0));
}

/** Keys' cubic convolution with a = -3/4, at distances below 1. */
const near = (d: Map): Map => add(mul(mul(sub(mul(d, 1.25), 2.25), d), d), 1);

/** The same at distances from 1 to 2. */
const far = (d: Map): Map => {
  const inner = mul(sub(3.75, mul(d, 0.75)), d);
  return add(mul(sub(inner, 6), d), 3);
};

/**
 * f32 `[16, 1, 1]`: how the four by four samples of a pixel count, by (-3, 19, 19, -3) / 32 an
 * axis.
 */
function evenWeights(): Map {
  const along = (axis: number): Map => {
    const i = iota([4, 4], axis);
    return where(or(eq(i, 0), eq(i, 3)), -3 / 32, 19 / 32);
  };
  return reshape(mul(along(0), along(1)), [16, 1, 1]);
}

/** Two more pixels on every side, each like the nearest of the map. */
const withBorder = (map: Map): Map => [2, 3].reduce(replicated, map);

function replicated(map: Map, axis: number): Map {
  const two = map.shape.map((n, i) => (i === axis ? 2 : n)) as number[];
  const end = (from: number) =>
    slice(
      map,
      map.shape.map((_, i) => (i !== axis ? [] : from === 0 ? [0, 1] : [from])),
    );
  return concat([broadcastTo(end(0), two), map, broadcastTo(end(-1), two)], axis);
}
