/** First values of parameters that no checkpoint has. */
import { describe, expect, test } from "vitest";
import type { Init } from "../../../compiler/index.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { initialValues } from "../../../runtime/weights/initial.ts";
import { openBytes, refusal } from "../../support/weights-files.ts";

const weights = await openBytes(
  writeSafetensors(
    new Map([
      [
        "base",
        {
          dtype: "f32",
          shape: [2, 2],
          data: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer),
        },
      ],
    ]),
    {},
  ),
);

const values = async (init: Init, name = "x", shape = [100, 200], seed = 1) => [
  ...(await initialValues({ name, shape, init }, seed, weights)),
];

const moments = (x: readonly number[]) => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return [mean, Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length)] as const;
};

describe("first values", () => {
  test("a constant", async () => {
    expect(await values({ kind: "constant", value: 3 }, "x", [2])).toEqual([3, 3]);
  });

  test.each([
    ["uniform", { kind: "uniform", bound: 0.5 }, 0, 0.5 / Math.sqrt(3), 0.5],
    ["normal", { kind: "normal", mean: 1, deviation: 0.02 }, 1, 0.02, 1.2],
    ["truncated normal", { kind: "truncated normal", deviation: 1 }, 0, 0.88, 2],
  ] as const)("%s has its mean, deviation and range", async (_, init, mean, deviation, most) => {
    const x = await values(init);
    const [m, d] = moments(x);
    expect(Math.abs(m - mean)).toBeLessThan(0.03 * deviation);
    expect(Math.abs(d / deviation - 1)).toBeLessThan(0.03);
    expect(Math.max(...x.map(Math.abs))).toBeLessThanOrEqual(most);
  });

  test("depend on the seed and the name alone", async () => {
    const init = { kind: "uniform", bound: 1 } as const;
    const first = await values(init, "x", [5]);
    expect(await values(init, "x", [5])).toEqual(first);
    expect(await values(init, "y", [5])).not.toEqual(first);
    expect(await values(init, "x", [5], 2)).not.toEqual(first);
  });

  test("a copy repeats rows, cuts them, or takes the first few", async () => {
    const copy = (shape: number[], rows?: number) =>
      values({ kind: "copy", from: "base", ...(rows ? { rows } : {}) }, "x", shape);
    expect(await copy([2, 2])).toEqual([1, 2, 3, 4]);
    expect(await copy([3, 2])).toEqual([1, 2, 3, 4, 1, 2]);
    expect(await copy([1, 2])).toEqual([1, 2]);
    expect(await copy([3, 2], 1)).toEqual([1, 2, 1, 2, 1, 2]);
  });

  test("E430 where there is nothing to copy, or nothing said", async () => {
    const missing = () => values({ kind: "copy", from: "gone" });
    expect((await refusal(missing)).code).toBe("E430");
    const unsaid = () => initialValues({ name: "x", shape: [1] }, 1, weights);
    expect((await refusal(unsaid)).code).toBe("E430");
  });
});
