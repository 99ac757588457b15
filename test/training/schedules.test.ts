/** Learning rate schedules: the factor of each update. */
import { describe, expect, test } from "vitest";
import { rateAt, type Schedule } from "../../training/schedules.ts";

const half = Math.SQRT1_2;

const known: readonly [claim: string, Schedule, Readonly<Record<number, number>>][] = [
  ["constant", { kind: "constant" }, { 0: 1, 1000: 1 }],
  [
    "the rate warms up from 0 in a straight line",
    { kind: "constant", warmup: 4 },
    { 0: 0, 1: 0.25, 3: 0.75, 4: 1, 99: 1 },
  ],
  [
    "linear falls to 0 and stays there",
    { kind: "linear", steps: 10 },
    { 0: 1, 3: 0.7, 9: 0.1, 10: 0, 11: 0 },
  ],
  [
    "linear falls over what the warm-up leaves",
    { kind: "linear", steps: 10, warmup: 2 },
    { 0: 0, 1: 0.5, 2: 1, 6: 0.5, 10: 0 },
  ],
  [
    "polynomial is lr (1 - step / steps)^power",
    { kind: "polynomial", steps: 8, power: 0.9 },
    { 0: 1, 2: 0.75 ** 0.9, 7: 0.125 ** 0.9, 8: 0 },
  ],
  [
    "polynomial of power 1 is linear",
    { kind: "polynomial", steps: 10, power: 1 },
    { 0: 1, 3: 0.7, 10: 0 },
  ],
  [
    "cosine is half a wave",
    { kind: "cosine", steps: 8 },
    { 0: 1, 2: (1 + half) / 2, 4: 0.5, 6: (1 - half) / 2, 8: 0, 9: 0 },
  ],
  [
    "cosine ends at its floor",
    { kind: "cosine", steps: 9, warmup: 1, floor: 0.1 },
    { 0: 0, 1: 1, 5: 0.55, 9: 0.1, 50: 0.1 },
  ],
  [
    "stepwise falls at once",
    { kind: "stepwise", every: 3, factor: 0.1 },
    { 0: 1, 2: 1, 3: 0.1, 5: 0.1, 6: 0.01 },
  ],
  ["a run that is all warm-up", { kind: "linear", steps: 3, warmup: 3 }, { 0: 0, 2: 2 / 3, 3: 0 }],
];

describe("schedules", () => {
  test.each(known)("%s", (_, schedule, factors) => {
    const saved = JSON.parse(JSON.stringify(schedule)) as Schedule;
    for (const [step, factor] of Object.entries(factors))
      expect(rateAt(saved, Number(step)), `step ${step}`).toBeCloseTo(factor, 12);
  });

  test.each<[claim: string, schedule: Schedule, step: number, words: RegExp]>([
    ["no steps", { kind: "linear", steps: 0 }, 0, /E720.*"linear": steps is 0/s],
    ["a negative power", { kind: "polynomial", steps: 9, power: -1 }, 0, /E720.*power is -1/s],
    ["half a warm-up", { kind: "constant", warmup: 0.5 }, 0, /E720.*warmup is 0.5.*whole/s],
    ["a rising step", { kind: "stepwise", every: 2, factor: 3 }, 0, /E720.*factor is 3/s],
    ["a floor above 1", { kind: "cosine", steps: 2, floor: 2 }, 0, /E720.*floor is 2/s],
    ["a step before the first", { kind: "constant" }, -1, /E720.*step is -1/s],
    [
      "an unknown kind",
      { kind: "exponential" } as unknown as Schedule,
      0,
      /E721.*"exponential".*the kinds are constant, linear/s,
    ],
  ])("refuses %s", (_, schedule, step, words) => {
    expect(() => rateAt(schedule, step)).toThrow(words);
  });
});
