/** What the published methods train on the published SAMs, exactly. */
import { beforeAll, expect, test } from "vitest";
import { countMethods, type MethodRow } from "../../../training/forecast/parameters.ts";

let rows: MethodRow[];
beforeAll(() => {
  rows = countMethods();
});

/** On ViT-B, L and H. */
const counts = {
  "decoder-only": [3_505_536, 3_505_536, 3_505_536],
  bitfit: [3_608_192, 3_777_408, 3_957_888],
  adapter: [3_597_744, 3_751_392, 3_915_264],
  "vpt-deep": [3_616_128, 3_800_448, 3_997_056],
  lst: [5_881_836, 11_676_184, 20_372_288],
  "sam-adapter": [3_645_216, 3_786_752, 3_980_576],
  ssf: [3_709_824, 4_048_256, 4_409_216],
  lora: [3_616_128, 3_800_448, 3_997_056],
  "conv-lora": [3_624_768, 3_817_728, 4_020_096],
  "vpt-shallow": [3_514_752, 3_517_824, 3_520_896],
  pfeiffer: [4_695_168, 6_677_376, 8_791_424],
  "layer-norm": [3_542_400, 3_603_840, 3_669_376],
  "ta-lora": [13_445_180, 15_521_996, 17_717_548],
};

test("every method is counted exactly on every model", () => {
  const found = rows.map(({ method, counts: { vit_b, vit_l, vit_h } }) => [
    method,
    [vit_b.trainable, vit_l.trainable, vit_h.trainable],
  ]);
  expect(Object.fromEntries(found)).toEqual(counts);
});

test("the share is of the whole checkpoint with the adapter", () => {
  const find = (name: string) => rows.find(({ method }) => method === name)!.counts;
  expect(find("decoder-only").vit_h.total).toBe(641_090_608);
  expect(find("lora").vit_h.total).toBe(641_090_608 + 491_520);
  expect(find("ta-lora").vit_l.total).toBe(323_707_928);
  expect(find("conv-lora").vit_h.share).toBe(4_020_096 / (641_090_608 + 514_560));
});

test("published counts that the formulas do not give are marked", () => {
  const others = rows.flatMap(({ method, published }) =>
    published && !published.reproduced ? [[method, published.millions]] : [],
  );
  expect(others).toEqual([
    ["lst", 11.49],
    ["ssf", 4.42],
  ]);
});
