/** A matrix product in single precision, alone: activations times weights, as in a linear layer. */
import { input, trace } from "../../compiler/index.ts";
import { matmul } from "../../ops/index.ts";
import { type Comparison, ours } from "../measure/comparison.ts";
import { isProcessor, type Place, wordsFor } from "../measure/place.ts";
import { peersAt, type Spellings } from "../systems/field.ts";
import { openOurs } from "../systems/inarch.ts";
import { openJax } from "../systems/jax-js.ts";
import { encodeFile } from "../systems/onnx-file.ts";
import { type Ort, openOnnxRuntime } from "../systems/onnx-runtime.ts";
import { openTensorflow } from "../systems/tensorflow-js.ts";
import { numbers, weightsFor } from "./numbers.ts";

/** Rows, inner size, columns. The last two are the perceptron and the qkv of the 224-pixel encoder. */
const sizes = [
  [1024, 1024, 1024],
  [512, 512, 512],
  [256, 256, 256],
  [196, 384, 1536],
  [196, 384, 1152],
] as const;

/** For processors, against ONNX Runtime alone: others take half a minute for the perceptron of ViT-B at 1024 pixels. */
const more = [
  [196, 384, 384],
  [4096, 768, 3072],
] as const;

export const matmuls = (place: Place): Comparison[] => [
  ...sizes.map(([m, k, n]) => product(m, k, n, place)),
  ...(isProcessor(place) ? more : []).map(([m, k, n]) => product(m, k, n, place, "onnx")),
];

/** The product of an m x k and a k x n matrix. */
export function product(
  m: number,
  k: number,
  n: number,
  place: Place,
  against: "all" | "onnx" = "all",
): Comparison {
  const x = () => ({ data: numbers(1, m * k), shape: [m, k] });
  // As weights are: results are of the size of what goes in.
  const values = () => numbers(2, k * n).map((v) => v / Math.sqrt(k));
  const weight = () => ({ data: values(), shape: [k, n] });
  const us = "inarch";
  const others: Omit<Spellings, "onnx"> = {
    jax: (backend) =>
      openJax(
        backend,
        ({ numpy }) =>
          (a, b) =>
            numpy.matmul(a!, b!),
        [x()],
        [weight()],
      ),
    tensorflow: (backend) =>
      openTensorflow(backend, (tf) => (a, b) => tf.matMul(a!, b!), [x()], [weight()]),
  };
  const onnx = (ort: Ort) => openOrt(ort);
  const peers = peersAt(place, { onnx, ...(against === "all" ? others : {}) });
  const openOrt = (ort: Ort) =>
    openOnnxRuntime(
      encodeFile({
        nodes: [{ op: "MatMul", inputs: ["x", "weight"], outputs: ["y"] }],
        constants: { weight: weight() },
        inputs: { x: [m, k] },
        outputs: { y: [m, n] },
      }),
      ort,
      { x: x() },
    );
  const open = () => {
    const graph = trace(
      (p) => ({ y: matmul(input("x", "f32", [m, k]), p.f32("weight", [k, n])) }),
      {},
    );
    const weights: typeof weightsFor = (parameters) => weightsFor(parameters, () => weight().data);
    return openOurs({ graph, inputs: { x: x().data }, weights }, place);
  };
  return {
    name: `matmul ${m} x ${k} x ${n}${wordsFor(place)}`,
    group: "matmul",
    contestants: [{ name: us, process: ours, open }, ...peers],
    pairs: peers.map(({ name }) => ({ of: name, to: us })),
    agreements: peers.map(({ name }) => ({ of: name, to: us, tolerance: 1e-4 })),
  };
}
