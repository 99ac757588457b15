/**
 * Draws the pictures that the small SAM learns from, and says of every pixel which thing it shows: things of many
 * shapes, some of parts, of many surfaces, in front of each other, on grounds like those of photographs. The same
 * seed draws the same picture: all randomness is a hash of whole numbers.
 */
import { between, clamp, generator, hash, pick } from "./random.mjs";
import { distancesOf, pixelsIn, shapes } from "./shapes.mjs";
import { grounds, lightOf, surfaceOf } from "./surfaces.mjs";

/** Side of a scene, in pixels. */
export const side = 128;

/** Pixels of a thing that are visible, at least, for its mask to be asked for. */
const least = 20;

/**
 * @param {number} seed a whole number
 * @returns {Scene}
 *
 * @typedef {object} Scene
 * @property {import("inarch/runtime").Image} image `side` pixels square
 * @property {readonly Uint8Array[]} targets masks of `side * side` bytes, 0 or 1: of whole things as far as they
 *   are seen, and of their parts
 * @property {Uint8Array} things the union of all things
 */
export function drawScene(seed) {
  const scene = draw(seed);
  // In a few nothing is seen: all lies outside.
  return scene.targets.length > 0 ? scene : drawScene(seed + 2 ** 26);
}

function draw(seed) {
  const random = generator(seed);
  const pixels = new Float32Array(3 * side * side);
  const owners = new Uint8Array(side * side);
  const ground = pick(random, grounds)(random, side);
  for (let i = 0; i < side * side; i++) ground(i % side, Math.floor(i / side), pixels, 3 * i);
  // Which whole thing each part belongs to; parts are numbered from 1.
  const wholes = [];
  const count = 1 + Math.floor(random() * random() * 7.5);
  for (let thing = 0; thing < count; thing++) {
    const shape = pick(random, shapes)(random, side);
    const hidden = random() < 0.2;
    const surface = surfaceOf(random, side, hidden ? meanAt(pixels, shape.centre) : undefined);
    const distances = distancesOf(shape, side);
    if (random() < 0.4) darken(random, pixels, shape.bounds, distances);
    wholes.push(thing);
    const seen = { pixels, owners, owner: wholes.length };
    paint({ ...seen, shape, distances, surface, relief: between(random, 0, 0.6), light: random() });
    for (const part of shape.parts ?? []) {
      wholes.push(thing);
      paint({
        ...{ pixels, owners, owner: wholes.length, within: seen.owner },
        ...{ shape: part, distances: distancesOf(part, side), surface: surfaceOf(random, side) },
        ...{ relief: between(random, 0, 0.4), light: random() },
      });
    }
  }
  return { image: developed(random, pixels), ...targetsOf(owners, wholes, count) };
}

/** Paints where a shape is; with `within`, only on what that owns. */
function paint({ pixels, owners, owner, within, shape, distances, surface, relief, light }) {
  const [left, top, right, bottom] = pixelsIn(shape.bounds, side);
  const colour = new Float32Array(3);
  const [cx, cy] = shape.centre;
  const reach = 2 / Math.max(16, right - left + bottom - top);
  const lx = Math.cos(light * 2 * Math.PI) * reach;
  const ly = Math.sin(light * 2 * Math.PI) * reach;
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const at = y * side + x;
      const distance = distances[at];
      if (distance >= 0.5 || (within !== undefined && owners[at] !== within)) continue;
      const share = Math.min(1, 0.5 - distance);
      surface(x, y, colour, 0);
      // Lighter on the side of the light, darker on the other, as on something round.
      const shade = 1 + relief * clamp((x - cx) * lx + (y - cy) * ly, -0.9, 0.9);
      for (let c = 0; c < 3; c++) {
        const i = 3 * at + c;
        pixels[i] += (colour[c] * shade - pixels[i]) * share;
      }
      if (distance < 0) owners[at] = owner;
    }
}

/** A soft shadow beside a shape. */
function darken(random, pixels, bounds, distances) {
  const [dx, dy] = [Math.round(between(random, -4, 4)), Math.round(between(random, 1, 5))];
  const strength = between(random, 0.35, 0.75);
  const soft = 3;
  const [left, top, right, bottom] = pixelsIn(bounds, side);
  for (let y = Math.max(top, -dy); y <= Math.min(bottom, side - 1 - dy); y++)
    for (let x = Math.max(left, -dx); x <= Math.min(right, side - 1 - dx); x++) {
      const distance = distances[y * side + x];
      if (distance >= soft) continue;
      const factor = 1 - strength * Math.min(1, (soft - distance) / (2 * soft));
      const at = 3 * ((y + dy) * side + x + dx);
      for (let c = 0; c < 3; c++) pixels[at + c] *= factor;
    }
}

function meanAt(pixels, [x, y]) {
  const at = 3 * (clamp(Math.round(y), 0, side - 1) * side + clamp(Math.round(x), 0, side - 1));
  return [pixels[at], pixels[at + 1], pixels[at + 2]];
}

/** Light across the picture, a lens, and a sensor's noise. */
function developed(random, pixels) {
  const light = lightOf(random, side);
  const [gamma, noise] = [between(random, 0.8, 1.25), 255 * random() * random() * 0.09];
  const grain = Math.floor(random() * 2 ** 20);
  const blurred = random() < 0.3 ? blur(pixels) : pixels;
  const levels = Float32Array.from({ length: 1025 }, (_, i) => 255 * (i / 1024) ** gamma);
  // Bytes beyond 0 and 255 become these, and others are rounded.
  const data = new Uint8ClampedArray(3 * side * side);
  for (let i = 0; i < side * side; i++) {
    const factor = 1024 * light(i % side, Math.floor(i / side));
    for (let c = 0; c < 3; c++) {
      const level = levels[Math.round(clamp(blurred[3 * i + c] * factor, 0, 1024))];
      data[3 * i + c] = level + noise * (2 * hash(i, c, grain) - 1);
    }
  }
  return { width: side, height: side, channels: 3, data: new Uint8Array(data.buffer) };
}

/** Each pixel as the weighted mean of itself and its four neighbours. */
function blur(pixels) {
  const result = Float32Array.from(pixels);
  for (let y = 1; y < side - 1; y++)
    for (let i = 3 * (y * side + 1); i < 3 * (y * side + side - 1); i++)
      result[i] =
        0.4 * pixels[i] +
        0.15 * (pixels[i - 3] + pixels[i + 3] + pixels[i - 3 * side] + pixels[i + 3 * side]);
  return result;
}

function targetsOf(owners, wholes, count) {
  const targets = [];
  const add = (belongs) => {
    const mask = new Uint8Array(owners.length);
    let area = 0;
    for (let i = 0; i < mask.length; i++)
      if (owners[i] > 0 && belongs(owners[i])) {
        mask[i] = 1;
        area++;
      }
    if (area >= least) targets.push(mask);
  };
  for (let thing = 0; thing < count; thing++) {
    add((owner) => wholes[owner - 1] === thing);
    const parts = wholes.flatMap((whole, i) => (whole === thing ? [i + 1] : []));
    if (parts.length > 1) for (const part of parts.slice(1)) add((owner) => owner === part);
  }
  return { targets, things: owners.map((owner) => (owner > 0 ? 1 : 0)) };
}
