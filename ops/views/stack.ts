/**
 * stack(tensors): tensors of one shape along a new first axis. Parameters that are stacked lie side by
 * side in memory, so nothing is copied: a kernel binds them all as one buffer.
 */
import {
  apply,
  bounded,
  checkList,
  type ElementOp,
  isParameter,
  literal,
  refuse,
  sameShape,
  show,
  type Tensor,
} from "../../compiler/op-kit.ts";
import { concat } from "./concat.ts";
import { permute, op as permuteOp } from "./permute.ts";
import { reshape, op as reshapeOp } from "./reshape.ts";
import { slice, op as sliceOp } from "./slice.ts";

/** A kernel binds few buffers: more tensors than these are joined in groups. */
const most = 6;

export const op: ElementOp<null> = {
  name: "stack",
  kind: "element",
  cost: 1,
  joins: true,
  rules: [
    {
      name: "many tensors are stacked in groups",
      apply({ results: [y] }) {
        if (y!.node.op !== op) return undefined;
        const { inputs } = y!.node;
        if (inputs.length <= most || inputs.every(isParameter)) return undefined;
        const rows = inputs.map((x) => reshape(x, [1, ...x.shape]) as Tensor<"f32">);
        return [concat(rows, 0)];
      },
    },
  ],
  type: (inputs, _attrs, fail) => {
    const [first] = inputs;
    for (const x of inputs)
      if (x.dtype !== "f32" || !sameShape(x.shape, first!.shape))
        fail(`${show(first!)} and ${show(x)} do not stack`, "give f32 tensors of one shape");
    return [{ dtype: "f32", shape: [inputs.length, ...first!.shape] }];
  },
  element: ({ k, inputs, at: [which, ...at] }) => {
    const value = k.var("part", literal(0, "f32"));
    const c = k.let("c", bounded(which!, inputs.length - 1));
    // Branches, not selects: an element is computed by the one input that has it.
    for (const [i, x] of inputs.entries())
      k.if(c.eq(i), () => {
        value.set(x.at(...at));
      });
    return value.get;
  },
  reads: () => 1,
  vjp: ([g], { inputs }) =>
    inputs.map(({ shape }, i) => reshape(slice(g!, [[i, i + 1]]) as Tensor, shape)),
  tests: {
    samples: [
      {
        inputs: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        call: (a, b, c) => stack([a!, b!, c!]),
        outputs: [
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        ],
      },
      {
        claim: "one tensor gets an axis",
        inputs: [[7]],
        call: (a) => stack([a!]),
        outputs: [[[7]]],
      },
    ],
    cases: [
      {
        claim: "matrices of odd sizes",
        inputs: [{ shape: [3, 5] }, { shape: [3, 5] }, { shape: [3, 5] }],
        call: (...x) => stack(x as Tensor[]),
        smooth: true,
      },
    ],
  },
};

/**
 * The stack of equal views of tensors as a view of their stack: parameters can lie so. The slices of one
 * tensor, in their order, are that tensor.
 */
export function stackOfViews(tensors: readonly Tensor[], depth = 0): Tensor {
  const [first] = tensors;
  const { op: view, attrs } = first!.node;
  const isAlike = (t: Tensor) =>
    t.node.op === view && sameShape(t.node.inputs[0]?.shape ?? [], first!.node.inputs[0]!.shape);
  if (depth === deepest || !tensors.every((t) => t.node.inputs.length === 1 && isAlike(t)))
    return stack(tensors);
  const inner = () =>
    stackOfViews(
      tensors.map((t) => t.node.inputs[0]!),
      depth + 1,
    );
  const isSame = tensors.every((t) => JSON.stringify(t.node.attrs) === JSON.stringify(attrs));
  if (view === reshapeOp) {
    const whole = joined(tensors.map((t) => t.node.inputs[0]!)) ?? inner();
    return reshape(whole, [tensors.length, ...first!.shape]) as Tensor;
  }
  if (view === permuteOp && isSame) {
    const { axes } = attrs as { readonly axes: readonly number[] };
    return permute(inner(), [0, ...axes.map((axis) => axis + 1)]);
  }
  if (view === sliceOp && isSame) {
    const { start, size, step } = attrs as Cut;
    if (step.every((s) => s === 1))
      return slice(inner(), [[], ...start.map((s, i) => [s, s + size[i]!] as const)]);
  }
  return stack(tensors);
}

/** How many views around a tensor are looked through. */
const deepest = 64;

interface Cut {
  readonly start: readonly number[];
  readonly size: readonly number[];
  readonly step: readonly number[];
}

/** The tensor of which these are the slices along its first axis, one after another. */
function joined(tensors: readonly Tensor[]): Tensor | undefined {
  const whole = tensors[0]!.node.inputs[0];
  if (whole?.shape[0] !== tensors.length) return undefined;
  const isSlice = tensors.every(({ node: { op: view, attrs, inputs } }, i) => {
    if (view !== sliceOp || inputs[0] !== whole) return false;
    const { start, size } = attrs as Cut;
    const rest = (axis: number) => start[axis] === 0 && size[axis] === whole.shape[axis];
    return start[0] === i && size[0] === 1 && whole.shape.every((_, a) => a === 0 || rest(a));
  });
  return isSlice ? whole : undefined;
}

/** f32 tensors of one shape along a new first axis. Throws E101 for other dtypes, and shapes that differ. */
export function stack(tensors: readonly Tensor[]): Tensor<"f32"> {
  checkList("stack", [], "what is to be stacked", tensors);
  if (tensors.length === 0) refuse("stack", [], "there is nothing to stack", "give one or more");
  return apply(op, tensors, null)[0] as Tensor<"f32">;
}
