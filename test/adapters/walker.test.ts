/** Every exported adapter holds what is asked of adapters: see verify/adapters/adapter.ts. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/lora.ts";
import { claims, openSample } from "../../verify/adapters/adapter.ts";
import { findAdapters, samplesOf } from "../../verify/adapters/exported.ts";

const found = await findAdapters();

describe("every adapter", () => {
  test.each(found.samples)("%s", async (_name, sample) => {
    const subject = await openSample(sample);
    for (const { claim, check } of claims)
      await check(subject).catch((error) => {
        throw new TypeError(`not so: ${claim}`, { cause: error });
      });
  });

  test("is exported and has a sample", () => {
    expect(found.missing).toEqual([]);
    expect(found.samples.length).toBeGreaterThan(10);
  });
});

describe("what a new adapter lacks is said", () => {
  const ia3 = () => lora();
  test.each([
    [{ ia3 }, {}, "adapters/ia3.ts: ia3 is not exported: add it to adapters/index.ts"],
    [
      { ia3 },
      { ia3 },
      "adapters/ia3.ts: ia3 has no sample: export const tests: AdapterTests = { ia3: [{ adapter: () => ia3() }] }",
    ],
    [{}, {}, "adapters/ia3.ts: it defines an adapter, but exports none"],
    [
      { ia3, tests: { ia3: [{ adapter: ia3 }], ia4: [{ adapter: ia3 }] } },
      { ia3 },
      "adapters/ia3.ts: it has samples of ia4, which it does not export",
    ],
  ])("%#", (exports, exported, words) => {
    expect(samplesOf([{ path: "adapters/ia3.ts", exports }], exported).missing).toContain(words);
  });
});
