/** How much scaledConvolution computes: multiplications as the kernels do them, by scale. */
import { paritiesOf } from "./scaled-convolution-axis.ts";
import { sizesOf } from "./scaled-convolution-definition.ts";

interface Shaped {
  readonly shape: readonly number[];
}

/** Of one cubic weight, and of one GELU or its derivative. */
const [cubic, activation] = [10, 40];

/**
 * Multiplications of the whole node if every map goes to an expert of `scale`, one of `scales`. Odd
 * scales cost the same, and so do even ones: only how many samples are read matters.
 */
export function workAtScale(
  inputs: readonly Shaped[],
  scales: readonly number[],
  scale: number,
): number {
  const one = perPixel(inputs, scales, scale);
  const read = one.across + one.channels * (one.down + one.read);
  return one.pixels * (read + one.products + one.samples * one.outputs * (activation + 1));
}

/** The same of the gradient: samples again, their derivatives, and the way back to each input. */
export function gradientWorkAtScale(
  inputs: readonly Shaped[],
  scales: readonly number[],
  scale: number,
): number {
  const one = perPixel(inputs, scales, scale);
  const read = one.across + 3 * one.channels * (one.down + one.read);
  return one.pixels * (read + 3 * one.products + one.samples * one.outputs * (activation + 2));
}

/** Of an expert of this scale. */
function perPixel(inputs: readonly Shaped[], scales: readonly number[], scale: number) {
  const { maps, height, width, channels, kept, outputs, each } = sizesOf(inputs);
  const parity = paritiesOf(scales).find(({ even }) => even === (scale % 2 === 0))!;
  const rows = 2 * parity.reach + 1;
  const readings = parity.readings.length;
  /** Columns that are not known to count for nothing, of all readings. */
  const columns = parity.readings.reduce((total, [first, last]) => total + last - first + 1, 0);
  return {
    pixels: maps * kept * height * width,
    channels,
    outputs,
    /** Cubic weights of columns, and of rows. */
    across: cubic * columns,
    down: cubic * rows * readings,
    /** The readings of one channel, along rows and then between them. */
    read: rows * (columns + readings ** 2),
    /** The convolution at the samples. */
    products: 9 * parity.samples ** 2 * outputs * each,
    samples: parity.samples ** 2,
  };
}
