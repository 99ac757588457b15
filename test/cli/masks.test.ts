/** `inarch masks`: everything in a picture. */
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { buildPackage, inarch } from "../support/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-masks-"));
const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const sam = ["--weights", fixture("sam_nano.pth"), "--config", fixture("sam_nano.config.json")];
const loose = ["--points", "3", "--iou", "0", "--stability", "0", "--overlap", "1"];

beforeAll(buildPackage);

test("writes a list in the words of the published generator, and a picture", async () => {
  const args = ["masks", fixture("scene.png"), ...sam, ...loose, "--device", "cpu"];
  const { code, stdout } = await inarch([...args, "--out", "found"], folder);
  // A random model's masks are all kept: three for each point.
  expect([code, stdout.split("\n")[0]]).toEqual([0, expect.stringMatching(/^27 masks/)]);
  const masks = JSON.parse(readFileSync(join(folder, "found", "masks.json"), "utf8"));
  expect(masks.length).toBe(27);
  expect(Object.keys(masks[0])).toEqual([
    "segmentation",
    "area",
    "bbox",
    "predicted_iou",
    "point_coords",
    "stability_score",
    "crop_box",
  ]);
  expect(masks[0].segmentation.size).toEqual([240, 320]);
  const scores = masks.map((one: { predicted_iou: number }) => one.predicted_iou);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
  expect(existsSync(join(folder, "found", "overlay.png"))).toBe(true);
});

test("E370: what is no number, and E325: what a setting cannot be", async () => {
  const args = ["masks", fixture("scene.png"), ...sam, "--out", "none"];
  expect((await inarch([...args, "--points", "many"], folder)).stderr).toContain("error[E370]");
  expect((await inarch([...args, "--points", "0"], folder)).stderr).toContain("error[E325]");
});
