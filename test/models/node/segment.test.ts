/** Segmenting a picture from files to files, and what is said about mistakes. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { segment } from "../../../models/node/segment.ts";
import { formatSamConfig } from "../../../models/sam/config.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { readImage, readLogits, writePng } from "../../../predict/node/image.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { deviceTest } from "../../support/device.ts";
import { grey, png } from "../../support/image-files.ts";
import { tinySam } from "../../support/sam-small.ts";
import { fixturePath, readAll, refusal } from "../../support/weights-files.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-segment-"));
const scene = fixturePath("scene.png");

/** A SAM that the reference device runs in a second. */
const tiny = join(folder, "tiny.safetensors");
writeFileSync(tiny, writeSafetensors(await readAll(hashedWeights(tinySam, "test")), {}));
const config = join(folder, "tiny.json");
writeFileSync(config, JSON.stringify(formatSamConfig(tinySam)));
const tinySegment = { image: scene, weights: tiny, config, device: "reference" } as const;

describe("on the reference device", () => {
  test("a click gives a mask, its logits, an overlay and scores", async () => {
    const out = join(folder, "one", "below");
    const report = await segment({ ...tinySegment, points: [[200, 150]], out });
    expect(readdirSync(out).sort()).toEqual([
      "logits.npy",
      "mask.png",
      "overlay.png",
      "scores.json",
    ]);
    const { width, height } = await readImage(scene);
    const mask = await readImage(join(out, "mask.png"));
    expect([mask.width, mask.height]).toEqual([width, height]);
    const inside = mask.data.reduce((sum, value) => sum + (value === 255 ? 1 : 0), 0) / 3;
    expect(report.masks).toMatchObject([{ file: "mask.png", logits: "logits.npy", area: inside }]);
    expect(mask.data.every((value) => value === 0 || value === 255)).toBe(true);
    expect((await readLogits(join(out, "logits.npy"))).shape).toEqual([1, 16, 16]);
    expect(JSON.parse(readFileSync(join(out, "scores.json"), "utf8"))).toEqual(report);
  });

  test("--multimask gives three, numbered", async () => {
    const out = join(folder, "three");
    const report = await segment({ ...tinySegment, box: [40, 30, 200, 160], multimask: true, out });
    expect(report.masks.map(({ file, logits }) => [file, logits])).toEqual([
      ["mask-1.png", "logits-1.npy"],
      ["mask-2.png", "logits-2.npy"],
      ["mask-3.png", "logits-3.npy"],
    ]);
    expect(existsSync(join(out, "overlay.png"))).toBe(true);
  });

  test("saved logits and a picture of a mask both refine", async () => {
    const [out, again] = [join(folder, "first"), join(folder, "again")];
    const request = { ...tinySegment, points: [[200, 150]] as const };
    const first = await segment({ ...request, out });
    const refined = await segment({ ...request, mask: join(out, "logits.npy"), out: again });
    expect(refined.masks[0]!.score).not.toBe(first.masks[0]!.score);
    const drawn = await segment({ ...request, mask: join(out, "mask.png"), out: again });
    expect(drawn.masks[0]!.score).not.toBe(first.masks[0]!.score);
    expect(drawn.masks[0]!.score).not.toBe(refined.masks[0]!.score);
  });
});

/** A mask of the scene: `inside` within a square, 7 in a corner, `outside` elsewhere. */
async function drawn(name: string, outside: number, inside: number, corner = outside) {
  const { width, height } = await readImage(scene);
  const value = (x: number, y: number) =>
    x > 60 && x < 160 && y > 40 && y < 120 ? inside : x < 20 && y < 20 ? corner : outside;
  const rows = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => value(x, y)),
  );
  const path = join(folder, name);
  writeFileSync(path, png(width, 8, grey, rows));
  return path;
}

describe("pictures of masks", () => {
  const maskOf = async (mask: string, maskValue?: number) => {
    const out = join(folder, "of-a-mask");
    const report = await segment({ ...tinySegment, mask, maskValue, out });
    return { report, logits: await readLogits(join(out, "logits.npy")) };
  };

  test("of 0 and 1 is the mask of black and white, and the report says what was taken", async () => {
    const classes = await drawn("classes.png", 0, 1);
    const white = await maskOf(await drawn("white.png", 0, 255));
    const one = await maskOf(classes);
    expect(one.logits).toEqual(white.logits);
    expect(white.report.notes).toEqual([]);
    expect(one.report.notes).toEqual([`${classes}: the mask picture holds 0 and 1: 1 is inside`]);
    const none = join(folder, "without");
    await segment({ ...tinySegment, out: none });
    expect((await readLogits(join(none, "logits.npy"))).data).not.toEqual(white.logits.data);
  });

  test("E363 for several classes, of which maskValue chooses one; E364 and E366 for none", async () => {
    const several = await drawn("several.png", 0, 1, 7);
    expect((await refusal(() => maskOf(several))).code).toBe("E363");
    expect((await maskOf(several, 1)).logits).toEqual(
      (await maskOf(await drawn("1.png", 0, 255))).logits,
    );
    expect((await refusal(() => maskOf(several, 9))).code).toBe("E364");
    expect((await refusal(async () => maskOf(await drawn("0.png", 0, 0)))).code).toBe("E366");
  });
});

describe("mistakes", () => {
  test.each<[string, Partial<Parameters<typeof segment>[0]>]>([
    ["E306", { image: "nowhere.png" }],
    ["E200", { weights: join(folder, "nowhere.pth") }],
    ["E306", { config: join(folder, "nowhere.json") }],
    ["E206", { weights: scene }],
    ["E303", { image: tiny }],
    ["E232", { config: fixturePath("sam_nano.config.json") }],
    ["E231", { config: undefined }],
    ["E241", { out: join(tiny, "below-a-file") }],
  ])("%s for %j", async (code, change) => {
    const request = { ...tinySegment, points: [[5, 5]] as const, out: join(folder, "none") };
    expect((await refusal(() => segment({ ...request, ...change }))).code).toBe(code);
  });

  test("E316 for logits of several masks, E317 for a mask of another picture", async () => {
    const out = join(folder, "several");
    const { writeLogits } = await import("../../../predict/node/image.ts");
    await segment({ ...tinySegment, out, multimask: true });
    const three = join(out, "three.npy");
    await writeLogits(three, { shape: [3, 16, 16], data: new Float32Array(768) });
    expect((await refusal(() => segment({ ...tinySegment, out, mask: three }))).code).toBe("E316");
    const small = join(out, "small.png");
    await writePng(small, { width: 4, height: 4, data: new Uint8Array(16).fill(1) });
    expect((await refusal(() => segment({ ...tinySegment, out, mask: small }))).code).toBe("E317");
  });
});

deviceTest("the small SAM segments the scene on a device", async () => {
  const out = join(folder, "device");
  const report = await segment({
    image: scene,
    weights: fixturePath("sam_nano.pth"),
    config: fixturePath("sam_nano.config.json"),
    points: [[64, 64]],
    multimask: true,
    device: "webgpu",
    out,
  });
  expect(report.masks.length).toBe(3);
  for (const { score } of report.masks) expect(Number.isFinite(score)).toBe(true);
});
