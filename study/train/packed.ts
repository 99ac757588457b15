/**
 * What a step is given: pictures and labels as bytes, four in a word, a quarter of what numbers of 32 bits take. What a
 * model and a loss see is made of them on the device.
 */
import { withInputs } from "../../compiler/graph/sources.ts";
import { input, type Model, type Tensor } from "../../compiler/index.ts";
import {
  and,
  bytes,
  cast,
  div,
  eq,
  ge,
  iota,
  lt,
  reshape,
  slice,
  sub,
  where,
} from "../../ops/index.ts";
import { type Batch, pixelDeviation, pixelMean } from "../data/batch.ts";
import { ignored } from "../data/sample.ts";

/** The byte of pixels that do not count. */
const ignoredByte = 255;

/** So many classes have a byte each. */
const mostClasses = ignoredByte;

const wordsFor = (shape: readonly number[]) => [Math.ceil(shape.reduce((a, b) => a * b, 1) / 4)];

/** The model, with a program `segment` that takes what `packedImages` gives in place of `image`. */
export function takingBytes(model: Model): Model {
  const segment: Model["programs"][string] = (p, dims) =>
    withInputs({ image: pictures }, () => model.programs.segment!(p, dims));
  return { ...model, programs: { ...model.programs, segment } };
}

/**
 * `(value - mean) / deviation` by channel, and 0 outside of what is seen: f32 `[n, 3, side, side]`. The numbers of
 * `normalizedImages`, bit for bit where a device divides exactly; WebGPU allows an error of 2.5 units in the last place.
 */
function pictures(shape: readonly number[]): Tensor {
  const [n, , height, width] = shape as [number, number, number, number];
  const raw = cast(bytes(input("image", "u32", wordsFor(shape)), shape), "f32");
  const channel = iota([1, 3, 1, 1], 1) as Tensor;
  const [red, green] = [0, 1].map((c) => eq(channel, c) as Tensor<"bool">) as [
    Tensor<"bool">,
    Tensor<"bool">,
  ];
  const ofChannel = ([r, g, b]: readonly number[]) => {
    const others = where(green, g!, where(green, 0, b!) as Tensor) as Tensor;
    return where(red, r!, others) as Tensor;
  };
  const even = div(sub(raw as Tensor, ofChannel(pixelMean)) as Tensor, ofChannel(pixelDeviation));
  const seen = input("seen", "i32", [n, 4]);
  const edge = (i: number) =>
    reshape(slice(seen as Tensor, [[], [i, i + 1]]), [n, 1, 1, 1]) as Tensor;
  const [x, y] = [iota([1, 1, 1, width], 3) as Tensor, iota([1, 1, height, 1], 2) as Tensor];
  const both = (a: Tensor, b: Tensor) => and(a as Tensor<"bool">, b as Tensor<"bool">) as Tensor;
  const across = both(ge(x, edge(0)), lt(x, edge(2)));
  const down = both(ge(y, edge(1)), lt(y, edge(3)));
  return where(both(across, down) as Tensor<"bool">, even as Tensor, 0) as Tensor;
}

/** Of so many classes, the label of pixels that do not count on the device. */
export const ignoredOf = (classes: number): number =>
  classes > mostClasses ? ignored : ignoredByte;

/** Labels of a batch as an input: i32, `ignoredOf(classes)` where they do not count. */
export function labelsInput(name: string, shape: readonly number[], classes: number): Tensor {
  if (classes > mostClasses) return input(name, "i32", shape) as Tensor;
  return labelsIn(input(name, "u32", wordsFor(shape)), shape);
}

/** The labels of an input that `labelsInput` made. */
export const labelsIn = (given: Tensor, shape: readonly number[]): Tensor =>
  given.dtype === "i32" ? given : (cast(bytes(given, shape), "i32") as Tensor);

/** Labels as `labelsInput` takes them. */
export function packedLabels(labels: Int32Array<ArrayBuffer>, classes: number) {
  // -1 is 255 as a byte.
  return classes > mostClasses ? labels : wordsOf(Uint8Array.from(labels));
}

/**
 * The pictures of a batch: `image` u32, and `seen` i32 `[batch, 4]`, the left, upper, right and lower edge of what is no
 * padding, of which the last two are outside.
 */
export function packedImages({ image, valid, size, side }: Batch) {
  const seen = new Int32Array(size * 4);
  for (let i = 0; i < size; i++) {
    const own = valid.subarray(i * side ** 2, (i + 1) * side ** 2);
    const [first, last] = [own.indexOf(1), own.lastIndexOf(1)];
    const edges = [
      first % side,
      Math.floor(first / side),
      (last % side) + 1,
      Math.floor(last / side) + 1,
    ];
    if (first >= 0) seen.set(edges, i * 4);
  }
  return { image: wordsOf(image), seen };
}

function wordsOf(bytes: Uint8Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  if (byteOffset % 4 === 0 && length % 4 === 0)
    return new Uint32Array(buffer, byteOffset, length / 4);
  const whole = new Uint8Array(Math.ceil(length / 4) * 4);
  whole.set(bytes);
  return new Uint32Array(whole.buffer);
}
