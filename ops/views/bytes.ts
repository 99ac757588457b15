/**
 * bytes(words, shape): the bytes of words, as numbers from 0 to 255. Pictures and labels of a byte each travel so: a
 * quarter of what words take.
 */
import {
  apply,
  checkShape,
  checkTensors,
  type ElementOp,
  elements,
  flatten,
  shiftRight,
  type Tensor,
  unflatten,
} from "../../compiler/op-kit.ts";

interface Attrs {
  readonly shape: readonly number[];
}

export const op: ElementOp<Attrs> = {
  name: "bytes",
  kind: "element",
  cost: 1,
  type: ([words], { shape }, fail) => {
    const [count, wanted] = [elements(words!.shape), Math.ceil(elements(shape) / 4)];
    if (words!.dtype !== "u32")
      fail(
        `the words are ${words!.dtype}`,
        "four bytes lie in each u32: new Uint32Array(bytes.buffer)",
      );
    if (count !== wanted)
      fail(
        `[${shape.join(", ")}] takes ${wanted} words, and there are ${count}`,
        "four bytes lie in each word, the last of which need not be full",
      );
    return [{ dtype: "u32", shape }];
  },
  element: ({ k, inputs: [words], at, type }) => {
    const place = k.let("place", flatten(type.shape, at));
    const word = words!.at(...unflatten(words!.shape, place.div(4)));
    return shiftRight(word, place.mod(4).mul(8)).mod(256);
  },
  vjp: () => [undefined],
  note: (a) => `as [${a.shape.join(", ")}]`,
  tests: {
    samples: [
      {
        inputs: [{ dtype: "u32", data: [0x04030201, 0xff00fe05] }],
        call: (x) => bytes(x!, [2, 4]),
        outputs: [
          {
            dtype: "u32",
            data: [
              [1, 2, 3, 4],
              [5, 254, 0, 255],
            ],
          },
        ],
      },
      {
        claim: "of a last word that is not full",
        inputs: [{ dtype: "u32", data: [0x04030201, 0xff00fe05] }],
        call: (x) => bytes(x!, [5]),
        outputs: [{ dtype: "u32", data: [1, 2, 3, 4, 5] }],
      },
    ],
    cases: [
      {
        claim: "an odd shape",
        inputs: [{ shape: [3, 9], dtype: "u32", range: [0, 1e9] }],
        call: (x) => bytes(x!, [5, 7, 3]),
        smooth: false,
      },
    ],
  },
};

/**
 * The bytes of `words` (u32, the lowest byte first), row-major as `shape`: u32 from 0 to 255. On the host
 * `new Uint32Array(bytes.buffer)` makes words of bytes. Throws E101 for words of another dtype or number.
 */
export function bytes<const S extends readonly number[]>(
  words: Tensor,
  shape: S,
): Tensor<"u32", S> {
  checkTensors("bytes", { words });
  checkShape("bytes", [words], shape);
  return apply(op, [words], { shape })[0] as unknown as Tensor<"u32", S>;
}
