/** Metrics of maps and counts: by hand, against plain code, streamed, with pixels that do not count. */
import { describe, expect, test } from "vitest";
import type { InarchError } from "../../../diagnostics/index.ts";
import {
  attentionDistance,
  attentionDistances,
  type BinaryMaps,
  binaryScores,
  binarySummary,
  confusion,
  depthErrors,
  improvement,
  labelsOfLogits,
  nearestInside,
  normalErrors,
  sMeasure,
} from "../../../study/metrics/index.ts";

/** Numbers below 1, the same at every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const mask = (text: string) => [...text.replace(/\s/g, "")].map((c) => (c === "#" ? 1 : 0));

describe("counts", () => {
  const counts = confusion(4, { ignore: 255 });
  counts.add([0, 0, 1, 1, 2, 0], [0, 1, 1, 1, 0, 255]);
  const scores = counts.scores();

  test("give every class its numbers", () => {
    expect(scores.classes[0]).toEqual({
      ...{ pixels: 2, iou: 1 / 3, dice: 2 / 4, precision: 1 / 2, recall: 1 / 2 },
    });
    expect(scores.classes[1]).toMatchObject({ pixels: 3, iou: 2 / 3, recall: 2 / 3, precision: 1 });
    expect(scores.accuracy).toBe(3 / 5);
  });

  test("leave a class that is nowhere out of the means, and say so", () => {
    expect(scores.classes[3]).toEqual({
      ...{ pixels: 0, iou: undefined, dice: undefined, precision: undefined, recall: undefined },
    });
    // Predicted and nowhere true: 0.
    expect(scores.classes[2]).toMatchObject({ iou: 0, recall: undefined });
    expect(scores.meanIou).toEqual({ value: (1 / 3 + 2 / 3 + 0) / 3, of: 3, undefined: 1 });
    expect(scores.meanAccuracy).toEqual({ value: (1 / 2 + 2 / 3) / 2, of: 2, undefined: 2 });
    expect(scores.ber).toBeUndefined();
  });

  test("are the same for all pictures at once and one after another, here and elsewhere", () => {
    const next = numbers(3);
    const labels = () => Int32Array.from({ length: 60 }, () => Math.floor(next() * 3));
    const pictures = Array.from({ length: 4 }, () => [labels(), labels()] as const);
    const [all, here, there] = [confusion(3), confusion(3), confusion(3)];
    for (const [i, [p, t]] of pictures.entries()) {
      all.add(p, t);
      (i % 2 ? here : there).add(p, t);
    }
    here.addCounts(there.counts);
    expect(here.scores()).toEqual(all.scores());
    const { ber, meanAccuracy } = all.scores();
    expect(ber).toBe(1 - meanAccuracy.value!);
  });

  test("of no pixels are undefined", () => {
    const { accuracy, meanIou, ber } = confusion(2).scores();
    expect([accuracy, ber]).toEqual([undefined, undefined]);
    expect(meanIou).toEqual({ value: undefined, of: 0, undefined: 2 });
  });

  test("the first of equal logits is the class", () => {
    expect([...labelsOfLogits([0, 5, 1, 0, 5, 2, 0, 6, 1], 3)]).toEqual([0, 2, 1]);
  });
});

describe("masks", () => {
  const maps = (probabilities: number[], target: number[], ignore?: number): BinaryMaps => ({
    ...{ width: probabilities.length, height: 1, probabilities, target, ignore },
  });

  test("are cut at their thresholds", () => {
    // 125 / 255 = 0.4902: below 0.5, and above BER's threshold.
    const scores = binaryScores(maps([0.495, 1, 0.6, 0], [1, 1, 0, 0]));
    expect(scores).toMatchObject({ iou: 1 / 3, dice: 1 / 2, accuracy: 1 / 2, ber: 1 / 4 });
  });

  test("of an empty target have no IoU, and BER needs both", () => {
    const empty = binaryScores(maps([0, 1], [0, 0]));
    expect(empty).toMatchObject({ iou: undefined, dice: undefined, ber: undefined, weightedF: 0 });
    expect(empty.accuracy).toBe(1 / 2);
    expect(binaryScores(maps([0, 1], [1, 1]))).toMatchObject({ iou: 1 / 2, ber: undefined });
  });

  test("what is undefined is counted beside the mean", () => {
    const summary = binarySummary();
    summary.add(maps([1, 0, 1], [1, 0, 0]));
    summary.add(maps([1, 0], [0, 0]));
    expect(summary.scores().iou).toEqual({ value: 1 / 2, of: 1, undefined: 1 });
    expect(summary.scores().accuracy).toEqual({ value: (2 / 3 + 1 / 2) / 2, of: 2, undefined: 0 });
  });

  test("pixels that do not count change nothing, whatever is predicted there", () => {
    const next = numbers(9);
    const target = mask(".#.. .##. ..#. ....").map((v, i) => (i % 5 === 3 ? 7 : v));
    const one = target.map(() => next());
    const other = one.map((p, i) => (target[i] === 7 ? next() : p));
    const scoresOf = (probabilities: number[]) =>
      binaryScores({ width: 4, height: 4, probabilities, target, ignore: 7 });
    expect(scoresOf(other)).toEqual(scoresOf(one));
    const counted = target.flatMap((v, i) => (v === 7 ? [] : [i]));
    const rest = binaryScores(
      maps(
        counted.map((i) => one[i]!),
        counted.map((i) => target[i]!),
      ),
    );
    const { iou, dice, accuracy, ber, meanE, adaptiveF, mae } = scoresOf(one);
    expect(rest).toMatchObject({ iou, dice, accuracy, ber, meanE, adaptiveF, mae });
    const none = binaryScores(maps([0.5], [7], 7));
    expect(Object.values(none).every((score) => score === undefined)).toBe(true);
  });

  test("an object at the border has a structure too", () => {
    const target = mask("...# ...# ...#");
    const same = sMeasure({ width: 4, height: 3, probabilities: target, target });
    expect(same).toBeCloseTo(1, 12);
    const single = mask("#... .... ....");
    expect(sMeasure({ width: 4, height: 3, probabilities: single, target: single })).toBeCloseTo(
      1,
      12,
    );
  });
});

test("the nearest pixel inside is the nearest, of equal ones the leftmost, of these the uppermost", () => {
  for (let seed = 0; seed < 60; seed++) {
    const next = numbers(seed);
    const [width, height] = [1 + Math.floor(next() * 9), 1 + Math.floor(next() * 9)];
    const inside = Array.from({ length: width * height }, () => (next() < 0.15 ? 1 : 0));
    inside[Math.floor(next() * inside.length)] = 1;
    const { index, squared } = nearestInside(inside, width, height);
    const places = inside.flatMap((v, i) => (v ? [i] : []));
    for (let i = 0; i < inside.length; i++) {
      const far = (j: number) =>
        ((i % width) - (j % width)) ** 2 + (Math.floor(i / width) - Math.floor(j / width)) ** 2;
      const best = places.sort((a, b) => far(a) - far(b) || (a % width) - (b % width) || a - b)[0]!;
      expect([index[i], squared[i]], `seed ${seed}, pixel ${i}`).toEqual([best, far(best)]);
    }
  }
});

describe("dense", () => {
  test("depth is averaged over known pixels of all pictures, not over pictures", () => {
    const errors = depthErrors();
    errors.add([1, 5, 9], [2, 0, 0]);
    errors.add([4, 4, 4], [4, 2, 5]);
    expect(errors.scores()).toEqual({
      ...{ absolute: (1 + 0 + 2 + 1) / 4, relative: (1 / 2 + 0 + 1 + 1 / 5) / 4, pixels: 4 },
    });
    expect(depthErrors().scores()).toEqual({
      ...{ absolute: undefined, relative: undefined, pixels: 0 },
    });
  });

  test("angles between normals", () => {
    const errors = normalErrors();
    const [s, c] = [Math.sin(Math.PI / 9), Math.cos(Math.PI / 9)];
    // 0, 20 and 90 degrees; not known; without a direction. The length of a prediction is nothing.
    errors.add(
      [0, 2 * s, 3, 1, 0, 0, 0, 0, 0, 0, 5, 2 * c, 0, 1, 0],
      [...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1]],
    );
    const { mean, median, within11, within22, within30, pixels } = errors.scores();
    expect(pixels).toBe(4);
    expect(mean).toBeCloseTo((0 + 20 + 90 + 90) / 4, 10);
    // The lower of 20 and 90, which are both in the middle.
    expect(Math.abs(median! - 20)).toBeLessThanOrEqual(180 / 2 ** 19);
    expect([within11, within22, within30]).toEqual([1 / 4, 1 / 2, 1 / 2]);
    expect(normalErrors().scores()).toMatchObject({ mean: undefined, median: undefined });
  });

  test("the median of opposite normals is in the last step", () => {
    const errors = normalErrors();
    errors.add([0, 0, -1], [0, 0, 1]);
    expect(errors.scores().median).toBeCloseTo(180, 2);
  });
});

describe("improvement", () => {
  const up = (value: number | undefined, baseline: number) =>
    ({ value, baseline, better: "higher" }) as const;
  const down = (value: number, baseline: number) => ({ value, baseline, better: "lower" }) as const;

  test("tasks weigh the same, whatever their number of metrics", () => {
    const got = improvement({
      semantic: [up(0.6, 0.5), up(0.7, 0.7)],
      depth: [down(0.3, 0.4)],
    });
    expect(got).toBeCloseTo(100 * (((0.1 / 0.5 + 0) / 2 + 0.25) / 2), 10);
  });

  test("is undefined where a metric is, and without tasks", () => {
    expect(improvement({ a: [up(1, 2)], b: [up(undefined, 1)] })).toBeUndefined();
    expect(improvement({ a: [up(1, 0)] })).toBeUndefined();
    expect(improvement({})).toBeUndefined();
  });
});

describe("attention distance", () => {
  test("of a token that attends to itself is 0, of an even one the mean of all distances", () => {
    const [width, height, patch] = [3, 2, 16];
    const tokens = width * height;
    const own = Array.from({ length: tokens ** 2 }, (_, i) =>
      i % tokens === Math.floor(i / tokens) ? 1 : 0,
    );
    const even = own.map(() => 1 / tokens);
    let sum = 0;
    for (let i = 0; i < tokens; i++)
      for (let j = 0; j < tokens; j++)
        sum += Math.hypot((i % 3) - (j % 3), Math.floor(i / 3) - Math.floor(j / 3));
    const [first, second] = attentionDistance({
      ...{ weights: [...own, ...even], heads: 2, width, height, patch },
    });
    expect(first).toBe(0);
    expect(second).toBeCloseTo((16 * sum) / tokens ** 2, 10);
  });

  test("is averaged over pictures by layer and head", () => {
    const distances = attentionDistances();
    const shape = { heads: 1, width: 2, height: 1, patch: 16 };
    distances.add("block.0", { ...shape, weights: [1, 0, 0, 1] });
    distances.add("block.0", { ...shape, weights: [0, 1, 1, 0] });
    expect([...distances.scores()]).toEqual([["block.0", [{ value: 8, of: 2, undefined: 0 }]]]);
  });
});

describe("what does not fit is refused", () => {
  const one = { width: 2, height: 1 };
  const distances = attentionDistances();
  const layer = { heads: 1, width: 1, height: 1, patch: 1, weights: [1] };
  distances.add("a", layer);
  test.each<[string, string, () => unknown]>([
    [
      "E1020",
      "3 values, not 2",
      () => sMeasure({ ...one, probabilities: [0, 0, 0], target: [0, 0] }),
    ],
    [
      "E1020",
      "is -4, not between",
      () => sMeasure({ ...one, probabilities: [0, -4], target: [0, 0] }),
    ],
    [
      "E1020",
      "is NaN, not",
      () => sMeasure({ ...one, probabilities: [Number.NaN, 0], target: [0, 0] }),
    ],
    [
      "E1020",
      "column 1, row 0 is 255",
      () => sMeasure({ ...one, probabilities: [0, 0], target: [0, 255] }),
    ],
    ["E1020", "1 labels are predicted for 2", () => confusion(2).add([0], [0, 1])],
    ["E1020", "3 counts are not", () => confusion(2).addCounts([1, 2, 3])],
    ["E1020", "5 logits", () => labelsOfLogits([1, 2, 3, 4, 5], 2)],
    ["E1021", "the target has the label 255", () => confusion(2).add([0, 0], [0, 255])],
    ["E1021", "255 does not count", () => confusion(2, { ignore: 255 }).add([0, 2], [0, 1])],
    ["E1020", "depth", () => depthErrors().add([1], [1, 2])],
    ["E1020", "the depth at place 1 is NaN", () => depthErrors().add([1, Number.NaN], [1, 2])],
    ["E1020", "normal", () => normalErrors().add([1, 2], [1, 2, 3])],
    ["E1020", "not 3", () => attentionDistance({ ...layer, weights: [1, 2, 3] })],
    ["E1020", "2 heads", () => distances.add("a", { ...layer, heads: 2, weights: [1, 1] })],
  ])("%s: %s", (code, words, call) => {
    let error: InarchError | undefined;
    try {
      call();
    } catch (thrown) {
      error = thrown as InarchError;
    }
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(words);
  });
});
