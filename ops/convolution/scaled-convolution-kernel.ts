/**
 * The parts of scaledConvolution's kernels. One thread has one pixel of one map in the hands of one
 * expert. It reads the pixels around it once per channel, and computes those samples of the enlarged
 * map that the way back looks at.
 *
 * Odd and even scales differ in counts alone, so both are written by the same functions, and a
 * thread takes one of two branches. What grows with the
 * number of channels is a loop; what does not is unrolled and held in variables: loads from memory
 * are dear on software devices, also from a thread's own.
 */
import {
  always,
  type Buffer,
  type Builder,
  bounded,
  elements,
  type In,
  index,
  type Kernel,
  type KernelSite,
  literal,
  unflatten,
  type Value,
} from "../../compiler/op-kit.ts";
import { range } from "../pairwise.ts";
import {
  type Axis,
  chosenOf,
  countsOf,
  type Parity,
  paritiesOf,
  sweep,
} from "./scaled-convolution-axis.ts";
import { type ScaledAttrs, type Sizes, sizesOf } from "./scaled-convolution-definition.ts";

/** Samples of a pixel that there is room for: 4 x 4. */
export const room = 16;

/** A thread's pixel. */
export interface Pixel {
  readonly k: Builder;
  readonly sizes: Sizes;
  readonly inputs: readonly In[];
  /** Coordinates [map, kept, row, column]. */
  readonly at: readonly [Value, Value, Value, Value];
  readonly expert: Value;
}

/** What the samples of a pixel read, where its scale is of one parity. */
export interface Samples {
  readonly parity: Parity;
  readonly rows: Axis;
  /** The columns around the pixel, and by column their weights in each reading. */
  readonly columns: readonly Value[];
  readonly weights: readonly (readonly Value[])[];
  /** How much each row and each column of samples counts. */
  readonly counts: readonly [readonly Value[], readonly Value[]];
}

/** Runs `body` for every pixel of every map and expert that it goes to. */
export function eachPixel(
  { k, inputs, profile }: KernelSite<ScaledAttrs>,
  name: string,
  body: (pixel: Pixel) => void,
): Kernel {
  const sizes = sizesOf(inputs);
  const grid = [sizes.maps, sizes.kept, sizes.height, sizes.width];
  const threads = Math.min(64, profile.maxThreads);
  const groups = Math.ceil(elements(grid) / threads);
  const i = k.let("i", k.group(0, groups).mul(threads).add(k.thread(0, threads)));
  k.if(i.lt(elements(grid)), () => {
    const place = unflatten(grid, bounded(i, elements(grid) - 1)).map((c) => k.let("c", c));
    const at = place as [Value, Value, Value, Value];
    const chosen = inputs[1]!.at(at[0], at[1]);
    const natural = chosen.type === "u32" ? chosen : chosen.max(0).cast("u32");
    const last = sizes.experts - 1;
    const expert = k.let("expert", bounded(natural.min(last), last));
    body({ k, sizes, inputs, at, expert });
  });
  return k.finish(name, [threads, 1, 1], [groups, 1, 1]);
}

/** Runs `body` for the parity of the pixel's scale. */
export function onParity(
  { k, sizes, at, expert }: Pixel,
  scales: readonly number[],
  body: (samples: Samples) => void,
): void {
  const scale = k.let("scale", chosenOf(scales, expert));
  const parities = paritiesOf(scales);
  for (const parity of parities) {
    const own = scale.mod(2).eq(parity.even ? 0 : 1);
    k.if(parities.length > 1 ? own : always, () => {
      // A variable, lest the weights of both parities be computed before the branch.
      const here = k.var("here", scale).get;
      const rows = { pixel: at[2], size: sizes.height, scale: here };
      const along = { pixel: at[3], size: sizes.width, scale: here };
      const across = sweep(k, parity, along);
      const span = range(2 * parity.reach + 1, index);
      const columns = span.map(across.pixelAt);
      const weights = span.map(across.next);
      const counts = [countsOf(k, parity, rows), countsOf(k, parity, along)] as const;
      body({ parity, rows, columns, weights, counts });
    });
  }
}

