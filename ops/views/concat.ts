/** concat(tensors, axis): tensors one after another along an axis. */
import {
  apply,
  bounded,
  checkList,
  checkTensors,
  type DType,
  type ElementOp,
  literal,
  refuse,
  type Shape,
  show,
  type Tensor,
  type Value,
} from "../../compiler/op-kit.ts";
import { axisOf } from "./axes.ts";
import { slice } from "./slice.ts";

interface Attrs {
  readonly axis: number;
  /** Along the axis, of each input. */
  readonly sizes: readonly number[];
}

const isCertain = ({ expr }: Value): boolean => expr.kind === "lit" && expr.value !== 0;

export const op: ElementOp<Attrs> = {
  name: "concat",
  kind: "element",
  cost: 1,
  type: (inputs, { axis }, fail) => {
    const [first] = inputs;
    for (const x of inputs) {
      const fits =
        x.dtype === first!.dtype &&
        x.shape.length === first!.shape.length &&
        x.shape.every((n, i) => i === axis || n === first!.shape[i]);
      if (!fits)
        fail(
          `${show(first!)} and ${show(x)} do not join along axis ${axis}`,
          "dtypes and all other sizes must be equal",
        );
    }
    const size = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
    return [{ dtype: first!.dtype, shape: first!.shape.map((n, i) => (i === axis ? size : n)) }];
  },
  element: ({ k, inputs, at, attrs: { axis, sizes }, type }) => {
    const whole = at[axis]!;
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, n) => sum + n, 0));
    const isOf = (c: Value, i: number) => c.ge(starts[i]!).and(c.lt(starts[i]! + sizes[i]!));
    const element = (c: Value, i: number) => {
      const inside = bounded(c.sub(starts[i]!), sizes[i]! - 1);
      return inputs[i]!.at(...at.map((a, j) => (j === axis ? inside : a)));
    };
    const only = sizes.findIndex((_, i) => isCertain(isOf(whole, i)));
    if (only >= 0) return element(whole, only);
    const c = k.let("c", whole);
    const value = k.var("part", literal(0, type.dtype));
    // Branches, not selects: an element is computed by the one input that has it.
    for (let i = 0; i < sizes.length; i++) k.if(isOf(c, i), () => value.set(element(c, i)));
    return value.get;
  },
  reads: ({ sizes }, input) => sizes[input]! / sizes.reduce((a, b) => a + b, 0),
  vjp: ([g], { attrs: { axis, sizes } }) => {
    let start = 0;
    return sizes.map((size) => {
      const range = [start, start + size] as const;
      start += size;
      return slice(g!, [...Array.from({ length: axis }, () => [] as const), range]);
    });
  },
  note: (a) => `axis ${a.axis}: ${a.sizes.join(" + ")}`,
  tests: {
    samples: [
      {
        inputs: [
          [[1, 2]],
          [
            [3, 4],
            [5, 6],
          ],
        ],
        call: (a, b) => concat([a!, b!], 0),
        outputs: [
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        ],
      },
      {
        claim: "integers, along the last axis",
        inputs: [
          { dtype: "i32", data: [[1], [2]] },
          { dtype: "i32", data: [[3], [4]] },
        ],
        call: (a, b) => concat([a!, b!], -1),
        outputs: [
          {
            dtype: "i32",
            data: [
              [1, 3],
              [2, 4],
            ],
          },
        ],
      },
      {
        claim: "one tensor is itself",
        inputs: [[1, 2]],
        call: (a) => concat([a!], 0),
        outputs: [[1, 2]],
      },
      {
        claim: "more inputs than a kernel may bind",
        inputs: Array.from({ length: 15 }, (_, i) => [i]),
        call: (...x) => concat(x, 0),
        outputs: [Array.from({ length: 15 }, (_, i) => i)],
      },
      {
        claim: "conditions",
        inputs: [
          { dtype: "bool", data: [1, 0] },
          { dtype: "bool", data: [1] },
        ],
        call: (a, b) => concat([a!, b!], 0),
        outputs: [{ dtype: "bool", data: [1, 0, 1] }],
      },
    ],
    cases: [
      {
        claim: "three odd sizes along the middle axis",
        inputs: [{ shape: [3, 5, 7] }, { shape: [3, 1, 7] }, { shape: [3, 11, 7] }],
        call: (...x) => concat(x, 1),
        smooth: true,
      },
    ],
  },
};

/** `Valid` tells no more than this: tensors of one dtype. Sizes are checked at trace time. */
export function concat<D extends DType>(tensors: readonly Tensor<D, Shape>[], axis = 0): Tensor<D> {
  checkList("concat", [], "what is to be joined", tensors);
  checkTensors("concat", tensors);
  const first = tensors[0] ?? refuse("concat", [], "there is nothing to join", "give one or more");
  const along = axisOf("concat", first, axis);
  return join(tensors, along) as Tensor<D>;
}

/** A kernel binds few buffers, so many tensors are joined in groups. */
const most = 6;

function join(tensors: readonly Tensor[], axis: number): Tensor {
  if (tensors.length === 1) return tensors[0]!;
  if (tensors.length <= most)
    return apply(op, tensors, { axis, sizes: tensors.map((x) => x.shape[axis]!) })[0]!;
  const size = Math.max(most, Math.ceil(tensors.length / most));
  const groups = Array.from({ length: Math.ceil(tensors.length / size) }, (_, i) =>
    join(tensors.slice(i * size, (i + 1) * size), axis),
  );
  return join(groups, axis);
}
