/** Runs that store large tensors in 16 bits. */
import { expect, test } from "vitest";
import type { RunForecast } from "../../../study/train/node/forecast.ts";
import { train } from "../../../study/train/node/train.ts";
import { tinyRuns } from "../../support/tiny-run.ts";

const { request } = await tinyRuns(4);

async function lossesIn(precision: "f32" | "mixed" | "bf16") {
  const losses: number[] = [];
  let bytes = 0;
  await train({
    ...request(precision, { settings: { precision, steps: 4, validateEvery: 4 } }),
    onForecast: ({ device }: RunForecast) => {
      bytes = device.total;
    },
    onLine: (line) => {
      if ("loss" in line) losses.push(line.loss);
    },
  });
  return { losses, bytes };
}

test("learn what those in singles learn, in less memory", async () => {
  const single = await lossesIn("f32");
  for (const precision of ["mixed", "bf16"] as const) {
    const narrow = await lossesIn(precision);
    expect(narrow.bytes).toBeLessThan(single.bytes);
    expect(narrow.losses).not.toEqual(single.losses);
    expect(narrow.losses).toHaveLength(4);
    for (const [step, loss] of narrow.losses.entries())
      expect(Math.abs(loss / single.losses[step]! - 1)).toBeLessThan(0.02);
  }
});
