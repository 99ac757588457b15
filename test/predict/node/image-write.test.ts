import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  readImage,
  readLogits,
  readMaskFile,
  writeLogits,
  writePng,
} from "../../../predict/node/image.ts";
import { image } from "../../../predict/vision/image.ts";
import { encodeNpy } from "../../../predict/vision/npy.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "inarch-write-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a picture survives being written", async () => {
  const path = join(folder, "picture.png");
  const bytes = Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => (i * 37) % 256);
  await writePng(path, image(5, 3, bytes));
  expect((await readImage(path)).data).toEqual(bytes);
});

test("a mask is a grey picture of black and white", async () => {
  const path = join(folder, "mask.png");
  await writePng(path, { width: 3, height: 2, data: Uint8Array.of(0, 1, 0, 1, 1, 0) });
  const { channels, space, depth } = await sharp(path).metadata();
  expect([channels, space, depth]).toEqual([1, "b-w", "uchar"]);
  const { data } = await readImage(path);
  expect([...data.filter((_, i) => i % 3 === 0)]).toEqual([0, 255, 0, 255, 255, 0]);
});

test("logits survive being written, to the last bit", async () => {
  const path = join(folder, "logits.npy");
  const data = Float32Array.from({ length: 24 }, (_, i) => Math.tan(i) * 1e3);
  await writeLogits(path, { shape: [2, 3, 4], data });
  expect(await readLogits(path)).toEqual({ shape: [2, 3, 4], data });
  expect(await readMaskFile(path)).toEqual({ kind: "logits", logits: { shape: [2, 3, 4], data } });
});

test("one mask and a batch of one are logits too", async () => {
  const data = Float32Array.of(1, 2, 3, 4, 5, 6);
  for (const [shape, read] of [
    [
      [2, 3],
      [1, 2, 3],
    ],
    [
      [1, 1, 2, 3],
      [1, 2, 3],
    ],
    [
      [1, 3, 2, 1],
      [3, 2, 1],
    ],
  ] as const) {
    expect(await readLogits(encodeNpy({ shape, data }))).toEqual({ shape: read, data });
  }
});

test("a mask file that is a picture is read as one", async () => {
  const path = join(folder, "drawn.png");
  await writePng(path, { width: 1, height: 1, data: Uint8Array.of(1) });
  const read = await readMaskFile(path);
  expect(read.kind === "picture" && [...read.picture.inside]).toEqual([255]);
});

test("E322: arrays that cannot be masks are refused", async () => {
  for (const shape of [[6], [2, 1, 1, 3], [0, 3, 2]]) {
    const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
    const words = new RegExp(`E322.*\\(${shape.join(", ")}\\)`);
    await expect(readLogits(encodeNpy({ shape, data }))).rejects.toThrow(words);
  }
});

test("E321: a text is not logits", async () => {
  await expect(readLogits(await readFile(new URL(import.meta.url)))).rejects.toThrow(/E321/);
});

test("E241: a folder that is not there cannot be written to", async () => {
  const path = join(folder, "none", "mask.png");
  const mask = { width: 1, height: 1, data: Uint8Array.of(1) };
  await expect(writePng(path, mask)).rejects.toThrow(
    /E241.*ENOENT[\s\S]*mask\.png[\s\S]*folder does not exist/,
  );
});

test("E301: what is no mask is not written", async () => {
  const mask = { width: 2, height: 1, data: Uint8Array.of(1) };
  await expect(writePng(join(folder, "x.png"), mask)).rejects.toThrow(/E301.*2 x 1 is 2 bytes/);
});
