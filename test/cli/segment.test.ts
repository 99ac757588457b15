/** `inarch segment`: its arguments, and what it prints. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { sceneSize } from "../../examples/scene.ts";
import { type SegmentReport, segment } from "../../models/node/segment.ts";
import { formatSamConfig } from "../../models/sam/config.ts";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { buildPackage, inarch } from "../support/command-line.ts";
import { grey, png } from "../support/image-files.ts";
import { tinySam } from "../support/sam-small.ts";
import { fixturePath, readAll } from "../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-segment-"));
const scene = fixturePath("scene.png");

/** A SAM that the reference device runs in a second. */
const tiny = join(folder, "tiny.safetensors");
writeFileSync(tiny, writeSafetensors(await readAll(hashedWeights(tinySam, "test")), {}));
const config = join(folder, "tiny.json");
writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
const tinySegment = { image: scene, weights: tiny, config, device: "reference" } as const;

beforeAll(buildPackage);
const common = [scene, "--weights", tiny, "--config", config, "--device", "reference"];

const drawn = (name: string, value: (x: number, y: number) => number) => {
  const rows = Array.from({ length: sceneSize.height }, (_, y) =>
    Array.from({ length: sceneSize.width }, (_, x) => value(x, y)),
  );
  const path = join(folder, name);
  writeFileSync(path, png(sceneSize.width, 8, grey, rows));
  return path;
};
const classes = drawn("classes.png", (x, y) => (x > 60 && y > 40 ? 1 : x < 20 ? 2 : 0));
const black = drawn("black.png", () => 0);

test("--mask-value chooses what is inside of a mask of several classes", async () => {
  const out = join(folder, "class");
  const chosen = ["--mask", classes, "--mask-value", "1", "--json"];
  const { code, stdout, stderr } = await inarch(["segment", ...common, "--out", out, ...chosen]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const white = drawn("white.png", (x, y) => (x > 60 && y > 40 ? 255 : 0));
  const same = await segment({ ...tinySegment, mask: white, out });
  expect((JSON.parse(stdout) as SegmentReport).masks).toEqual(same.masks);
});

test("what a mask was taken for is said, in words and in JSON", async () => {
  const two = drawn("two.png", (x, y) => (x > 60 && y > 40 ? 3 : 0));
  const args = ["segment", ...common, "--out", join(folder, "two"), "--mask", two];
  const note = `${two}: the mask picture holds 0 and 3: 3 is inside`;
  expect((await inarch(args)).stderr).toContain(note);
  expect(JSON.parse((await inarch([...args, "--json"])).stdout).notes).toEqual([note]);
});

test("takes repeated clicks and prints JSON", async () => {
  const out = join(folder, "command");
  const clicks = ["--point", "200,150", "--point", "20.5, 30,0"];
  const { code, stdout, stderr } = await inarch([
    "segment",
    ...common,
    "--out",
    out,
    ...clicks,
    "--json",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const request = {
    ...tinySegment,
    points: [
      [200, 150],
      [20.5, 30],
    ],
    labels: [1, 0],
  } as const;
  const same = await segment({ ...request, out });
  expect((JSON.parse(stdout) as SegmentReport).masks).toEqual(same.masks);
});

test("says in words where everything is, and its progress on stderr", async () => {
  const out = join(folder, "words");
  const box = ["--box", "40,30,200,160"];
  const { code, stdout, stderr } = await inarch(["segment", ...common, "--out", out, ...box]);
  expect(code).toBe(0);
  expect(stdout).toContain(join(out, "mask.png"));
  expect(stdout).toMatch(/score -?\d+\.\d{3}, \d+ pixels inside/);
  expect(stdout).toContain(join(out, "overlay.png"));
  expect(stderr).toContain("encoding");
});

test.each<[string, string[], string]>([
  ["E370", ["--point", "12"], "--point 12 is not x,y or x,y,label"],
  ["E370", ["--point", "1,2,7"], "--point 1,2,7"],
  ["E370", ["--point", "a,b"], "--point a,b"],
  ["E370", ["--box", "1,2,3"], "--box 1,2,3 is not x0,y0,x1,y1"],
  ["E370", ["--box", "1,2,3,4", "--box", "1,2,3,4"], "there are 2 boxes"],
  ["E310", ["--point", "5000,1"], "outside the image"],
  ["E314", ["--box", "0,0,5000,10"], "leaves the image"],
  ["E306", ["--mask", "nowhere.npy"], "nowhere.npy"],
  ["E370", ["--mask-value", "1"], "there is no --mask"],
  ["E303", ["--mask", fixturePath("plain.bmp")], "a BMP picture"],
  ["E363", ["--mask", classes], "its values are 0, 1 and 2"],
  ["E364", ["--mask", classes, "--mask-value", "3"], "does not hold 3; it holds 0, 1 and 2"],
  ["E364", ["--mask", classes, "--mask-value", "one"], "does not hold one"],
  ["E366", ["--mask", black], "nothing is inside"],
])("%s for %j, before any weights are opened", async (code, flags, words) => {
  const args = [scene, "--weights", "nowhere.pth", "--out", join(folder, "none"), ...flags];
  const { code: exit, stderr } = await inarch(["segment", ...args]);
  expect(stderr).toContain(`error[${code}]`);
  expect(stderr).toContain(words);
  expect(exit).toBe(1);
});
