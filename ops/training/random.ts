/**
 * Random numbers without a state: element i of a tensor is a hash of (i, stream) under a key that
 * is given at each run. Whatever computes it, wherever, however often, gets the same number, so
 * nothing is stored for the backward pass, and a run repeats from its seed.
 *
 * The hash is Threefry-2x32 with 20 rounds (Salmon et al., "Parallel Random Numbers: As Easy as
 * 1, 2, 3", 2011): additions, turns and exclusive ors of 32 bits, exact on every device. Its
 * published test vectors are in test/ops/training/random.test.ts.
 */
import {
  addWrapping,
  apply,
  type Builder,
  checkNumber,
  checkShape,
  checkTensors,
  type ElementOp,
  flatten,
  type In,
  index,
  literal,
  mulWrapping,
  refuse,
  rotateLeft,
  type Shape,
  shiftRight,
  shown,
  type Tensor,
  type Type,
  type Value,
  xor,
} from "../../compiler/op-kit.ts";
import { log } from "../elementwise/log.ts";
import { maximum } from "../elementwise/maximum.ts";
import { mul } from "../elementwise/mul.ts";
import { cosNear } from "../elementwise/sin.ts";
import { sqrt } from "../elementwise/sqrt.ts";
import { sub } from "../elementwise/sub.ts";

interface Attrs {
  readonly shape: readonly number[];
  readonly stream: number;
  /** Which of the two words that the hash gives for each element. */
  readonly word: 0 | 1;
  /** The word itself, or its upper 24 bits as a fraction. */
  readonly as: "bits" | "fraction";
}

/** Twenty rounds of an addition, two shifts and two exclusive ors, and the key's six additions. */
export const hashCost = 110;

export const op: ElementOp<Attrs> = {
  name: "random",
  kind: "element",
  cost: hashCost,
  type: ([key], { shape, as }, fail) => {
    checkKey(key!, fail);
    return [{ dtype: as === "bits" ? "u32" : "f32", shape }];
  },
  element: ({ k, inputs: [key], at, attrs: { shape, stream, word, as } }) => {
    const words = hashAt(k, key!, stream, shape, at);
    return as === "bits" ? words[word] : fraction(words[word]);
  },
  vjp: () => [undefined],
  note: ({ stream, word, as }) => `${as} ${word} of stream ${stream}`,
  tests: {
    samples: [
      {
        claim: "the published vector of all zeros, as bits and as a fraction",
        inputs: [{ dtype: "u32", data: [0, 0] }],
        call: (key) => [randomBits(key!, 0, [1]), randomUniform(key!, 0, [1])],
        outputs: [{ dtype: "u32", data: [0x6b200159] }, [0x6b2001 / 2 ** 24]],
      },
    ],
    cases: [
      {
        claim: "an odd shape, uniform and normal",
        inputs: [{ shape: [2], dtype: "u32", range: [0, 2 ** 32 - 1] }],
        call: (key) => [randomUniform(key!, 7, [3, 5, 7]), randomNormal(key!, 7, [5, 13])],
        smooth: false,
      },
      {
        claim: "a part of a whole",
        inputs: [{ shape: [3], dtype: "u32", range: [0, 2 ** 32 - 1] }],
        call: (key) => [randomUniform(key!, 7, [3, 5, 7]), randomNormal(key!, 7, [5, 13])],
        smooth: false,
      },
    ],
  },
};

/**
 * Uniform in [0, 1): multiples of 2^-24, the same ones on every device. `key` is u32[2], (seed,
 * step) say, given at run time; `stream` a whole number below 2^32 (`streamOf`), by which numbers of
 * different use differ. A key of u32[3] also says which part of a whole this is: the parts 0, 1, ... one after another
 * along the first axis are what a key of u32[2] gives at once. Throws E101 for another key.
 */
export const randomUniform = <const S extends readonly number[]>(
  key: Tensor,
  stream: number,
  shape: S,
): Tensor<"f32", S> => draw(key, { shape, stream, word: 0, as: "fraction" }) as Tensor<"f32", S>;

