/** Pictures of the studio: drawn ones to begin with, and files. */
import { drawGarden } from "./garden.mjs";

/** So long is the longest side at most: larger files are made smaller. */
const longest = 1024;

/**
 * @typedef {object} Picture
 * @property {string} name
 * @property {import("inarch/runtime").Image} image
 * @property {HTMLCanvasElement} canvas the picture, drawn
 * @property {Uint8Array} label what is painted, a byte for each pixel, 0 or 1
 * @property {boolean} painted
 * @property {{ x: number, y: number, label: 0 | 1 }[]} points
 * @property {readonly number[] | undefined} box left, top, right, bottom
 * @property {Uint8Array | undefined} selection what the prompts select
 * @property {Map<string, Uint8Array>} found masks by the adapter's name
 */

/** @returns {Picture} */
function pictureOf(name, image, canvas) {
  const label = new Uint8Array(image.width * image.height);
  return {
    ...{ name, image, canvas, label, painted: false, points: [], box: undefined },
    ...{ selection: undefined, found: new Map() },
  };
}

export function drawnPictures(count) {
  return Array.from({ length: count }, (_, i) =>
    addImage(`garden ${i + 1}`, drawGarden(i + 1).image),
  );
}

/** A picture of red, green and blue bytes. */
function addImage(name, image) {
  const { width, height, data } = image;
  const canvas = canvasOf(width, height);
  const seen = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    seen.data.set(data.subarray(3 * at, 3 * at + 3), 4 * at);
    seen.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(seen, 0, 0);
  return pictureOf(name, image, canvas);
}

export async function openPicture(file) {
  const bitmap = await createImageBitmap(file);
  const by = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((v) => Math.max(1, Math.round(v * by)));
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, width, height);
  const { data: seen } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(3 * width * height);
  for (let at = 0; at < width * height; at++) data.set(seen.subarray(4 * at, 4 * at + 3), 3 * at);
  return pictureOf(file.name, { width, height, channels: 3, data }, canvas);
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  return Object.assign(canvas, { width, height });
}
