/** Windows of images, convolutions of them, and the experts that convolve at several scales. */
import type { Arithmetic } from "./arithmetic.ts";
import { count, type Dense, make, read } from "./dense.ts";
import * as fn from "./functions.ts";
import { type Arg, type Drawing, type Known, known, type Ref } from "./known.ts";
import { total } from "./lines.ts";
import { resized } from "./resizing.ts";

interface Windows {
  readonly kernel: number | readonly [number, number];
  readonly stride?: number | readonly [number, number];
  readonly padding?: number | readonly [number, number];
}

const both = (x: number | readonly [number, number] | undefined, usual: number) =>
  x === undefined ? [usual, usual] : typeof x === "number" ? [x, x] : x;

const parts = ({ kernel, stride, padding }: Windows) => ({
  kernel: both(kernel, 1) as readonly [number, number],
  stride: both(stride, 1) as readonly [number, number],
  padding: both(padding, 0) as readonly [number, number],
});

const positionsOf = (n: number, k: number, s: number, p: number) =>
  Math.floor((n + 2 * p - k) / s) + 1;

const grid = (size: readonly number[], w: ReturnType<typeof parts>) =>
  [0, 1].map((i) => positionsOf(size[i]!, w.kernel[i]!, w.stride[i]!, w.padding[i]!)) as [
    number,
    number,
  ];

function unfolded(x: Dense, windows: Windows): Dense {
  const w = parts(windows);
  const [n, c, h, width] = x.shape as [number, number, number, number];
  const [oh, ow] = grid([h, width], w);
  return make(x.dtype, [n, c * w.kernel[0] * w.kernel[1], oh * ow], ([b, row, column]) => {
    const [channel, tap] = [
      Math.floor(row! / (w.kernel[0] * w.kernel[1])),
      row! % (w.kernel[0] * w.kernel[1]),
    ];
    const y = Math.floor(column! / ow) * w.stride[0] + Math.floor(tap / w.kernel[1]) - w.padding[0];
    const z = (column! % ow) * w.stride[1] + (tap % w.kernel[1]) - w.padding[1];
    return y >= 0 && y < h && z >= 0 && z < width ? read(x, [b!, channel, y, z]) : 0;
  });
}

function folded(x: Dense, size: readonly [number, number], windows: Windows, f: Arithmetic): Dense {
  const w = parts(windows);
  const area = w.kernel[0] * w.kernel[1];
  const [oh, ow] = grid(size, w);
  const shape = [x.shape[0]!, x.shape[1]! / area, ...size];
  const terms: number[][] = Array.from({ length: count(shape) }, () => []);
  for (let b = 0; b < shape[0]!; b++)
    for (let row = 0; row < x.shape[1]!; row++)
      for (let column = 0; column < oh * ow; column++) {
        const tap = row % area;
        const y =
          Math.floor(column / ow) * w.stride[0] + Math.floor(tap / w.kernel[1]) - w.padding[0];
        const z = (column % ow) * w.stride[1] + (tap % w.kernel[1]) - w.padding[1];
        if (y < 0 || y >= size[0] || z < 0 || z >= size[1]) continue;
        terms[((b * shape[1]! + Math.floor(row / area)) * size[0] + y) * size[1] + z]!.push(
          read(x, [b, row, column]),
        );
      }
  return {
    dtype: x.dtype,
    shape,
    data: Float64Array.from(terms, (line) => total(line, x.dtype, f)),
  };
}

interface Convolving extends Omit<Windows, "kernel"> {
  readonly groups?: number;
  readonly bias?: Dense;
  readonly outputPadding?: number | readonly [number, number];
}

export function convolved(x: Dense, weight: Dense, o: Convolving, f: Arithmetic): Dense {
  const { groups = 1, bias } = o;
  const [out, each, kh, kw] = weight.shape as [number, number, number, number];
  const w = parts({ ...o, kernel: [kh, kw] });
  const [n, , h, width] = x.shape as [number, number, number, number];
  const [oh, ow] = grid([h, width], w);
  return make("f32", [n, out, oh, ow], ([b, channel, y, z]) => {
    const terms: number[] = [];
    const first = Math.floor(channel! / (out / groups)) * each;
    for (let c = 0; c < each; c++)
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++) {
          const [u, v] = [y! * w.stride[0] + i - w.padding[0], z! * w.stride[1] + j - w.padding[1]];
          const inside = u >= 0 && u < h && v >= 0 && v < width;
          terms.push(
            (inside ? read(x, [b!, first + c, u, v]) : 0) * read(weight, [channel!, c, i, j]),
          );
        }
    return f(total(terms, "f32", f) + (bias ? bias.data[channel!]! : 0));
  });
}