/**
 * Normal with mean 0 and deviation 1, by Box and Muller from both words of one hash: exact to
 * rounding, at most 5.77 from 0. Key and stream as for `randomUniform`.
 */
export function randomNormal<const S extends readonly number[]>(
  key: Tensor,
  stream: number,
  shape: S,
): Tensor<"f32", S> {
  const uniform = (word: 0 | 1) =>
    draw(key, { shape, stream, word, as: "fraction" }) as Tensor<"f32", Shape>;
  // From (0, 1], so that the logarithm exists; shaders may round log(1) to above 0.
  const square = maximum(mul(log(sub(1, uniform(0))), -2), 0);
  return mul(sqrt(square), cosNear(mul(uniform(1), 2 * Math.PI))) as Tensor<"f32", S>;
}

/** 32 random bits for each element of `shape`. Key and stream as for `randomUniform`. */
export const randomBits = <const S extends readonly number[]>(
  key: Tensor,
  stream: number,
  shape: S,
): Tensor<"u32", S> => draw(key, { shape, stream, word: 0, as: "bits" }) as Tensor<"u32", S>;

/** The stream of a name, such as a parameter's path: its FNV-1a hash of 32 bits. */
export function streamOf(name: string): number {
  if (typeof name !== "string") refuse("streamOf", [], `the name is ${shown(name)}`, "give a text");
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function draw(key: Tensor, attrs: Attrs): Tensor {
  checkTensors("random", { key });
  checkShape("random", [key], attrs.shape);
  checkStream("random", attrs.stream);
  return apply(op, [key], { ...attrs, stream: attrs.stream >>> 0 })[0]!;
}

/** Throws E101 for what is no stream: a number that `streamOf` gives, signed or not. */
export const checkStream = (name: string, stream: unknown): void =>
  checkNumber(name, [], "the stream", stream, {
    least: -(2 ** 31),
    most: 2 ** 32 - 1,
    whole: true,
  });

/** What every op says that takes a key. */
export function checkKey(key: Type, fail: (message: string, help?: string) => never): void {
  if (key.dtype !== "u32" || !/^[23]$/.test(key.shape.join()))
    fail(
      `the key is ${key.dtype}[${key.shape.join(", ")}], not u32[2] or u32[3]`,
      'give the seed and the step: input("key", "u32", [2])',
    );
}

/** Both words of an element of a stream: of a part, elements are counted on from those of the parts before it. */
export function hashAt(
  k: Builder,
  key: In,
  stream: number,
  shape: readonly number[],
  at: readonly Value[],
): [Value, Value] {
  const words = [key.at(index(0)), key.at(index(1))] as const;
  const inPart = flatten(shape, at);
  const count = shape.reduce((a, b) => a * b, 1) >>> 0;
  const i =
    key.shape[0] === 2
      ? inPart
      : addWrapping(mulWrapping(key.at(index(2)), literal(count, "u32")), inPart.cast("u32"));
  return threefry(k, [i, literal(stream, "u32")], words);
}

/** The upper 24 bits of a word as a number in [0, 1): exact in float32. */
export const fraction = (word: Value): Value =>
  shiftRight(word, 8)
    .cast("f32")
    .mul(2 ** -24);

const turns = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Threefry-2x32-20: two words of `u32` from a counter and a key of two each. */
export function threefry(
  k: Builder,
  counter: readonly [Value, Value],
  key: readonly [Value, Value],
): [Value, Value] {
  const parity = k.let("parity", xor(xor(key[0], key[1]), 0x1bd11bda));
  const keys = [key[0], key[1], parity] as const;
  let a = k.let("a", addWrapping(counter[0], keys[0]));
  let b = k.let("b", addWrapping(counter[1], keys[1]));
  for (let group = 0; group < 5; group++) {
    for (const by of turns[group % 2]!) {
      a = k.let("a", addWrapping(a, b));
      b = k.let("b", xor(rotateLeft(b, by), a));
    }
    const next = addWrapping(keys[(group + 2) % 3]!, group + 1);
    a = k.let("a", addWrapping(a, keys[(group + 1) % 3]!));
    b = k.let("b", addWrapping(b, k.let("next", next)));
  }
  return [a, b];
}
