/** Pictures of a fine-tuning: masks before and after, and how the losses fell. */
import { join } from "node:path";
import { writePng } from "inarch/node";
import { drawOverlay, resizeImage } from "inarch/runtime";

const colours = [
  { name: "blue", rgb: [30, 144, 255] },
  { name: "orange", rgb: [235, 120, 0] },
];
const cell = 192;
const gap = 6;

/**
 * Writes the masks of the first six scenes and a chart of the losses into a folder.
 *
 * @param {string} folder
 * @param {readonly import("./scenes.mjs").Scene[]} scenes
 * @param {readonly Tuned[]} results what each method made of them
 * @returns {Promise<{ file: string, shows: string }[]>}
 *
 * @typedef {object} Tuned
 * @property {string} name of the method
 * @property {readonly import("inarch/runtime").Mask[]} before a mask for each scene
 * @property {readonly import("inarch/runtime").Mask[]} after a mask for each scene
 * @property {readonly number[]} losses of each step
 */
export async function writePictures(folder, scenes, results) {
  const rows = scenes.slice(0, 6).map(({ image, mask }, i) => {
    const found = [results[0].before[i], ...results.map(({ after }) => after[i])];
    return [image, inWhite(mask), ...found.map((one) => drawOverlay(image, [one]))];
  });
  const masks = join(folder, "masks.png");
  await writePng(masks, tiled(rows));
  const losses = join(folder, "losses.png");
  await writePng(losses, chart(results.map((result) => smoothed(result.losses))));
  const after = results.map(({ name }) => `after ${name}`).join(", ");
  const lines = results.map(({ name }, i) => `${name} ${colours[i].name}`).join(", ");
  return [
    { file: masks, shows: `in each row the image, the truth, before, ${after}` },
    { file: losses, shows: `the loss by step, smoothed: ${lines}` },
  ];
}

/** A mask as a picture: white inside. */
function inWhite({ width, height, data }) {
  const bytes = new Uint8Array(width * height * 3);
  data.forEach((inside, i) => {
    bytes.fill(255 * inside, 3 * i, 3 * i + 3);
  });
  return { width, height, channels: 3, data: bytes };
}

function blank(width, height) {
  return { width, height, channels: 3, data: new Uint8Array(width * height * 3).fill(255) };
}

/** Pictures in rows, each made as large as a cell. */
function tiled(rows) {
  const step = cell + gap;
  const sheet = blank(gap + rows[0].length * step, gap + rows.length * step);
  rows.forEach((row, j) => {
    row.forEach((picture, i) => {
      const { data } = resizeImage(picture, { width: cell, height: cell });
      for (let y = 0; y < cell; y++) {
        const to = (gap + j * step + y) * sheet.width + gap + i * step;
        sheet.data.set(data.subarray(3 * cell * y, 3 * cell * (y + 1)), 3 * to);
      }
    });
  });
  return sheet;
}

/** The mean of up to five values that end with each. */
function smoothed(values) {
  return values.map((_, i) => {
    const last = values.slice(Math.max(0, i - 4), i + 1);
    return last.reduce((sum, value) => sum + value, 0) / last.length;
  });
}

/** Lines from 0 at the bottom to a little above the largest value, with a rule at every 0.25. */
function chart(series) {
  const picture = blank(640, 360);
  const finite = series.flat().filter(Number.isFinite);
  const top = 1.1 * Math.max(0.25, ...finite);
  const [left, right, low, high] = [16, 624, 344, 16];
  const down = (value) => low + ((high - low) * value) / top;
  const dot = (x, y, radius, rgb) => {
    for (let v = Math.floor(y - radius); v <= y + radius; v++)
      for (let u = Math.floor(x - radius); u <= x + radius; u++)
        picture.data.set(rgb, 3 * (v * picture.width + u));
  };
  for (let value = 0; value < top; value += 0.25)
    for (let x = left; x < right; x++) dot(x, Math.round(down(value)), 0, [220, 220, 220]);
  series.forEach((values, i) => {
    const across = (index) => left + ((right - left) * index) / Math.max(1, values.length - 1);
    values.slice(1).forEach((value, index) => {
      if (!Number.isFinite(value + values[index])) return;
      for (let t = 0; t <= 1; t += 1 / 128) {
        const height = values[index] + (value - values[index]) * t;
        dot(across(index + t), down(height), 1, colours[i].rgb);
      }
    });
  });
  return picture;
}
