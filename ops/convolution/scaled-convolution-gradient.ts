/**
 * scaledConvolutionGradient: what every element of scaledConvolution's result sends back, each by
 * itself: `patches` to the pixels around it, and to the weights and biases of its expert. No two
 * threads write one number, so no atomics are needed; what adds them up is written with ops.
 */
import {
  apply,
  type Buffer,
  type KernelOp,
  literal,
  type Out,
  portable,
  show,
  type Tests,
  type Value,
} from "../../compiler/op-kit.ts";
import { geluOf } from "../elementwise/gelu.ts";
import { type Parity, paritiesOf, sweep } from "./scaled-convolution-axis.ts";
import { scaledCases } from "./scaled-convolution-cases.ts";
import {
  checkedShape,
  plainBackward,
  type ScaledAttrs,
  sizesOf,
} from "./scaled-convolution-definition.ts";
import {
  convolve,
  dot,
  eachOutput,
  eachPixel,
  eachSample,
  onParity,
  type Pixel,
  picked,
  readingOf,
  readingsOf,
  room,
  type Samples,
} from "./scaled-convolution-kernel.ts";
import { gradientWorkAtScale } from "./scaled-convolution-work.ts";

/** How far from a pixel its samples reach, whatever the scale. */
export const reachOf = (scales: readonly number[]): number =>
  Math.max(...paritiesOf(scales).map(({ reach }) => reach));

const one = [[[[2]]]];
const slope = 1.0833154706;

const tests: Tests = {
  samples: [
    {
      claim: "a pixel alone sends to itself, and to the tap that saw it",
      inputs: [
        one,
        { dtype: "i32", data: [[0]] },
        [
          [
            [
              [
                [0, 0, 0],
                [0, 0.5, 0],
                [0, 0, 0],
              ],
            ],
          ],
        ],
        [[0]],
        [[[[[1]]]]],
      ],
      call: (...inputs) => apply(op, inputs, { scales: [1], groups: 1 }),
      outputs: [
        [[[[Array.from({ length: 25 }, (_, i) => [i === 12 ? slope / 2 : 0])]]]],
        [[[[[0, 0, 0, 0, 2 * slope, 0, 0, 0, 0, slope]]]]],
      ],
    },
  ],
  cases: scaledCases.map(({ claim, attrs, inputs, shape, given }) => ({
    claim,
    inputs: [...inputs, { shape }],
    call: (...tensors) => apply(op, given(tensors), attrs),
    smooth: false,
  })),
};

/** Inputs: those of scaledConvolution, and the cotangent of its result. */
export const op: KernelOp<ScaledAttrs> = {
  name: "scaledConvolutionGradient",
  kind: "kernel",
  type: (inputs, attrs, fail) => {
    const shape = checkedShape(inputs, attrs, fail);
    const g = inputs[4]!;
    if (g.dtype !== "f32" || g.shape.join() !== shape.join())
      fail(`the cotangent is ${show(g)}, the result f32[${shape.join(", ")}]`);
    const { channels, outputs, each } = sizesOf(inputs);
    const span = 2 * reachOf(attrs.scales) + 1;
    const pixels = shape.slice(0, 4);
    return [
      { dtype: "f32", shape: [...pixels, span * span, channels] },
      { dtype: "f32", shape: [...pixels, outputs * each * 9 + outputs] },
    ];
  },
  forms: [
    portable({
      kernel: (site) => {
        const { k, inputs, attrs, outputs } = site;
        const [patches, parameters] = outputs as [Out, Out];
        const sums = k.local("sums", sizesOf(inputs).outputs * room);
        return eachPixel(site, "scaledConvolutionGradient", (pixel) =>
          onParity(pixel, attrs.scales, (samples) => {
            convolve(pixel, samples, sums);
            arrive(pixel, samples, sums, parameters);
            const margin = reachOf(attrs.scales) - samples.parity.reach;
            k.for("c", pixel.sizes.channels, (c) => {
              const back = toReadings(pixel, samples, sums, c, parameters);
              const put = (value: Value, place: Value) => patches.put(value, ...pixel.at, place, c);
              toPixels(pixel, samples, back, margin, put);
              onMargin(pixel, samples.parity, margin, (place) => put(literal(0, "f32"), place));
            });
          }),
        );
      },
      reads: (input, { inputs, attrs: { scales } }) => {
        const { maps, kept, height, width, experts } = sizesOf(inputs);
        // Channels are read twice: before and after it is known what arrives at the samples.
        if (input === 0) return 2 * kept * (2 * reachOf(scales) + 1) ** 2;
        if (input === 1) return height * width;
        return input === 4 ? 1 : (2 * maps * kept * height * width) / experts;
      },
    }),
  ],
  oracle: (inputs, attrs) => [...plainBackward(inputs, attrs, reachOf(attrs.scales))],
  spelled: 1,
  work: (inputs, attrs) =>
    Math.max(...attrs.scales.map((scale) => gradientWorkAtScale(inputs, attrs.scales, scale))),
  // A gradient of a gradient has no use here.
  vjp: (_cotangents, { inputs }) => inputs.map(() => undefined),
  note: ({ scales }) => `scales ${scales.join(", ")}`,
  tests,
};

