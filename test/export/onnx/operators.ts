/** ONNX's operators, as far as exports use them, from the words of the specification. */
import { broadcast, build, count, elementwise, flatten, read, readBroadcast } from "./arrays.ts";
import type { OnnxArray } from "./evaluate.ts";
import { col2im, conv, resize } from "./operators-image.ts";

/** The attributes of a node; what is not read is an error. */
export interface Given {
  int(key: string, usual: number): number;
  float(key: string, usual: number): number;
  ints(key: string, usual: readonly number[]): readonly number[];
  text(key: string, usual: string): string;
}

export type Operator = (x: readonly (OnnxArray | undefined)[], a: Given) => readonly OnnxArray[];

const bool = 9;
const numbers = (x: OnnxArray | undefined): number[] => [...x!.data];
const axisOf = (x: OnnxArray, axis: number) => (axis < 0 ? axis + x.shape.length : axis);

export const operators: Readonly<Record<string, Operator>> = {
  Abs: elementwise(undefined, Math.abs),
  Add: elementwise(undefined, (a, b) => a + b),
  And: elementwise(bool, (a, b) => a & b),
  BitShift: (x, a) => {
    if (a.text("direction", "") !== "RIGHT") throw new TypeError("a shift to the left");
    return elementwise(undefined, (v, by) => Math.floor(v / 2 ** by!))(x);
  },
  Cos: elementwise(undefined, Math.cos),
  Div: elementwise(undefined, (a, b) => a / b),
  Equal: elementwise(bool, (a, b) => Number(a === b)),
  Erf: elementwise(undefined, erf),
  Exp: elementwise(undefined, Math.exp),
  Greater: elementwise(bool, (a, b) => Number(a > b)),
  GreaterOrEqual: elementwise(bool, (a, b) => Number(a >= b)),
  IsInf: elementwise(bool, (v) => Number(Math.abs(v) === Number.POSITIVE_INFINITY)),
  IsNaN: elementwise(bool, (v) => Number(Number.isNaN(v))),
  Less: elementwise(bool, (a, b) => Number(a < b)),
  LessOrEqual: elementwise(bool, (a, b) => Number(a <= b)),
  Log: elementwise(undefined, Math.log),
  Max: elementwise(undefined, Math.max),
  Min: elementwise(undefined, Math.min),
  Mod: elementwise(undefined, (a, b) => a % b!),
  Mul: elementwise(undefined, (a, b) => a * b),
  Neg: elementwise(undefined, (v) => -v),
  Not: elementwise(bool, (v) => 1 - v),
  Or: elementwise(bool, (a, b) => a | b),
  Pow: elementwise(undefined, (a, b) => a ** b),
  Reciprocal: elementwise(undefined, (v) => 1 / v),
  Relu: elementwise(undefined, (v) => Math.max(v, 0)),
  Sigmoid: elementwise(undefined, (v) => 1 / (1 + Math.exp(-v))),
  Sin: elementwise(undefined, Math.sin),
  Softplus: elementwise(undefined, (v) => Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)))),
  Sqrt: elementwise(undefined, Math.sqrt),
  Sub: elementwise(undefined, (a, b) => a - b),
  Tanh: elementwise(undefined, Math.tanh),
  Clip: elementwise(undefined, (v, low, high) => Math.min(Math.max(v, low!), high!)),
  Gelu: (x, a) => {
    if (a.text("approximate", "none") !== "none") throw new TypeError("an approximate Gelu");
    return elementwise(undefined, (v) => 0.5 * v * (1 + erf(v * Math.SQRT1_2)))(x);
  },
  Identity: ([x]) => [x!],
  Where: ([condition, yes, no]) => {
    if (condition!.type !== bool || yes!.type !== no!.type) throw new TypeError("types of Where");
    const shape = [condition!, yes!, no!].map((one) => one.shape).reduce(broadcast);
    const pick = (at: number[]) => readBroadcast(readBroadcast(condition!, at) ? yes! : no!, at);
    return [build(yes!.type, shape, pick)];
  },
  Cast: ([x], a) => {
    const type = a.int("to", 0);
    const to: Readonly<Record<number, (v: number) => number>> = {
      1: (v) => v,
      6: (v) => Math.trunc(v) | 0,
      7: Math.trunc,
      9: (v) => Number(v !== 0),
      12: (v) => Math.trunc(v) >>> 0,
    };
    return [{ type, shape: x!.shape, data: x!.data.map(to[type]!) }];
  },
  Reshape: ([x, shape]) => [{ ...x!, shape: numbers(shape) }],
  Expand: ([x, wanted]) => {
    const shape = broadcast(x!.shape, numbers(wanted));
    return [build(x!.type, shape, (at) => readBroadcast(x!, at))];
  },
  Transpose: ([x], a) => {
    const axes = a.ints("perm", []);
    const shape = axes.map((axis) => x!.shape[axis]!);
    return [
      build(x!.type, shape, (at) =>
        read(
          x!,
          axes.map((_, i) => at[axes.indexOf(i)]!),
        ),
      ),
    ];
  },
  Concat: (x, a) => {
    const axis = axisOf(x[0]!, a.int("axis", 0));
    const shape = x[0]!.shape.with(
      axis,
      x.reduce((sum, one) => sum + one!.shape[axis]!, 0),
    );
    return [
      build(x[0]!.type, shape, (at) => {
        let place = at[axis]!;
        const own = x.find((one) => {
          if (place < one!.shape[axis]!) return true;
          place -= one!.shape[axis]!;
          return false;
        });
        return read(own!, at.with(axis, place));
      }),
    ];
  },
  Slice: ([x, starts, ends, axes, steps]) => {
    const [from, to, along, by] = [starts, ends, axes, steps].map(numbers);
    const of = x!.shape.map((n, axis) => {
      const i = along!.indexOf(axis);
      return i < 0
        ? { start: 0, end: n, step: 1 }
        : { start: from![i]!, end: to![i]!, step: by![i]! };
    });
    const shape = of.map(({ start, end, step }) => Math.ceil((end - start) / step));
    const place = (at: number[]) => at.map((c, i) => of[i]!.start + c * of[i]!.step);
    return [build(x!.type, shape, (at) => read(x!, place(at)))];
  },
  Pad: ([x, pads, value], a) => {
    if (a.text("mode", "constant") !== "constant") throw new TypeError("the mode of Pad");
    if (value!.type !== x!.type) throw new TypeError("the type of Pad's value");
    const widths = numbers(pads);
    const rank = x!.shape.length;
    const shape = x!.shape.map((n, i) => widths[i]! + n + widths[rank + i]!);
    return [
      build(x!.type, shape, (at) => {
        const own = at.map((c, i) => c - widths[i]!);
        const inside = own.every((c, i) => c >= 0 && c < x!.shape[i]!);
        return inside ? read(x!, own) : value!.data[0]!;
      }),
    ];
  },
  Gather: ([x, indices], a) => {
    const axis = axisOf(x!, a.int("axis", 0));
    const rank = indices!.shape.length;
    const shape = [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)];
    return [
      build(x!.type, shape, (at) => {
        const i = read(indices!, at.slice(axis, axis + rank));
        if (i < 0 || i >= x!.shape[axis]!) throw new TypeError(`index ${i} of Gather`);
        return read(x!, [...at.slice(0, axis), i, ...at.slice(axis + rank)]);
      }),
    ];
  },
  GatherND: ([x, indices], a) => {
    if (a.int("batch_dims", 0) !== 1 || indices!.shape.at(-1) !== 1)
      throw new TypeError("another GatherND than of one axis behind one batch axis");
    const shape = [...indices!.shape.slice(0, -1), ...x!.shape.slice(2)];
    const rank = indices!.shape.length - 1;
    return [
      build(x!.type, shape, (at) => {
        const i = read(indices!, [...at.slice(0, rank), 0]);
        return read(x!, [at[0]!, i, ...at.slice(rank)]);
      }),
    ];
  },
  ReduceSum: (x, a) => [reduce(x, a, 0, (p, q) => p + q)],
  ReduceMax: (x, a) => [reduce(x, a, Number.NEGATIVE_INFINITY, Math.max)],
  ReduceMin: (x, a) => [reduce(x, a, Number.POSITIVE_INFINITY, Math.min)],
  TopK: ([x, count], a) => {
    const axis = axisOf(x!, a.int("axis", -1));
    const shape = x!.shape.with(axis, count!.data[0]!);
    const ranked = (at: number[]) =>
      lineThrough(x!, at, axis)
        .map((v, i) => [v, i] as const)
        .sort(([v, i], [u, j]) => u - v || i - j)[at[axis]!]!;
    return [build(x!.type, shape, (at) => ranked(at)[0]), build(7, shape, (at) => ranked(at)[1])];
  },
  Softmax: ([x], a) => {
    const axis = axisOf(x!, a.int("axis", -1));
    return [
      alongLines(x!, axis, (line) => {
        const most = Math.max(...line);
        const total = line.reduce((sum, v) => sum + Math.exp(v - most), 0);
        return line.map((v) => Math.exp(v - most) / total);
      }),
    ];
  },
  LayerNormalization: ([x, scale, shift], a) => {
    const axis = axisOf(x!, a.int("axis", -1));
    if (axis !== x!.shape.length - 1) throw new TypeError("several axes of LayerNormalization");
    const epsilon = a.float("epsilon", 1e-5);
    return [
      alongLines(x!, axis, (line) => {
        const center = line.reduce((p, q) => p + q, 0) / line.length;
        const variance = line.reduce((sum, v) => sum + (v - center) ** 2, 0) / line.length;
        const deviation = Math.sqrt(variance + epsilon);
        return line.map(
          (v, i) => ((v - center) / deviation) * scale!.data[i]! + (shift?.data[i] ?? 0),
        );
      }),
    ];
  },
  MatMul: ([a, b]) => [product(a!, b!)],
  Gemm: ([a, b, c], given) => {
    const turned = given.int("transB", 0) === 1;
    const right = turned ? operators.Transpose!([b], { ...given, ints: () => [1, 0] })[0]! : b!;
    return elementwise(undefined, (p, q) => p + q)([product(a!, right), c!]);
  },
  Conv: conv,
  Col2Im: col2im,
  Resize: resize,
};

