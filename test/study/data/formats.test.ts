/** One small set, written in every format, is the same set: its first batch has the same bytes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { batchesOf } from "../../../study/data/index.ts";
import { openSet } from "../../../study/data/node/index.ts";
import { drawn, labelsOfDrawn, writeEveryFormat } from "../../support/study-sets.ts";

const root = mkdtempSync(join(tmpdir(), "inarch-sets-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const sets = writeEveryFormat(root);

const augment = { mirror: 0.5, overturn: 0.5, scale: { from: 0.7, to: 1.5 }, brightness: 0.2 };
const options = { side: 16, fit: "longest", augment, seed: 5 } as const;

/** All bytes of a batch. */
async function firstBatch(name: string): Promise<string> {
  const set = await openSet(sets[name]!);
  const batch = await batchesOf(set, options).take({ step: 0, batch: 4 });
  const { image, valid, targets } = batch;
  const parts = [image, valid, targets.labels!.data, targets.labels!.known];
  const bytes = parts.map(({ buffer }) => Buffer.from(buffer).toString("base64"));
  return JSON.stringify([batch.items, batch.positions, ...bytes]);
}

describe("the same first batch, byte for byte", () => {
  test.each(Object.keys(sets))("%s", async (name) => {
    expect(await firstBatch(name)).toBe(await firstBatch("folders"));
  });
});

test("what is read is what was drawn", async () => {
  const set = await openSet(sets.coco!);
  expect(set.size).toBe(drawn.length);
  expect(set.tasks).toEqual({ labels: { kind: "labels", classes: ["background", "car", "road"] } });
  for (const [i, picture] of drawn.entries()) {
    const { image, targets } = await set.read(i);
    expect([image.width, image.height]).toEqual([picture.width, picture.height]);
    expect([...image.data]).toEqual(picture.pixels);
    expect([...targets.labels!.data]).toEqual(labelsOfDrawn(picture));
  }
});

test("the classes of a set are counted before anything starts", async () => {
  const { summary } = await openSet(sets.labelme!);
  const labels = drawn.map(labelsOfDrawn);
  const all = labels.flat();
  expect(summary).toMatchObject({ items: 5, width: [12, 24], height: [10, 18] });
  expect(summary.tasks.labels).toMatchObject({ known: 5, missing: 0, ignored: 0 });
  expect(summary.tasks.labels!.classes).toEqual(
    ["background", "car", "road"].map((name, label) => ({
      name,
      pixels: all.filter((one) => one === label).length,
      pictures: labels.filter((one) => one.includes(label)).length,
    })),
  );
});

test("a class that is not asked for is background in COCO", async () => {
  const set = await openSet({ ...sets.coco!, classes: ["road"] } as (typeof sets)[string]);
  expect(set.tasks.labels!.classes).toEqual(["background", "road"]);
  const { targets } = await set.read(1);
  const { width, height, things } = drawn[1]!;
  const roads = { ...drawn[1]!, things: things.filter(({ label }) => label === 2) };
  expect([...targets.labels!.data]).toEqual(labelsOfDrawn(roads).map((label) => label / 2));
  expect(targets.labels!.data.length).toBe(width * height);
});
