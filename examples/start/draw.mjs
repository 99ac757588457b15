/**
 * Draws a set in folders, as one has them: pictures, and their masks in PNG, by the same names. Each shows thin curves,
 * specks or a blob in the colours of the ground behind it.
 *   node examples/start/draw.mjs FOLDER [PICTURES HELD_OUT]
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writePng } from "inarch/node";
import { drawScene } from "../fine-tune/scenes.mjs";

const [folder = join("out", "start", "set"), pictures = "64", heldOut = "16"] =
  process.argv.slice(2);

/** Seeds far apart: no scene that is held out is among those that are trained on. */
const parts = [
  { name: "train", first: 1000, count: Number(pictures) },
  { name: "held-out", first: 2 ** 24, count: Number(heldOut) },
];
for (const { name, first, count } of parts) {
  const [images, masks] = ["pictures", "masks"].map((what) => join(folder, name, what));
  for (const path of [images, masks]) mkdirSync(path, { recursive: true });
  for (let i = 0; i < count; i++) {
    const { image, mask } = drawScene(first + i);
    const file = `${String(i).padStart(3, "0")}.png`;
    await writePng(join(images, file), image);
    const data = new Uint8Array(3 * mask.data.length);
    mask.data.forEach((inside, at) => {
      data.fill(255 * inside, 3 * at, 3 * at + 3);
    });
    await writePng(join(masks, file), { ...mask, channels: 3, data });
  }
}
console.log(
  `drew ${pictures} pictures to train on and ${heldOut} that are held out, into ${folder}`,
);
