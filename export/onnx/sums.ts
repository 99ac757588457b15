/**
 * Sums and normalizations. Where the pieces of a layer norm or of a linear layer stand together, they
 * are spelled as the one operator that says it.
 */
import { elements, type Node, type Tensor } from "../../compiler/op-kit.ts";
import { op as add } from "../../ops/elementwise/add.ts";
import { op as mul } from "../../ops/elementwise/mul.ts";
import { op as normalize } from "../../ops/lines/layer-norm.ts";
import { op as matmul } from "../../ops/matmul/matmul.ts";
import { op as permute } from "../../ops/views/permute.ts";
import { type Entry, entry, type Spelled } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export const sums: readonly Entry[] = [
  entry(add, (site) => layerNorm(site) ?? gemm(site) ?? site.w.map("Add", site.x)),
  entry(normalize, ({ w, wide, attrs: { axis, epsilon } }) => {
    const x = wide(0);
    const channels = x.shape[axis]!;
    const ones = w.constant("f32", [channels], Array(channels).fill(1));
    return normalized(w, x, axis, [ones], epsilon);
  }),
];

interface Normalize {
  readonly axis: number;
  readonly epsilon: number;
}

interface Permute {
  readonly axes: readonly number[];
}

/** normalize(x) * gamma + beta, in any order of operands. */
function layerNorm({ node, w, known }: Spelled<null>): Value | undefined {
  for (const [product, beta] of bothWays(node)) {
    if (product.node.op !== mul) continue;
    for (const [normal, gamma] of bothWays(product.node)) {
      if (normal.node.op !== normalize) continue;
      const { axis, epsilon } = normal.node.attrs as Normalize;
      const scale = alongAxis(w, known(gamma), normal.shape, axis);
      const shift = alongAxis(w, known(beta), normal.shape, axis);
      const [x] = normal.node.inputs as readonly [Tensor];
      if (scale && shift) {
        const whole = w.expand(known(x), x.shape);
        return normalized(w, whole, axis, [scale, shift], epsilon);
      }
    }
  }
  return undefined;
}

/** ONNX normalizes the last axes; another one is brought there and back. */
function normalized(
  w: OnnxWriter,
  x: Value,
  axis: number,
  factors: readonly Value[],
  epsilon: number,
): Value {
  const last = x.shape.length - 1;
  const axes = x.shape.map((_, i) => i);
  const there = [...axes.filter((a) => a !== axis), axis];
  const lines = w.transpose(x, there);
  const attributes = { axis: { int: -1 }, epsilon: { float: epsilon } };
  const y = w.emit("LayerNormalization", [lines, ...factors], "f32", lines.shape, attributes);
  return axis === last
    ? y
    : w.transpose(
        y,
        axes.map((a) => there.indexOf(a)),
      );
}

/** A value that differs along one axis of `shape` only, as a list; undefined for another. */
function alongAxis(
  w: OnnxWriter,
  value: Value,
  shape: readonly number[],
  axis: number,
): Value | undefined {
  const own = axis - (shape.length - value.shape.length);
  const size = shape[axis]!;
  if (value.shape[own] !== size || elements(value.shape) !== size) return undefined;
  return w.reshape(value, [size]);
}

/** a bᵀ + c with a list c, as linear layers are: PyTorch's layout of weights stays. */
function gemm({ node, w, known }: Spelled<null>): Value | undefined {
  for (const [product, bias] of bothWays(node)) {
    const { op, inputs } = product.node;
    const [a, b, ...more] = inputs;
    if (op !== matmul || !a || !b || more.length > 0 || product.shape.length !== 2) continue;
    const [rows, columns] = product.shape as readonly [number, number];
    const c = known(bias);
    if (c.shape.join() !== `${columns}`) continue;
    const turned = b.node.op === permute && `${(b.node.attrs as Permute).axes}` === "1,0";
    const right = turned ? b.node.inputs[0]! : b;
    const operands = [w.expand(known(a), a.shape), w.expand(known(right), right.shape), c];
    const attributes = turned ? { transB: { int: 1 } } : {};
    return w.emit("Gemm", operands, "f32", [rows, columns], attributes);
  }
  return undefined;
}

const bothWays = ({ inputs: [a, b] }: Node): readonly (readonly [Tensor, Tensor])[] => [
  [a!, b!],
  [b!, a!],
];
