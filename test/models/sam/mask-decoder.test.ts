/** The mask decoder on several items at once equals the plain one, item by item. */
import { expect, test } from "vitest";
import { input, trace } from "../../../compiler/index.ts";
import { decodeMasks } from "../../../models/sam/mask-decoder.ts";
import { encodeGrid } from "../../../models/sam/prompt-encoder.ts";
import { samTensors } from "../../../models/sam/tensors.ts";
import { randomNumbers, relativeError } from "../../../verify/ops/evaluate.ts";
import { hashedLookup, runHashed } from "../../support/hashed-run.ts";
import { plainMasks, split } from "../../support/sam-plain.ts";
import { flat, oddSam, tinySam } from "../../support/sam-small.ts";

test.each([
  ["tiny", tinySam],
  ["odd", oddSam],
])("items have maps and prompts of their own: a %s SAM", async (_name, config) => {
  const { outChans, imageSize, patchSize } = config;
  const [items, slots, used] = [3, 4, 2];
  const cells = (imageSize / patchSize) ** 2;
  const graph = trace((p) => {
    const map = input("map", "f32", [items * cells, outChans]);
    const tokens = input("tokens", "f32", [items * slots, outChans]);
    const count = input("count", "i32", [1]);
    const position = encodeGrid(p.at("prompt_encoder"), config);
    const inputs = { map, position, prompts: { tokens, count } };
    const { logits, iou } = decodeMasks(p.at("mask_decoder"), inputs, config);
    return { logits, iou };
  }, {});
  const maps = Float64Array.from(randomNumbers(items * cells * outChans, 5));
  const prompts = Float64Array.from(randomNumbers(items * slots * outChans, 6));
  const found = await runHashed(graph, { map: maps, tokens: prompts, count: [used] });

  const at = hashedLookup(samTensors(config));
  const plain = Array.from({ length: items }, (_, item) => {
    const rows = split(maps, outChans).slice(item * cells, (item + 1) * cells);
    const own = split(prompts, outChans).slice(item * slots, item * slots + used);
    return plainMasks(config, at, rows, own);
  });
  expect(
    relativeError(
      found.logits!,
      plain.flatMap(({ masks }) => flat(masks)),
    ),
  ).toBeLessThan(1e-6);
  expect(
    relativeError(
      found.iou!,
      plain.flatMap(({ iou }) => [...iou]),
    ),
  ).toBeLessThan(1e-6);
});
