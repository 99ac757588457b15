/** Pictures of the studio: drawn ones to begin with, and files. */
import { readImage } from "inarch/page";
import { resizeImage } from "inarch/runtime";
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

/** Pictures that are built in. */
export function drawnPictures(count) {
  return Array.from({ length: count }, (_, i) =>
    pictureOf(`garden ${i + 1}`, drawGarden(i + 1).image),
  );
}

/** @throws E624 for a file in which the browser finds no picture. */
export async function openPicture(file) {
  const whole = await readImage(file);
  const by = Math.min(1, longest / Math.max(whole.width, whole.height));
  const [width, height] = [whole.width, whole.height].map((v) => Math.max(1, Math.round(v * by)));
  return pictureOf(file.name, by < 1 ? resizeImage(whole, { width, height }) : whole);
}

/** @returns {Picture} */
function pictureOf(name, image) {
  const { width, height, data } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const seen = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let c = 0; c < 3; c++) seen.data[4 * at + c] = data[3 * at + c];
    seen.data[4 * at + 3] = 255;
  }
  canvas.getContext("2d").putImageData(seen, 0, 0);
  const label = new Uint8Array(width * height);
  return {
    ...{ name, image, canvas, label, painted: false, points: [], box: undefined },
    ...{ selection: undefined, found: new Map() },
  };
}