/** Replaces what the convolution made of each sample by what arrives there from the cotangent. */
function arrive(pixel: Pixel, { parity, counts }: Samples, sums: Buffer, parameters: Out): void {
  const { k, sizes, inputs, at } = pixel;
  k.for("o", sizes.outputs, (o) => {
    const g = inputs[4]!.at(...at, o);
    const total = k.var("total", literal(0, "f32"));
    k.for("row", parity.samples, (row) =>
      k.for("column", parity.samples, (column) => {
        const count = picked(counts[0], row).mul(picked(counts[1], column));
        const place = k.let("place", o.mul(room).add(row.mul(4)).add(column));
        const before = k.let("before", k.load(sums, place));
        const here = k.let("here", geluOf(k, before).slope().mul(count).mul(g));
        k.store(sums, place, here);
        total.set(total.get.add(here));
      }),
    );
    parameters.put(total.get, ...at, o.add(sizes.outputs * sizes.each * 9));
  });
}

/** What the readings of channel `c` get. What its weights get is written on the way. */
function toReadings(
  pixel: Pixel,
  samples: Samples,
  sums: Buffer,
  c: Value,
  parameters: Out,
): Value[] {
  const { k, sizes, at } = pixel;
  const { parity } = samples;
  const readings = readingsOf(pixel, samples, c);
  const back = readings.map(() => k.var("back", literal(0, "f32")));
  eachOutput(pixel, c, (o, taps, inside) => {
    const first: number[] = [];
    const arrived: Value[] = [];
    eachSample(parity, o, (place, reading) => {
      first.push(reading);
      arrived.push(k.let("arrived", k.load(sums, place)));
    });
    const weight = k.let("weight", o.mul(sizes.each).add(inside).mul(9));
    for (const [e, tap] of taps.entries()) {
      const read = first.map((reading) => reading + readingOf(parity, e));
      const change = dot(
        arrived,
        read.map((i) => readings[i]!),
      );
      parameters.put(change, ...at, weight.add(e));
      for (const [s, i] of read.entries()) back[i]!.set(arrived[s]!.fma(tap, back[i]!.get));
    }
  });
  return back.map((v) => v.get);
}

/** What the pixels around get, each at its place among those that samples of any parity reach. */
function toPixels(
  { k }: Pixel,
  { parity, rows, weights }: Samples,
  back: readonly Value[],
  margin: number,
  put: (value: Value, place: Value) => void,
): void {
  const { readings, reach } = parity;
  const down = sweep(k, parity, rows);
  const width = 2 * (reach + margin) + 1;
  k.for("t", 2 * reach + 1, (t) => {
    const share = down.next(t);
    const line = readings.map((_, q) => {
      const column = share.map((_, row) => back[row * readings.length + q]!);
      return k.let("line", dot(column, share));
    });
    const row = t.add(margin).mul(width).add(margin);
    for (const [column, own] of weights.entries()) put(dot(line, own), row.add(column));
  });
}

/** For every place that samples of another parity reach, but none of these. */
function onMargin(
  { k }: Pixel,
  { reach }: Parity,
  margin: number,
  body: (place: Value) => void,
): void {
  if (margin === 0) return;
  const width = 2 * (reach + margin) + 1;
  const beyond = (c: Value) => c.lt(margin).or(c.ge(width - margin));
  k.for("row", width, (row) =>
    k.for("column", width, (column) =>
      k.if(beyond(row).or(beyond(column)), () => body(row.mul(width).add(column))),
    ),
  );
}
