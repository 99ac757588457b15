/** The table of `inarch params`. */
import { expect, test } from "vitest";
import { describeCounts } from "../../cli/params.ts";
import type { MethodRow } from "../../training/forecast/parameters.ts";

const row = (
  method: string,
  [vit_b, vit_l, vit_h]: readonly [number, number, number],
  published?: MethodRow["published"],
): MethodRow => {
  const count = (trainable: number) => ({ trainable, total: 8e7, share: trainable / 8e7 });
  const counts = { vit_b: count(vit_b), vit_l: count(vit_l), vit_h: count(vit_h) };
  return { method, model: "semantic-sam", counts, ...(published ? { published } : {}) };
};

test("the paper's counts stand beside ours, and what it counts otherwise below", () => {
  const text = describeCounts([
    row("lora", [3_616_128, 3_800_448, 3_997_056], { millions: 4, reproduced: true }),
    row("lst", [5_881_836, 11_676_184, 20_372_288], { millions: 11.49, reproduced: false }),
    row("ta-lora", [13_445_180, 15_521_996, 17_717_548]),
  ]);
  expect(text).toMatch(/^lora +3,616,128 +4.52 % +3,800,448 +4.75 % +3,997,056 +5.00 % +4.00 M$/m);
  expect(text).toMatch(/^lst .* 20,372,288 +25.47 % +11.49 M \*$/m);
  expect(text).toMatch(/^ta-lora .* 15,521,996 +19.40 % +17,717,548 +22.15 %$/m);
  expect(text).toContain(
    "* lst: the paper prints 11.49 M for ViT-H; by its formulas there are 20,372,288.",
  );
  for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
});
