/** The checks of adapters are not blind: each finds the fault that it is for. */
import { describe, expect, test } from "vitest";
import { defineAdapter, lora } from "../../../adapters/index.ts";
import type { AdapterSample } from "../../../adapters/samples.ts";
import type { Site, Tensor } from "../../../compiler/index.ts";
import { ones } from "../../../compiler/index.ts";
import { InarchError } from "../../../diagnostics/index.ts";
import { add, mul, relu, stopGradient } from "../../../ops/index.ts";
import { claims, openSample } from "../../../verify/adapters/adapter.ts";

type Rows = Tensor<"f32">;

/** An adapter that does something to what the head gives. */
const changing = (change: (y: Rows, site: Site) => Rows, more: object = {}): AdapterSample => ({
  adapter: () =>
    defineAdapter({ name: "changing", linear: (site, x, base) => change(base(x), site) }),
  where: "head",
  ...more,
});

const gain = ({ own }: Site): Rows => own.f32("gain", [5], { init: ones });

/** The number of the first claim that does not hold, and how it is said. */
async function fault(sample: AdapterSample) {
  const subject = await openSample(sample);
  for (const [claim, { check }] of claims.entries())
    try {
      await check(subject);
    } catch (error) {
      if (error instanceof InarchError) return [claim, error.code, error.details.message];
      throw error;
    }
  return [];
}

describe("a fault is found", () => {
  let calls = 0;
  test.each<[string, AdapterSample, number, string, string]>([
    [
      "a factor that the gradient does not see",
      changing((y, site) => mul(y, mul(gain(site), stopGradient(gain(site))))),
      0,
      "E170",
      "but differences give",
    ],
    [
      "another result each time that it is traced",
      changing((y, site) => mul(y, mul(gain(site), 1 + calls++))),
      2,
      "E170",
      "a session from the base and the file computes another y than training",
    ],
    [
      "what cannot be merged, unless the sample says so",
      changing((y, site) => add(y, mul(relu(y), gain(site)))),
      3,
      "E160",
      "cannot be merged",
    ],
    [
      "what is merged although the sample says that it is refused",
      { adapter: () => lora({ rank: 2 }), where: "head", unmergeable: "E160" },
      3,
      "E170",
      "merging is not refused with E160, as the sample says",
    ],
    [
      "what is exported although the sample says that it is refused",
      { adapter: () => lora({ rank: 2 }), where: "head", unexportable: "E800" },
      4,
      "E170",
      "the export to ONNX is not refused with E800, as the sample says",
    ],
  ])("%s", async (_fault, sample, claim, code, words) => {
    expect(await fault(sample)).toEqual([claim, code, expect.stringContaining(words)]);
  });
});
