/** What a step takes is a pure function of (seed, step, rank): nothing is repeated or skipped. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainOrder, positionsOf, shuffledOrder } from "../../../study/data/index.ts";
import { drawsFor } from "../../../study/data/random.ts";
import { refusal } from "../../support/weights-files.ts";

const inTurn = (count: number) => Array.from({ length: count }, (_, i) => i);

test("every epoch takes every item once, in an order of its own", () => {
  const order = shuffledOrder(50, 7);
  const epochs = [0, 1, 2].map((epoch) => inTurn(50).map((i) => order.itemAt(50 * epoch + i)));
  for (const epoch of epochs) expect([...epoch].sort((a, b) => a - b)).toEqual(inTurn(50));
  expect(new Set(epochs.map(String)).size).toBe(3);
  expect(epochs.map(String)).not.toContain(inTurn(50).join());
});

test("whoever asks, in any order, after any stop, gets the same items", () => {
  const places = [149, 3, 51, 50, 49, 0, 149, 12_345_678_901];
  const once = shuffledOrder(50, 7);
  const straight = places.map((place) => shuffledOrder(50, 7).itemAt(place));
  expect(places.map((place) => once.itemAt(place))).toEqual(straight);
  expect(places.map((place) => shuffledOrder(50, 8).itemAt(place))).not.toEqual(straight);
});

test("ranks and micro-steps share what one process would take", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 6 }),
      (step, ranks, batch) => {
        const whole = positionsOf({ step, batch: ranks * batch });
        const parts = inTurn(ranks).flatMap((rank) => positionsOf({ step, batch, rank, ranks }));
        expect(parts).toEqual(whole);
        expect(whole[0]).toBe(step * ranks * batch);
      },
    ),
  );
});

test("steps that do not divide an epoch go on into the next", () => {
  const order = shuffledOrder(5, 1);
  const taken = inTurn(5).flatMap((step) =>
    positionsOf({ step, batch: 3 }).map((position) => order.itemAt(position)),
  );
  for (const epoch of [0, 1, 2])
    expect(new Set(taken.slice(5 * epoch, 5 * epoch + 5)).size).toBe(5);
});

test("validation takes the items as they come", () => {
  expect(inTurn(7).map(plainOrder(3).itemAt)).toEqual([0, 1, 2, 0, 1, 2, 0]);
});

test("every place of an order is as likely for every item", () => {
  const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
  for (let seed = 0; seed < 2000; seed++) {
    const order = shuffledOrder(4, seed);
    for (let place = 0; place < 4; place++) counts[place]![order.itemAt(place)]!++;
  }
  // 500 each; a standard deviation is 19.
  for (const count of counts.flat()) expect(Math.abs(count - 500)).toBeLessThan(100);
});

test("draws differ in every part of their key, and stay within their bounds", () => {
  const keys = [[0], [1], [0, 0], [0, 1], [2 ** 32], [2 ** 40 + 1]];
  const firsts = keys.map((key) => drawsFor(...key).next());
  expect(new Set(firsts).size).toBe(keys.length);
  const draws = drawsFor(3);
  for (let i = 0; i < 1000; i++) {
    expect([0, 1, 2]).toContain(draws.below(3));
    const value = draws.between(-1, 2);
    expect(value >= -1 && value < 2).toBe(true);
  }
});

describe("E1010", () => {
  test.each<[string, () => unknown]>([
    ["rank 2 of 2", () => positionsOf({ step: 0, batch: 1, rank: 2, ranks: 2 })],
    ["batch of 0 items", () => positionsOf({ step: 0, batch: 0 })],
    ["step -1", () => positionsOf({ step: -1, batch: 1 })],
    ["step 0.5", () => positionsOf({ step: 0.5, batch: 1 })],
    ["a set of 0 items", () => shuffledOrder(0, 1)],
    ["a set of 0 items", () => plainOrder(0)],
  ])("%s", async (words, call) => {
    const error = await refusal(async () => call());
    expect(error.code).toBe("E1010");
    expect(error.message).toContain(words);
  });
});
