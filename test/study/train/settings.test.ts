/** Settings of runs: from presets, files and what is given, to what a run goes by. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkClasses, type Sets, weightsByTask } from "../../../study/train/node/sets.ts";
import { readStudy } from "../../../study/train/node/study-file.ts";
import { presets } from "../../../study/train/presets.ts";
import { resolveSettings, settingsFrom } from "../../../study/train/resolve.ts";
import { type AskedSettings, usualSettings } from "../../../study/train/settings.ts";
import { defineStudy, partsOf, type Study } from "../../../study/train/study.ts";
import { refusal } from "../../support/weights-files.ts";

const labels = (...classes: string[]) => ({ labels: { kind: "labels", classes } }) as const;
const mask = { kind: "mask", tasks: labels("background", "object"), pictures: 10 } as const;
const classes = { kind: "classes", tasks: labels("sky", "road", "car"), pictures: 10 } as const;
const depth = { kind: "depth", scale: 1 } as const;
const dense = { kind: "dense", tasks: { ...classes.tasks, depth }, pictures: 10 } as const;

const said = async (call: () => unknown) => {
  const { code, details } = await refusal(async () => call());
  return `${code} ${details.message}; ${details.help}`;
};

describe("settings", () => {
  test("are usual, unless a preset says otherwise, unless they are given", () => {
    const plain = resolveSettings(settingsFrom({}), mask);
    expect(plain).toEqual({ ...usualSettings, loss: "structure", metric: "iou", ranks: 1 });
    const both = resolveSettings(settingsFrom({}), dense);
    expect(both).toMatchObject({ loss: "multi-task", metric: "loss" });
    const road = resolveSettings(settingsFrom({ preset: "conv-lora/road", rate: 5e-4 }), mask);
    expect(road).toMatchObject({ rate: 5e-4, decay: 1e-4, filter: "bicubic", steps: 50 });
    expect(road.validateEvery).toBe(3);
    expect(resolveSettings(settingsFrom({ preset: "conv-lora/road", steps: 7 }), mask).steps).toBe(
      7,
    );
    expect(resolveSettings(settingsFrom({}), classes).loss).toBe("entropy-dice");
    expect(resolveSettings(settingsFrom({ epochs: 0.5 }), mask).steps).toBe(2);
  });

  test("of every preset are settings, and what is ours of them is named", () => {
    for (const { name, settings, ours, source } of presets) {
      const target =
        settings.loss === "set" ? classes : settings.loss === "multi-task" ? dense : mask;
      const resolved = resolveSettings(settingsFrom({ preset: name }), target);
      const { epochs, ...others } = settings;
      expect(resolved).toMatchObject(others);
      expect(resolved.steps).toBe(Math.ceil(epochs! * 2.5));
      expect(Object.keys(ours).filter((key) => !(key in resolved) && key !== "epochs")).toEqual([]);
      expect(source).toContain("arXiv");
    }
  });

  test("E1106: settings that the task does not have, or that exclude each other", async () => {
    const resolve = (asked: AskedSettings, target: typeof mask | typeof classes) =>
      said(() => resolveSettings(settingsFrom(asked), target));
    expect(await resolve({ preset: "conv-lora/rode" }, mask)).toMatch(
      /E1106 there is no preset "conv-lora\/rode"; write "conv-lora\/road"/,
    );
    expect(await resolve({ loss: "set" }, mask)).toMatch(
      /E1106 the loss "set" is none of one mask/,
    );
    expect(await resolve({ metric: "ber" }, classes)).toMatch(
      /E1106 the metric "ber" is none of 3/,
    );
    expect(await resolve({ steps: 3, epochs: 3 }, mask)).toMatch(/E1106 .* 3 steps and 3 epochs/);
    expect(await resolve({ batch: 4, micro: 3 }, mask)).toMatch(
      /E1106 .*3 micro-steps of a batch of 4/,
    );
    const shared = { ...mask, ranks: 3 };
    expect(await resolve({ batch: 4 }, shared)).toMatch(/E1106 3 processes .* a batch of 4/);
    expect(await resolve({ classWeights: [1, 2] }, classes)).toMatch(
      /E1106 2 weights .* 3 classes/,
    );
    expect(await resolve({ warmup: 1 }, mask)).toMatch(/E720 .*warmup is 1/);
    expect(await resolve({ classWeights: [1, -2, 1] }, classes)).toMatch(/E720 .*class 1 is -2/);
  });
});

describe("a study in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "inarch-study-"));
  const read = (text: string) => {
    writeFileSync(join(folder, "study.yaml"), text);
    return readStudy(join(folder, "study.yaml"));
  };

  test("has settings and what they are for, with paths from its folder on", async () => {
    const study = await read(`preset: conv-lora/leaf
steps: 7
augment: { mirror: 0.25 }
weights: sam.pth
set:
  format: folders
  pictures: images
  targets: { leaf: { kind: mask, folder: masks/leaf, suffix: _mask } }
`);
    const { settings, others } = partsOf(study);
    expect(settings).toEqual({ preset: "conv-lora/leaf", steps: 7, augment: { mirror: 0.25 } });
    const leaf = { kind: "mask", folder: join(folder, "masks/leaf"), suffix: "_mask" };
    expect(others).toEqual({
      weights: join(folder, "sam.pth"),
      set: { format: "folders", pictures: join(folder, "images"), targets: { leaf } },
    });
  });

  test("a name that it does not have is refused with the nearest", async () => {
    const name = join(folder, "study.yaml");
    expect(await said(() => read("stebs: 7"))).toMatch(
      `E460 the study ${name} has no option "stebs"; write steps;`,
    );
    expect(await said(() => read("optimiser: adamV"))).toMatch(/E465 .*write optimiser: "adamW"/);
    expect(await said(() => read("- 7"))).toMatch(/E1106 the file holds an array/);
    expect(await said(() => defineStudy({ wheights: "a" } as Study))).toMatch(
      /E460.*write weights/,
    );
  });
});

describe("classes", () => {
  const part = (...pixels: number[][]) => ({
    samples: { size: pixels.length, tasks: {}, read: () => Promise.reject() },
    names: pixels.map((_, i) => String(i)),
    counts: pixels.map((own) => ({ kinds: own })),
  });
  const sets = (train: number[][], validation: number[][]) =>
    ({
      tasks: { kinds: { kind: "labels", classes: ["sky", "road", "car"] } },
      ...{ train: part(...train), validation: part(...validation) },
    }) as unknown as Sets;

  test("E1107: those that are in no picture to train on, or to validate on", async () => {
    expect(() =>
      checkClasses(
        sets(
          [
            [1, 2, 0],
            [0, 0, 3],
          ],
          [[1, 1, 1]],
        ),
      ),
    ).not.toThrow();
    expect(await said(() => checkClasses(sets([[1, 0, 4]], [[1, 2, 0]])))).toMatch(
      /E1107 the set has road in none of the 1 pictures to train on, and car in none of the 1 pictures to validate on/,
    );
  });

  test("weigh 1 / ln(1.02 + part) each, of mean 1 over the pixels", () => {
    const drawn = sets(
      [
        [60, 30, 0],
        [0, 0, 10],
      ],
      [[1, 1, 1]],
    );
    const { kinds: weights = [] } = weightsByTask(drawn, "auto");
    const raw = [0.6, 0.3, 0.1].map((part) => 1 / Math.log(1.02 + part));
    expect(weights[2]! / weights[0]!).toBeCloseTo(raw[2]! / raw[0]!, 12);
    expect(0.6 * weights[0]! + 0.3 * weights[1]! + 0.1 * weights[2]!).toBeCloseTo(1, 12);
  });
});