/**
 * Stores what the convolution makes of every sample, at [output][row][column] of `sums`, which has
 * `room` for each output.
 */
export function convolve(pixel: Pixel, samples: Samples, sums: Buffer): void {
  const { k, sizes, inputs, expert } = pixel;
  const { parity } = samples;
  k.for("o", sizes.outputs, (o) => {
    const from = k.let("from", inputs[3]!.at(expert, o));
    k.for("s", parity.samples ** 2, (s) => k.store(sums, o.mul(room).add(s), from));
  });
  k.for("c", sizes.channels, (c) => {
    const readings = readingsOf(pixel, samples, c);
    eachOutput(pixel, c, (o, taps) => {
      eachSample(parity, o, (place, first) => {
        const total = taps.reduce(
          (sum, tap, e) => readings[first + readingOf(parity, e)]!.fma(tap, sum),
          k.load(sums, place),
        );
        k.store(sums, place, total);
      });
    });
  });
}

/** For every output that looks at channel `c`: the expert's nine weights. */
export function eachOutput(
  { k, sizes, inputs, expert }: Pixel,
  c: Value,
  body: (o: Value, taps: readonly Value[], inside: Value) => void,
): void {
  const { channels, each, outputs } = sizes;
  const group = c.div(each);
  const inside = c.mod(each);
  const share = (outputs * each) / channels;
  k.for("o", share, (n) => {
    const o = k.let("output", group.mul(share).add(n));
    const at = (e: number) => [expert, o, inside, index(Math.floor(e / 3)), index(e % 3)];
    const taps = range(9, (e) => inputs[2]!.at(...at(e)));
    body(o, taps, inside);
  });
}

/** For every sample: its place in `sums`, and the first of the readings that it looks at. */
export function eachSample(
  { samples, readings }: Parity,
  o: Value,
  body: (place: Value, first: number) => void,
): void {
  for (let row = 0; row < samples; row++)
    for (let column = 0; column < samples; column++)
      body(o.mul(room).add(row * 4 + column), row * readings.length + column);
}

/** How far behind a sample's first reading its tap `e` of nine reads. */
export const readingOf = ({ readings }: Parity, e: number) =>
  Math.floor(e / 3) * readings.length + (e % 3);

/** The readings of a channel: rows of them, row by row. Interpolated along rows, then between. */
export function readingsOf(
  { k, inputs, at }: Pixel,
  { parity, rows, columns, weights }: Samples,
  c: Value,
): Value[] {
  const { readings, reach } = parity;
  const found = readings.map(() => readings.map(() => k.var("sum", literal(0, "f32"))));
  const down = sweep(k, parity, rows);
  k.for("t", 2 * reach + 1, (t) => {
    const row = down.pixelAt(t);
    const pixels = columns.map((column) => inputs[0]!.at(at[0], row, column, c));
    const line = readings.map((_, q) =>
      k.let(
        "line",
        dot(
          pixels,
          weights.map((w) => w[q]!),
        ),
      ),
    );
    const share = down.next(t);
    for (const [i, sums] of found.entries())
      for (const [j, sum] of sums.entries()) sum.set(line[j]!.fma(share[i]!, sum.get));
  });
  return found.flat().map((sum) => k.let("reading", sum.get));
}

/** One of some values, by a number that is known as the kernel runs. */
export const picked = (values: readonly Value[], i: Value): Value =>
  values.slice(1).reduce((v, next, n) => i.eq(n + 1).select(next, v), values[0]!);

/** The sum of a[i] b[i] over those b that are not known to be zero. */
export function dot(a: readonly Value[], b: readonly Value[]): Value {
  const there = [...b.keys()].filter((i) => !isZero(b[i]!));
  const [first, ...others] = there;
  if (first === undefined) return literal(0, "f32");
  return others.reduce((sum, i) => a[i]!.fma(b[i]!, sum), a[first]!.mul(b[first]!));
}

const isZero = ({ expr }: Value) => expr.kind === "lit" && expr.value === 0;
