/** Conv-LoRA's experts: fewer samples than the published chain computes, and the same results. */
import { describe, expect, test } from "vitest";
import { convLora, type Expert, lora, plainExpert } from "../../adapters/index.ts";
import { type Adapter, graphOf, input, type Tensor, trace } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { iota, permute, reshape, scaledConvolution, slice } from "../../ops/index.ts";
import { type Arrays, randomNumbers } from "../../verify/ops/evaluate.ts";
import { openGraph, scopeWith } from "../support/adapted-graphs.ts";
import { refusal } from "../support/weights-files.ts";

const scales = [1, 2, 3, 4, 5, 6, 7, 8];

/** Largest difference between the op and the published chain, in double precision. */
async function difference(
  [maps, channels, height, width]: readonly [number, number, number, number],
  each: number,
): Promise<number> {
  const map = input("map", "f32", [maps, channels, height, width]) as Tensor<"f32">;
  const count = scales.length;
  const weights = input("weights", "f32", [count, channels, each, 3, 3]) as Tensor<"f32">;
  const bias = input("bias", "f32", [count, channels]) as Tensor<"f32">;
  const plain = scales.map((scale, i) => {
    const weight = reshape(slice(weights, [[i, i + 1]]), [channels, each, 3, 3]);
    const own = reshape(slice(bias, [[i, i + 1]]), [channels]);
    return plainExpert(map, { scale, weight, bias: own } as Expert);
  });
  // Every map goes to every expert.
  const all = iota([maps, count], 1) as Tensor<"i32">;
  const options = { scales, groups: channels / each };
  const found = scaledConvolution(permute(map, [0, 2, 3, 1]), all, weights, bias, options);
  const outputs = [
    ...plain.map((tensor, i) => ({ name: `plain${i}`, tensor })),
    { name: "found", tensor: permute(found, [1, 0, 4, 2, 3]) as Tensor },
  ];
  const results = await (await openGraph(graphOf(outputs)))({
    map: randomNumbers(maps * channels * height * width, 1, [-2, 2]),
    weights: randomNumbers(count * channels * each * 9, 2),
    bias: randomNumbers(count * channels, 3),
  });
  const wanted = plain.flatMap((_, i) => results[`plain${i}`]!);
  expect(results.found!.length).toBe(wanted.length);
  return Math.max(...wanted.map((v, i) => Math.abs(v - results.found![i]!)));
}

describe("experts of scales 1 to 8 equal the published chain, borders included", () => {
  test("each channel by itself", async () => {
    expect(await difference([1, 2, 7, 7], 1)).toBeLessThan(5e-14);
  });

  test("channels mixed, on maps of a single row", async () => {
    expect(await difference([2, 2, 1, 4], 2)).toBeLessThan(5e-14);
  });
});

describe("a mixture", () => {
  const shape = { x: [3, 2, 2, 4], inputs: 4, outputs: 3 };

  /** A layer whose gate looks at one channel: what goes to which expert is in the arrays' hands. */
  const run = (experts: readonly number[], topK: number, arrays: Arrays) =>
    runWith(convLora({ rank: 2, alpha: 2, experts, topK }), arrays);

  async function runWith(adapter: Adapter, arrays: Arrays) {
    const scope = scopeWith(adapter);
    const graph = trace(
      (p) => ({
        y: linear(p, input("x", "f32", shape.x), shape.inputs, shape.outputs),
        ...Object.fromEntries([...scope.usage].map(([name, [flag]]) => [name, flag!])),
      }),
      {},
      scope,
    );
    return (await openGraph(graph))(arrays);
  }

  const arrays = (experts: number): Record<string, number[]> => ({
    x: randomNumbers(48, 1),
    weight: randomNumbers(12, 2),
    bias: randomNumbers(3, 3),
    lora_A: randomNumbers(8, 4),
    lora_B: randomNumbers(6, 5),
    "lora_moe_gating.w_gate": randomNumbers(2 * experts, 6, [-9, 9]),
    "lora_moe_gating.w_noise": randomNumbers(2 * experts, 7),
    ...Object.fromEntries(
      Array.from({ length: experts }).flatMap((_, i) => [
        [`lora_moe_experts.${i}.0.weight`, randomNumbers(36, 30 + i)],
        [`lora_moe_experts.${i}.0.bias`, randomNumbers(2, 40 + i)],
      ]),
    ),
  });

  test("of equal logits routes to the first expert, and calls the others unused", async () => {
    const given = { ...arrays(3), "lora_moe_gating.w_gate": Array<number>(6).fill(0) };
    const results = await run([3, 3, 3], 1, given);
    const used = [0, 1, 2].map((i) => results[`lora_moe_experts.${i}.0.weight`]);
    expect(used).toEqual([[1], [0], [0]]);
  });

  test("of equal experts is that expert, whichever two are chosen", async () => {
    const given = arrays(3);
    for (const i of [1, 2])
      for (const what of ["weight", "bias"])
        given[`lora_moe_experts.${i}.0.${what}`] = given[`lora_moe_experts.0.0.${what}`]!;
    const [alone, two] = [await run([3], 1, arrays(1)), await run([3, 3, 3], 2, given)];
    for (const [i, v] of two.y!.entries()) expect(v).toBeCloseTo(alone.y![i]!, 12);
  });

  test("without a gate adds up what all experts make of the map, and asks for no balance", async () => {
    const given = arrays(2);
    const only = (i: number) => ({
      ...arrays(1),
      "lora_moe_experts.0.0.weight": given[`lora_moe_experts.${i}.0.weight`]!,
      "lora_moe_experts.0.0.bias": given[`lora_moe_experts.${i}.0.bias`]!,
    });
    const all = convLora({ rank: 2, alpha: 2, experts: [1, 3], gate: false });
    const both = await runWith(all, given);
    const [first, second] = [await run([1], 1, only(0)), await run([3], 1, only(1))];
    // What goes past the experts, too, is in both.
    const plain = await runWith(lora({ rank: 2, alpha: 2 }), given);
    for (const [i, v] of both.y!.entries())
      expect(v).toBeCloseTo(first.y![i]! + second.y![i]! - plain.y![i]!, 12);
    expect(Object.keys(both)).toEqual(["y"]);
    const wrong = [{ gate: 1 as never }, { gate: false, topK: 1 }];
    for (const options of wrong)
      expect((await refusal(async () => convLora(options))).code).toBe("E134");
  });
});