function convolvedBack(x: Dense, weight: Dense, o: Convolving, f: Arithmetic): Dense {
  const { groups = 1, bias } = o;
  const [channels, each, kh, kw] = weight.shape as [number, number, number, number];
  const w = parts({ ...o, kernel: [kh, kw] });
  const extra = both(o.outputPadding, 0);
  const [n, , h, width] = x.shape as [number, number, number, number];
  const size = [0, 1].map(
    (i) => ([h, width][i]! - 1) * w.stride[i]! - 2 * w.padding[i]! + w.kernel[i]! + extra[i]!,
  );
  return make("f32", [n, each * groups, ...size], ([b, channel, y, z]) => {
    const terms: number[] = [];
    const group = Math.floor(channel! / each);
    const own = channels / groups;
    for (let c = group * own; c < (group + 1) * own; c++)
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++) {
          const [u, v] = [
            (y! + w.padding[0] - i) / w.stride[0],
            (z! + w.padding[1] - j) / w.stride[1],
          ];
          if (
            !Number.isInteger(u) ||
            !Number.isInteger(v) ||
            u < 0 ||
            u >= h ||
            v < 0 ||
            v >= width
          )
            continue;
          terms.push(read(x, [b!, c, u, v]) * read(weight, [c, channel! % each, i, j]));
        }
    return f(total(terms, "f32", f) + (bias ? bias.data[channel!]! : 0));
  });
}

export function image(d: Drawing, channels?: number): Ref {
  const own = (k: { dtype: string; shape: readonly number[] }) =>
    k.dtype === "f32" &&
    k.shape.length === 4 &&
    count(k.shape) <= 300 &&
    (channels === undefined || k.shape[1] === channels);
  if (d.random.chance(0.4)) return d.some(own);
  return d.fresh("f32", [
    d.random.between(1, 2),
    channels ?? d.random.between(1, 4),
    d.size(7),
    d.size(7),
  ]);
}

function windowsOn(d: Drawing, size: readonly number[]): Windows {
  const { random } = d;
  const padding = [random.below(2), random.below(2)] as [number, number];
  const kernel = [0, 1].map((i) => random.between(1, Math.min(3, size[i]! + 2 * padding[i]!))) as [
    number,
    number,
  ];
  return { kernel, stride: [random.between(1, 3), random.between(1, 2)], padding };
}

function scaledExperts(
  f: Arithmetic,
  x: Dense,
  choice: Dense,
  weights: Dense,
  bias: Dense,
  o: { scales: readonly number[]; groups?: number },
) {
  const [maps, height, width] = x.shape as [number, number, number];
  const [experts, outputs, each] = weights.shape as [number, number, number];
  const kept = choice.shape[1]!;
  // How far an infinity spreads through samples that count nothing is not said.
  if (!f.exact && x.data.some((v) => !(Math.abs(v) < 1e15)))
    return make("f32", [maps, kept, height, width, outputs], () => (f.side ? 0 : Number.NaN));
  const out = make("f32", [maps, kept, height, width, outputs], () => 0);
  for (let m = 0; m < maps; m++)
    for (let r = 0; r < kept; r++) {
      const expert = Math.min(Math.max(read(choice, [m, r]), 0), experts - 1);
      const scale = o.scales[expert]!;
      const map = make("f32", [1, x.shape[3]!, height, width], ([, c, i, j]) =>
        read(x, [m, i!, j!, c!]),
      );
      const own = make("f32", [outputs, each, 3, 3], (at) => read(weights, [expert, ...at]));
      const added = make("f32", [outputs], ([i]) => read(bias, [expert, i!]));
      const to = (t: Dense, h: number, w: number) =>
        resized(resized(t, 2, { mode: "bicubic", size: h }, f), 3, { mode: "bicubic", size: w }, f);
      const large = convolved(
        to(map, scale * height, scale * width),
        own,
        { padding: 1, groups: o.groups ?? 1, bias: added },
        f,
      );
      const active = make("f32", large.shape, (at) => {
        const v = read(large, at);
        return f(fn.gelu(v), 16 + 2 * Math.min(v * v, 400));
      });
      // A sample adds sixteen of them, of both signs, in an order that is not said.
      const mayOverflow = !f.exact && active.data.some((v) => !(Math.abs(v) < 2 ** 122));
      const small = mayOverflow
        ? make("f32", [1, outputs, height, width], () => (f.side ? 0 : Number.NaN))
        : to(active, height, width);
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++)
          for (let c = 0; c < outputs; c++)
            out.data[(((m * kept + r) * height + i) * width + j) * outputs + c] = read(small, [
              0,
              c,
              i,
              j,
            ]);
    }
  return out;
}

