/**
 * attentionKeyValueGradient: the gradients of attention's keys and values. A thread owns keys, so
 * nothing is added up between threads. Definition: attention-backward-definition.ts.
 */
import { apply, type KernelOp, type Tensor, type Tests } from "../../compiler/op-kit.ts";
import { type BackwardAttrs, backwardTypes, plainBackward } from "./backward-definition.ts";
import { subgroupKeyValueForm } from "./backward-subgroup.ts";
import { backwardInputs, gradientNodes, secondOrder } from "./query-gradient.ts";
import { keyValueForms } from "./tiled.ts";

const plain = { scale: 1, extras: [], grid: undefined, causal: undefined } as const;

const tests: Tests = {
  samples: [
    {
      claim: "equal keys share the weight, and part towards the wanted value",
      inputs: [[[[[2]]]], [[[[1], [1]]]], [[[[2], [4]]]], [[[[1]]]], [[[[2, Math.log(2), 3]]]]],
      call: (...inputs) => keyValueGradient(inputs, plain),
      outputs: [[[[[-1], [1]]]], [[[[0.5], [0.5]]]]],
    },
  ],
  cases: [
    {
      claim: "odd token counts, values of another depth",
      inputs: backwardInputs([2, 1, 37, 6], 19, 3),
      call: (...inputs) => keyValueGradient(inputs, { ...plain, scale: 0.4 }),
      smooth: true,
    },
    {
      claim: "a mask, lengths and causal",
      inputs: [
        ...backwardInputs([2, 2, 37, 6], 19, 3),
        { shape: [2, 2, 37, 19], dtype: "bool" },
        { shape: [2], dtype: "i32", range: [0, 19] },
      ],
      call: (...inputs) =>
        keyValueGradient(inputs, {
          ...plain,
          extras: ["mask", "lengths"],
          causal: { offset: 2, queries: 37 },
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
      call: (...inputs) => keyValueGradient(inputs, { ...plain, extras: ["bias", "mask"] }),
      smooth: true,
    },
    {
      claim: "relative terms of an odd grid",
      inputs: [...backwardInputs([1, 2, 15, 8], 15, 8), { shape: [2, 5, 2, 5, 5] }],
      call: (...inputs) =>
        keyValueGradient(inputs, { ...plain, extras: ["relative"], grid: [3, 5] }),
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
        keyValueGradient(inputs, { ...plain, extras: ["bias", "relative"], grid: [2, 9] }),
      smooth: true,
    },
    {
      claim: "the values' alone",
      inputs: backwardInputs([1, 1, 9, 4], 11, 4),
      call: (...inputs) => apply(op, inputs, { ...plain, wanted: ["value"] })[0]!,
      smooth: true,
    },
  ],
};

export const op: KernelOp<BackwardAttrs> = {
  name: "attentionKeyValueGradient",
  kind: "kernel",
  type: backwardTypes,
  forms: [subgroupKeyValueForm, ...keyValueForms],
  // 2: in workgroup memory they are tile programs; relative terms are an input.
  version: 2,
  oracle: plainBackward,
  spelled: 16,
  work(inputs) {
    const [batch, heads, queries, depth] = inputs[0]!.shape as [number, number, number, number];
    const [, , keys, out] = inputs[2]!.shape as [number, number, number, number];
    return 2 * batch * heads * queries * keys * (depth + out);
  },
  vjp: (cotangents, { inputs, attrs }) => secondOrder(cotangents, inputs, attrs),
  note: ({ wanted }) => wanted.join(" and "),
  tests,
};

/**
 * The gradients of keys and values, from the operands that `backwardOperands` names. With a bias
 * beside relative terms they take a kernel each.
 */
export const keyValueGradient = (
  inputs: readonly Tensor[],
  attrs: Omit<BackwardAttrs, "wanted">,
): Tensor[] => gradientNodes(op, inputs, attrs, ["key", "value"]);