function product(a: OnnxArray, b: OnnxArray): OnnxArray {
  const [rows, depth, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  if (b.shape.at(-2) !== depth) throw new TypeError(`MatMul of [${a.shape}] and [${b.shape}]`);
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return build(a.type, [...batch, rows, columns], (at) => {
    const [left, right] = [a, b].map((x) => {
      const lead = x.shape.slice(0, -2);
      const own = lead.map((n, i) => (n === 1 ? 0 : at[batch.length - lead.length + i]!));
      return flatten(lead, own) * x.shape.at(-2)! * x.shape.at(-1)!;
    });
    const [i, j] = at.slice(-2) as [number, number];
    let sum = 0;
    for (let k = 0; k < depth; k++)
      sum += a.data[left! + i * depth + k]! * b.data[right! + k * columns + j]!;
    return sum;
  });
}

function reduce(
  [x, axes]: readonly (OnnxArray | undefined)[],
  a: Given,
  neutral: number,
  combine: (p: number, q: number) => number,
): OnnxArray {
  if (a.int("keepdims", 1) !== 1) throw new TypeError("a reduction that drops axes");
  const over = numbers(axes).map((axis) => axisOf(x!, axis));
  const shape = x!.shape.map((n, i) => (over.includes(i) ? 1 : n));
  const data = new Float64Array(count(shape)).fill(neutral);
  const all = build(x!.type, x!.shape, (at) => {
    const i = flatten(
      shape,
      at.map((c, axis) => (over.includes(axis) ? 0 : c)),
    );
    data[i] = combine(data[i]!, read(x!, at));
    return 0;
  });
  return { type: all.type, shape, data };
}

const lineThrough = (x: OnnxArray, at: readonly number[], axis: number): number[] =>
  Array.from({ length: x.shape[axis]! }, (_, i) => read(x, at.with(axis, i)));

function alongLines(
  x: OnnxArray,
  axis: number,
  of: (line: readonly number[]) => readonly number[],
): OnnxArray {
  const known = new Map<number, readonly number[]>();
  return build(x.type, x.shape, (at) => {
    const key = flatten(x.shape, at.with(axis, 0));
    const line = known.get(key) ?? of(lineThrough(x, at, axis));
    known.set(key, line);
    return line[at[axis]!]!;
  });
}

/** By Kummer's series, whose terms are all positive. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
