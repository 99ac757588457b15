/** `inarch segment`: its arguments, and what it prints. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { type SegmentReport, segment } from "../../models/node/segment.ts";
import { formatSamConfig } from "../../models/sam/config.ts";
import { hashedWeights } from "../../models/sam/hashed.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { buildPackage, inarch } from "../support/command-line.ts";
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
])("%s for %j, before any weights are opened", async (code, flags, words) => {
  const args = [scene, "--weights", "nowhere.pth", "--out", join(folder, "none"), ...flags];
  const { code: exit, stderr } = await inarch(["segment", ...args]);
  expect(stderr).toContain(`error[${code}]`);
  expect(stderr).toContain(words);
  expect(exit).toBe(1);
});