export const imageOps: Readonly<Record<string, Known>> = {
  unfold: known(
    (d) => {
      const x = image(d);
      return [x, windowsOn(d, d.kind(x).shape.slice(2)) as unknown as Arg];
    },
    (_f, x: Dense, windows: Windows) => unfolded(x, windows),
  ),
  fold: known(
    (d) => {
      const size = [d.size(6), d.size(6)] as [number, number];
      const windows = windowsOn(d, size);
      const w = parts(windows);
      const shape = [
        d.random.between(1, 2),
        d.random.between(1, 2) * w.kernel[0] * w.kernel[1],
        count(grid(size, w)),
      ];
      return [d.fresh("f32", shape), size, windows as unknown as Arg];
    },
    (f, x: Dense, size: readonly [number, number], windows: Windows) => folded(x, size, windows, f),
  ),
  conv2d: known(
    (d) => {
      const x = image(d);
      const [, channels, ...size] = d.kind(x).shape as [number, number, number, number];
      const { kernel, stride, padding } = windowsOn(d, size);
      const groups = d.random.pick([1, 1, channels]);
      const out = groups * d.random.between(1, 3);
      const weight = d.fresh("f32", [out, channels / groups, ...(kernel as [number, number])]);
      const bias = d.random.chance(0.5) ? { bias: d.fresh("f32", [out]) } : {};
      return [x, weight, { stride, padding, ...(groups > 1 ? { groups } : {}), ...bias } as Arg];
    },
    (f, x: Dense, weight: Dense, o: Convolving = {}) => convolved(x, weight, o, f),
  ),
  convTranspose2d: known(
    (d) => {
      const x = image(d);
      const channels = d.kind(x).shape[1]!;
      const groups = d.random.pick([1, 1, channels]);
      const [kernel, stride] = [
        [d.random.between(1, 3), d.random.between(1, 3)],
        [d.random.between(1, 2), d.random.between(1, 3)],
      ];
      const each = d.random.between(1, 3);
      const weight = d.fresh("f32", [channels, each, ...kernel]);
      const bias = d.random.chance(0.5) ? { bias: d.fresh("f32", [each * groups]) } : {};
      return [x, weight, { stride, ...(groups > 1 ? { groups } : {}), ...bias } as Arg];
    },
    (f, x: Dense, weight: Dense, o: Convolving = {}) => convolvedBack(x, weight, o, f),
  ),
  scaledConvolution: known(
    (d) => {
      const { random } = d;
      const scales = Array.from({ length: random.between(1, 3) }, () => random.between(1, 3));
      const [maps, kept] = [random.between(1, 2), random.between(1, 2)];
      const groups = random.pick([1, 2]);
      const [channels, outputs] = [groups * random.between(1, 2), groups * random.between(1, 2)];
      return [
        d.fresh("f32", [maps, random.between(1, 4), random.between(1, 4), channels]),
        d.fresh(random.pick(["i32", "u32"]), [maps, kept], "index"),
        d.fresh("f32", [scales.length, outputs, channels / groups, 3, 3]),
        d.fresh("f32", [scales.length, outputs]),
        groups > 1 ? { scales, groups } : { scales },
      ];
    },
    scaledExperts as (f: Arithmetic, ...args: unknown[]) => Dense,
  ),
};
