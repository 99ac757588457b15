/** Pictures that cannot be read: the others have their masks, and all are named. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type PredictRequest, predict } from "../../../study/predict/node/predict.ts";
import { train } from "../../../study/train/node/train.ts";
import { buildPackage, inarch } from "../../support/command-line.ts";
import { tinyRuns } from "../../support/tiny-run.ts";
import { refusal } from "../../support/weights-files.ts";

const { folder, pictures, weights, config, request } = await tinyRuns(4);
const run = join(folder, "run");
const [bad, none] = [join(folder, "bad.png"), join(folder, "none.png")];

beforeAll(async () => {
  await train(request("run", { settings: { steps: 1 } }));
  writeFileSync(bad, "no picture");
});

const see = (out: string, more: Partial<PredictRequest> = {}) =>
  predict({
    ...{ run, weights, config, out: join(folder, out), device: "cpu" },
    ...{ pictures: [bad, pictures, none], ...more },
  });

test.each<readonly [string, Partial<PredictRequest>]>([
  ["one at a time", {}],
  ["several at once", { batch: 3 }],
  ["in tiles", { tiles: { side: 16 } }],
  ["as TIFF, in tiles", { tiles: { side: 16 }, format: "tiff" }],
  ["in one file", { format: "coco" }],
])("are skipped: %s", async (out, more) => {
  const { masks, skipped } = await see(out, more);
  expect(masks.map(({ picture }) => picture)).toEqual(
    readdirSync(pictures).map((name) => join(pictures, name)),
  );
  expect(skipped.map(({ picture, code }) => [picture, code]).sort()).toEqual([
    [bad, "E303"],
    [none, "E306"],
  ]);
  expect(readdirSync(join(folder, out))).toHaveLength(more.format === "coco" ? 1 : 4);
});

test("masks of the others are those without them", async () => {
  const seen = async (out: string, given: string[]) =>
    (await see(out, { pictures: given, batch: 4 })).masks.map(({ pixels }) => pixels);
  expect(await seen("beside", [bad, pictures])).toEqual(await seen("alone", [pictures]));
});

test("E1117: no pictures, and what is found before the model is opened", async () => {
  mkdirSync(join(folder, "empty"), { recursive: true });
  const refused = async (more: Partial<PredictRequest>) =>
    (await refusal(() => see("never", { weights: none, ...more }))).code;
  expect(await refused({ pictures: [join(folder, "empty")] })).toBe("E1117");
  expect(await refused({ tiles: { side: 0 } })).toBe("E1142");
  expect(await refused({ out: join(bad, "masks") })).toBe("E241");
});

test("the command names them, and ends with 1", async () => {
  await buildPackage();
  const { code, stdout } = await inarch([
    ...["predict", bad, pictures, "--run", run, "--weights", weights, "--config", config],
    ...["--out", join(folder, "told"), "--device", "cpu"],
  ]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/one picture could not be read:\n {2}.*bad\.png: this is not an image/);
});
