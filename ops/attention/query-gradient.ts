/**
 * attentionQueryGradient: the gradient of attention's queries, and of the relative terms that every
 * query adds to the scores of a grid row and of a grid column. Definition: attention-backward-definition.ts.
 */
import { apply, gradient, type KernelOp, type Tensor, type Tests } from "../../compiler/op-kit.ts";
import {
  type BackwardAttrs,
  backwardTypes,
  composedBackward,
  plainBackward,
  type Wanted,
} from "./backward-definition.ts";
import { subgroupQueryForm } from "./backward-subgroup.ts";
import { queryForms } from "./tiled.ts";

const plain: BackwardAttrs = {
  scale: 1,
  extras: [],
  grid: undefined,
  causal: undefined,
  wanted: ["query"],
};

const tests: Tests = {
  samples: [
    {
      claim: "a query moves towards the key whose value is wanted",
      inputs: [[[[[0]]]], [[[[1], [3]]]], [[[[2], [4]]]], [[[[1]]]], [[[[0, Math.log(2), 3]]]]],
      call: (...inputs) => apply(op, inputs, plain)[0]!,
      outputs: [[[[[1]]]]],
    },
  ],
  cases: [
    {
      claim: "odd token counts, values of another depth",
      inputs: backwardInputs([2, 1, 19, 6], 37, 3),
      call: (...inputs) => apply(op, inputs, { ...plain, scale: 0.4 })[0]!,
      smooth: true,
    },
    {
      claim: "a mask, lengths and causal",
      inputs: [
        ...backwardInputs([2, 2, 19, 6], 37, 3),
        { shape: [2, 2, 19, 37], dtype: "bool" },
        { shape: [2], dtype: "i32", range: [0, 37] },
      ],
      call: (...inputs) =>
        queryGradient(inputs, {
          ...plain,
          extras: ["mask", "lengths"],
          causal: { offset: 2, queries: 19 },
        }),
      smooth: true,
    },
    {
      claim: "a mask of keys beside a bias",
      inputs: [
        ...backwardInputs([1, 2, 9, 4], 11, 4),
        { shape: [1, 2, 9, 11] },
        { shape: [1, 2, 1, 11], dtype: "bool" },
      ],
      call: (...inputs) => queryGradient(inputs, { ...plain, extras: ["bias", "mask"] }),
      smooth: true,
    },
    {
      claim: "relative terms of an odd grid",
      inputs: [...backwardInputs([1, 2, 15, 8], 15, 8), { shape: [2, 5, 2, 5, 5] }],
      call: (...inputs) => queryGradient(inputs, { ...plain, extras: ["relative"], grid: [3, 5] }),
      smooth: true,
    },
    {
      claim: "a bias beside relative terms, in two kernels",
      inputs: [
        ...backwardInputs([1, 1, 18, 4], 18, 4),
        { shape: [1, 1, 18, 18] },
        { shape: [2, 9, 1, 9, 9] },
      ],
      call: (...inputs) =>
        queryGradient(inputs, { ...plain, extras: ["bias", "relative"], grid: [2, 9] }),
      smooth: true,
    },
  ],
};

export const op: KernelOp<BackwardAttrs> = {
  name: "attentionQueryGradient",
  kind: "kernel",
  type: backwardTypes,
  forms: [subgroupQueryForm, ...queryForms],
  // 2: in workgroup memory they are tile programs; relative terms are an input.
  version: 2,
  oracle: plainBackward,
  spelled: 16,
  work(inputs) {
    const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
    const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
    return batch * heads * queries * keys * (2 * depth + out);
  },
  vjp: (cotangents, { inputs, attrs }) => secondOrder(cotangents, inputs, attrs),
  note: ({ wanted }) => wanted.join(" and "),
  tests,
};

/**
 * The gradients of the query and, on a grid, of the relative terms, from the operands that
 * `backwardOperands` names. With a bias beside relative terms they take a kernel each.
 */
export function queryGradient(inputs: readonly Tensor[], attrs: Omit<BackwardAttrs, "wanted">) {
  const wanted: readonly Wanted[] = attrs.grid ? ["query", "relative"] : ["query"];
  return gradientNodes(op, inputs, attrs, wanted);
}

/** One node for all wanted results; one for each where it would bind more than eight buffers. */
export function gradientNodes(
  of: KernelOp<BackwardAttrs>,
  inputs: readonly Tensor[],
  attrs: Omit<BackwardAttrs, "wanted">,
  wanted: readonly Wanted[],
): Tensor[] {
  if (attrs.extras.length + wanted.length <= 3) return apply(of, inputs, { ...attrs, wanted });
  return wanted.map((one) => apply(of, inputs, { ...attrs, wanted: [one] })[0]!);
}

/** The derivative of a gradient op is that of its definition. */
export function secondOrder(
  cotangents: readonly (Tensor | undefined)[],
  inputs: readonly Tensor[],
  attrs: BackwardAttrs,
): (Tensor | undefined)[] {
  const composed = composedBackward(inputs, attrs);
  const arrived = attrs.wanted.flatMap((name, i) => {
    const g = cotangents[i];
    return g ? [[composed[name](), g] as const] : [];
  });
  return gradient(
    arrived.map(([result]) => result),
    arrived.map(([, g]) => g),
    inputs,
  );
}

/** Random operands; the first statistic is about what it is where scores are small. */
export function backwardInputs(query: readonly number[], keys: number, out: number) {
  const [batch, heads, queries, depth] = query as [number, number, number, number];
  return [
    { shape: query },
    { shape: [batch, heads, keys, depth] },
    { shape: [batch, heads, keys, out] },
    { shape: [batch, heads, queries, out] },
    { shape: [batch, heads, queries, 3] },
  ];
}
