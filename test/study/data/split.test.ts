/** Parts of a set hold every item once, and are drawn by the seed alone. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { foldsOf, holdOut, type Samples, subsetOf } from "../../../study/data/index.ts";
import { refusal } from "../../support/weights-files.ts";

const inTurn = (count: number) => Array.from({ length: count }, (_, i) => i);
const sorted = (items: readonly number[]) => [...items].sort((a, b) => a - b);

test("what is held out and what stays are the set, and neither is empty", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 60 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      fc.nat(9),
      (items, part, seed) => {
        const { training, validation } = holdOut(items, part, seed);
        expect(sorted([...training, ...validation])).toEqual(inTurn(items));
        expect([training, validation]).toEqual([sorted(training), sorted(validation)]);
        const wanted = Math.min(items - 1, Math.max(1, Math.round(part * items)));
        expect(validation.length).toBe(wanted);
        expect(holdOut(items, part, seed).validation).toEqual(validation);
      },
    ),
  );
  const seeds = inTurn(6).map((seed) => holdOut(40, 0.2, seed).validation.join());
  expect(new Set(seeds).size).toBe(6);
});

test("folds hold every item out once", () => {
  for (const [items, folds] of [
    [10, 3],
    [4, 4],
    [25, 2],
  ] as const) {
    const all = foldsOf(items, folds, 5);
    expect(sorted(all.flatMap(({ validation }) => validation))).toEqual(inTurn(items));
    const lengths = all.map(({ validation }) => validation.length);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
    for (const { training, validation } of all)
      expect(sorted([...training, ...validation])).toEqual(inTurn(items));
  }
});

test("a subset reads the items of the set, and sees them as it does", async () => {
  const asked: unknown[] = [];
  const samples = {
    size: 5,
    tasks: {},
    read: async (item: number) => asked.push(item),
    view: async (item: number) => asked.push(`view ${item}`),
  } as unknown as Samples;
  const subset = subsetOf(samples, [4, 1]);
  expect(subset.size).toBe(2);
  await subset.read(1);
  await subset.view!(0, {} as never);
  expect(asked).toEqual([1, "view 4"]);
  expect(subsetOf({ ...samples, view: undefined } as unknown as Samples, [0]).view).toBeUndefined();
});

describe("E1011", () => {
  test.each<[string, string, () => unknown]>([
    ["one item is too few to hold out", "--val-pictures", () => holdOut(1, 0.5)],
    ["0 items are too few", "give more pictures", () => holdOut(0, 0.5)],
    ["1 is no part of a set", "hold out 0.2", () => holdOut(5, 1)],
    ["NaN is no part", "hold out 0.2", () => holdOut(5, Number.NaN)],
    ["3 items are too few to make 4 folds of", "fewer folds", () => foldsOf(3, 4)],
    ["there are no 1 folds", "2 folds or more", () => foldsOf(3, 1)],
  ])("%s", async (words, help, call) => {
    const error = await refusal(async () => call());
    expect(error.code).toBe("E1011");
    expect(error.message).toContain(words);
    expect(error.details.help).toContain(help);
  });
});
