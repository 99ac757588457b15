/** The metrics equal what the published code gives, on files of any sizes; and a file that says otherwise fails. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openWeightsFile } from "../../../runtime/node/weights.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { verify } from "../../../verify/verify.ts";
import { fixturePath, readAll, refusal } from "../../support/weights-files.ts";

/** What a file expects: metrics, or metrics by case. */
type Expected = Record<string, Record<string, number>>;

const folder = mkdtempSync(join(tmpdir(), "inarch-metrics-"));

async function checksOf(path: string) {
  const report = await verify({ files: [path], device: "reference" });
  const [{ checks, unread }] = report.files as [(typeof report.files)[0]];
  return { checks, unread, failed: checks.filter(({ passed }) => !passed) };
}

/** A copy of a file that expects something else. */
async function expecting(file: string, change: (expected: Expected) => unknown) {
  const weights = await openWeightsFile(fixturePath(file));
  const [tensors, metadata] = [await readAll(weights), { ...weights.metadata }];
  await weights.close();
  metadata.expected = JSON.stringify(change(JSON.parse(metadata.expected!)));
  const path = join(folder, file);
  writeFileSync(path, writeSafetensors(tensors, metadata));
  return path;
}

test.each([
  ["segmentation_metrics.safetensors", 35],
  ["segmentation_metrics_small.safetensors", 49],
  ["dense_metrics.safetensors", 12],
])("%s: every metric is right", async (file, count) => {
  const { checks, unread, failed } = await checksOf(fixturePath(file));
  expect(failed).toEqual([]);
  expect(checks.length).toBe(count);
  expect(unread).toEqual([]);
});

describe("a file that expects", () => {
  test.each<[string, string, (expected: Expected) => unknown, string]>([
    [
      "another number",
      "segmentation_metrics.safetensors",
      ({ good, ...rest }) => ({ ...rest, good: { ...good, mae: good!.mae! + 1e-4 } }),
      "good/mae",
    ],
    [
      "a number where none is defined",
      "segmentation_metrics.safetensors",
      ({ empty_target, ...rest }) => ({ ...rest, empty_target: { ...empty_target, iou: 0 } }),
      "empty_target/iou",
    ],
    [
      "nothing where a number is defined",
      "dense_metrics.safetensors",
      (expected) => ({ ...expected, miou: null }),
      "miou",
    ],
  ])("%s fails its own line", async (_, file, change, name) => {
    const { failed } = await checksOf(await expecting(file, change));
    expect(failed.map((check) => check.name)).toEqual([name]);
  });

  test.each<[string, string, (expected: Expected) => unknown]>([
    [
      "a metric that is not known",
      "dense_metrics.safetensors",
      (expected) => ({ ...expected, rmse: 1 }),
    ],
    [
      "a metric that is not known",
      "segmentation_metrics.safetensors",
      () => ({ good: { max_f: 1 } }),
    ],
    ["words", "segmentation_metrics.safetensors", () => ({ good: { iou: "high" } })],
    ["cases in a list", "segmentation_metrics.safetensors", () => [1]],
  ])("%s is refused", async (_, file, change) => {
    const path = await expecting(file, change);
    const error = await refusal(() => verify({ files: [path], device: "reference" }));
    expect(error.code).toBe("E361");
  });
});
