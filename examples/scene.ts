/**
 * Draws the test photograph `test/fixtures/scene.png`: a mug, an orange, a pear, a lemon and a book on
 * a wooden table. Nothing in it comes from elsewhere. It is a small ray marcher: objects are
 * distance fields, light comes from a wide lamp at the upper left and from the room, and all texture is
 * noise made of a hash, so that every machine draws the same picture.
 *
 * Run it with a file name to draw it anew:
 *   npx esbuild examples/scene.ts --bundle --platform=node --format=esm --packages=external \
 *     --outfile=out/scene.mjs && node out/scene.mjs out/scene.png
 */

import { writePng } from "../predict/node/image.ts";
import { type Image, image } from "../predict/vision/image.ts";

export const sceneSize = { width: 320, height: 240 } as const;

/** The whole picture. Takes a few seconds. */
export function drawScene(): Image {
  const { width, height } = sceneSize;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(scenePixel(x, y), (y * width + x) * 3);
  }
  return image(width, height, data);
}

/** Red, green and blue of one pixel, in bytes: the mean of nine rays. */
export function scenePixel(x: number, y: number): Vector {
  let sum: Vector = [0, 0, 0];
  for (let i = 0; i < 9; i++) {
    const u = (x + ((i % 3) + 0.5) / 3) / sceneSize.width - 0.5;
    const v = 0.5 - (y + (Math.floor(i / 3) + 0.5) / 3) / sceneSize.height;
    const ray = unit(plus(forward, plus(times(right, u * view), times(up, v * view * 0.75))));
    sum = plus(sum, filmed(radiance(eye, ray)));
  }
  const corner = 1 - 0.34 * ((x / sceneSize.width - 0.5) ** 2 + (y / sceneSize.height - 0.5) ** 2);
  return map(sum, (value) => Math.round((255 * corner * value) / 9));
}

type Vector = readonly [number, number, number];

const map = (a: Vector, f: (value: number, axis: number) => number): Vector => [
  f(a[0], 0),
  f(a[1], 1),
  f(a[2], 2),
];
const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const times = (a: Vector, s: number): Vector => [a[0] * s, a[1] * s, a[2] * s];
const tint = (a: Vector, b: Vector): Vector => [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unit = (a: Vector) => times(a, 1 / Math.sqrt(dot(a, a)));
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const blend = (a: Vector, b: Vector, share: number) => plus(times(a, 1 - share), times(b, share));
const clamp = (value: number) => Math.min(1, Math.max(0, value));
const smooth = (from: number, to: number, value: number) => {
  const t = clamp((value - from) / (to - from));
  return t * t * (3 - 2 * t);
};

// Axes: x to the right, y up from the table, z away from the camera. A unit is about ten centimetres.
const eye: Vector = [0.15, 2.15, -4.6];
const forward = unit(plus([0.06, 0.42, 0], times(eye, -1)));
const right = unit(cross([0, 1, 0], forward));
const up = cross(forward, right);
const view = 0.8;
const wallZ = 2.6;
const lamp = unit([-0.62, 0.78, -0.42]);
const lampColour: Vector = [3.3, 3.0, 2.55];
const skyColour: Vector = [0.5, 0.58, 0.72];
const tableBounce: Vector = [0.3, 0.19, 0.11];

// ---- Noise ----

/** A number in 0..1 that depends on nothing but three whole ones. */
function hash(x: number, y: number, z: number): number {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x1b873593);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

/** Smooth noise in 0..1 with features about one unit wide. */
function noise(x: number, y: number, z: number): number {
  const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  const [u, v, w] = [smooth(0, 1, x - i), smooth(0, 1, y - j), smooth(0, 1, z - k)];
  const mix = (a: number, b: number, t: number) => a + (b - a) * t;
  const along = (dj: number, dk: number) =>
    mix(hash(i, j + dj, k + dk), hash(i + 1, j + dj, k + dk), u);
  return mix(mix(along(0, 0), along(1, 0), v), mix(along(0, 1), along(1, 1), v), w);
}

/** Noise of several sizes on top of each other, in 0..1. */
function cloud(x: number, y: number, z: number, octaves: number): number {
  let [sum, weight, scale] = [0, 0.5, 1];
  for (let i = 0; i < octaves; i++) {
    sum += weight * noise(x * scale, y * scale, z * scale + 17 * i);
    weight *= 0.5;
    scale *= 2.03;
  }
  return sum / (1 - weight * 2);
}

// ---- Things ----

interface Surface {
  readonly colour: Vector;
  /** How sharp and how strong the lamp is mirrored. */
  readonly gloss: number;
  readonly shine: number;
}

interface Thing {
  /** Distance to the surface, negative inside; never more than the true distance by much. */
  readonly distance: (x: number, y: number, z: number) => number;
  readonly centre: Vector;
  /** Everything of it lies within this distance of the centre. */
  readonly radius: number;
  readonly surface: (at: Vector) => Surface;
}

const length2 = (a: number, b: number) => Math.sqrt(a * a + b * b);
const length3 = (a: number, b: number, c: number) => Math.sqrt(a * a + b * b + c * c);

/** The union of two distances with a fillet of width k. */
function melt(a: number, b: number, k: number): number {
  const overlap = Math.max(k - Math.abs(a - b), 0) / k;
  return Math.min(a, b) - overlap * overlap * k * 0.25;
}

/** A rounded cylinder standing at height y0..y1. */
function tube(x: number, y: number, z: number, radius: number, y0: number, y1: number, r: number) {
  const side = length2(x, z) - radius + r;
  const end = Math.max(y0 - y, y - y1) + r;
  return Math.min(Math.max(side, end), 0) + length2(Math.max(side, 0), Math.max(end, 0)) - r;
}

const mug: Thing = {
  centre: [-1.02, 0.5, 0.35],
  radius: 0.95,
  distance(px, y, pz) {
    const [x, z] = [px + 1.02, pz - 0.35];
    const shell = Math.max(tube(x, y, z, 0.46, 0, 1, 0.07), -tube(x, y, z, 0.39, 0.1, 1.4, 0.1));
    // The handle points to the left and a little to the viewer.
    const [along, across] = [-x * 0.9 - z * 0.436, x * 0.436 - z * 0.9];
    const ring = length2(length2(along - 0.47, (y - 0.52) * 0.86) - 0.27, across) - 0.062;
    return melt(shell, Math.max(ring, 0.4 - along), 0.06);
  },
  surface: ([px, y, pz]) => {
    const fromAxis = length2(px + 1.02, pz - 0.35);
    const inside = fromAxis < 0.42 && y > 0.1;
    const onWall = smooth(0.5, 0.48, fromAxis);
    const band = onWall * smooth(0.008, 0.0, Math.abs(y - 0.24) - 0.03);
    const glaze: Vector = inside ? [0.82, 0.8, 0.74] : [0.05, 0.17, 0.36];
    return { colour: blend(glaze, [0.85, 0.83, 0.76], inside ? 0 : band), gloss: 90, shine: 0.55 };
  },
};

const orange: Thing = {
  centre: [0.12, 0.44, 0.62],
  radius: 0.5,
  distance(x, y, z) {
    const [dx, dy, dz] = [x - 0.12, y - 0.43, z - 0.62];
    const round = length3(dx, dy * 1.04, dz) - 0.45;
    const dimple = 0.05 * Math.exp(-40 * (dx * dx + dz * dz)) * (dy > 0 ? 1 : 0);
    return round > 0.05 ? round : round + dimple + 0.006 * noise(x * 34, y * 34, z * 34);
  },
  surface: (at) => {
    const [dx, dy, dz] = [at[0] - 0.12, at[1] - 0.43, at[2] - 0.62];
    const navel = smooth(0.06, 0.02, length2(dx, dz)) * (dy > 0 ? 1 : 0);
    const peel = blend([0.86, 0.25, 0.015], [0.93, 0.35, 0.03], cloud(dx * 5, dy * 5, dz * 5, 2));
    return { colour: blend(peel, [0.25, 0.3, 0.08], navel), gloss: 22, shine: 0.22 };
  },
};

const pear: Thing = {
  centre: [1.28, 0.62, 0.2],
  radius: 0.85,
  distance(px, y, pz) {
    const [x, z] = [px - 1.28, pz - 0.2];
    const body = melt(length3(x, y - 0.4, z) - 0.41, length3(x + 0.03, y - 0.88, z) - 0.2, 0.34);
    const t = clamp((y - 1.05) / 0.24);
    const stem = length3(x + 0.03 - 0.08 * t * t, y - 1.05 - 0.24 * t, z) - 0.022;
    return Math.min(body, stem);
  },
  surface: ([px, y, pz]) => {
    const [x, z] = [px - 1.28, pz - 0.2];
    if (y > 1.07) return { colour: [0.16, 0.09, 0.04], gloss: 8, shine: 0.05 };
    const blush = smooth(0.42, 0.75, cloud(x * 2.2 + 3, y * 2.2, z * 2.2, 2) + x * 0.45);
    const freckle = smooth(0.7, 0.78, noise(px * 30, y * 30, pz * 30)) * 0.45;
    const skin = blend([0.5, 0.58, 0.1], [0.64, 0.3, 0.07], blush);
    return { colour: blend(skin, [0.3, 0.22, 0.06], freckle), gloss: 26, shine: 0.2 };
  },
};

const lemon: Thing = {
  centre: [-0.42, 0.22, -0.55],
  radius: 0.46,
  distance(px, y, pz) {
    const [ax, az] = [px + 0.42, pz + 0.55];
    const [x, z] = [ax * 0.86 + az * 0.51, az * 0.86 - ax * 0.51];
    const dy = y - 0.225;
    const flesh = (length3(x / 0.31, dy / 0.225, z / 0.225) - 1) * 0.22;
    const ends = length3(Math.abs(x) - 0.32, dy, z) - 0.045;
    return melt(flesh, ends, 0.12) + (flesh < 0.03 ? 0.004 * noise(px * 40, y * 40, pz * 40) : 0);
  },
  surface: ([x, y, z]) => ({
    colour: blend([0.86, 0.67, 0.05], [0.92, 0.76, 0.12], cloud(x * 6, y * 6, z * 6, 2)),
    gloss: 30,
    shine: 0.25,
  }),
};

/** From the table's axes to those of the book, which lies askew. */
const onBook = (px: number, pz: number) => {
  const [x, z] = [px - 0.72, pz + 0.78];
  return [x * 0.93 - z * 0.367, z * 0.93 + x * 0.367] as const;
};

const book: Thing = {
  centre: [0.72, 0.09, -0.78],
  radius: 0.68,
  distance(px, y, pz) {
    const [x, z] = onBook(px, pz);
    const slab = (width: number, height: number, depth: number, round: number) => {
      const [dx, dy, dz] = [Math.abs(x) - width, Math.abs(y - 0.09) - height, Math.abs(z) - depth];
      const out = length3(Math.max(dx, 0), Math.max(dy, 0), Math.max(dz, 0));
      return out + Math.min(Math.max(dx, dy, dz), 0) - round;
    };
    const covers = Math.max(slab(0.5, 0.08, 0.35, 0.01), 0.068 - Math.abs(y - 0.09));
    const spine = Math.max(slab(0.5, 0.08, 0.35, 0.01), x + 0.47);
    return Math.min(covers, spine, slab(0.47, 0.07, 0.32, 0.002));
  },
  surface: ([px, y, pz]) => {
    const [x, z] = onBook(px, pz);
    const leaf = 0.76 + 0.16 * noise(1, y * 190, 3);
    if (Math.abs(y - 0.09) < 0.069 && x > -0.46) {
      return { colour: [leaf, leaf * 0.94, leaf * 0.8], gloss: 4, shine: 0.02 };
    }
    const edge = Math.max(Math.abs(x - 0.02) / 0.4, Math.abs(z) / 0.27);
    const gilt = smooth(0.035, 0.015, Math.abs(edge - 1)) * (y > 0.1 ? 0.8 : 0);
    const cloth = 0.85 + 0.3 * noise(x * 90, 0, z * 90);
    const red: Vector = [0.42 * cloth, 0.045 * cloth, 0.05 * cloth];
    return { colour: blend(red, [0.72, 0.52, 0.2], gilt), gloss: 14, shine: 0.1 };
  },
};

const things: readonly Thing[] = [mug, orange, pear, lemon, book];

/** Boards that run across the view, with grain along them. */
function wood(x: number, z: number): Surface {
  const board = Math.floor(z / 0.62 + 0.3);
  const within = z / 0.62 + 0.3 - board;
  const shift = hash(board, 7, 3) * 40;
  const wave = cloud(x * 0.8 + shift, board * 9, z * 3, 3);
  const ring = 0.5 + 0.5 * Math.sin((z * 9 + wave * 9 + x * 0.25) * 3.1);
  const fibre = cloud(x * 3 + shift, board, z * 55, 3);
  const tone = clamp(0.3 * ring + 0.45 * fibre + 0.3 * hash(board, 1, 2));
  const colour = blend([0.27, 0.135, 0.06], [0.56, 0.34, 0.17], tone);
  const seam = smooth(0.0, 0.022, Math.min(within, 1 - within));
  return { colour: times(colour, 0.25 + 0.75 * seam), gloss: 16, shine: 0.16 };
}

/** A plastered wall, a little uneven. */
function plaster(x: number, y: number): Surface {
  const grain = 0.9 + 0.12 * cloud(x * 6, y * 6, 5, 4);
  const pool = 0.62 + 0.6 * Math.exp(-0.16 * ((x + 1.1) ** 2 + (y - 1) ** 2));
  return { colour: times([0.5, 0.56, 0.54], grain * pool), gloss: 2, shine: 0 };
}

// ---- Light ----

interface Hit {
  readonly at: Vector;
  readonly normal: Vector;
  readonly surface: Surface;
}

/** The light that comes along a ray, linear, about 0..1. */
function radiance(from: Vector, ray: Vector): Vector {
  const { at, normal, surface } = nearest(from, ray);
  const lit = Math.max(0, dot(normal, lamp));
  const shadow = lit > 0 ? lampSeen(plus(at, times(normal, 0.01))) : 0;
  const open = openness(at, normal);
  const direct = times(lampColour, lit * shadow * 0.32);
  const sky = times(skyColour, (0.5 + 0.5 * normal[1]) * open * 0.62);
  const bounce = times(tableBounce, (0.5 - 0.5 * normal[1]) * open);
  const diffuse = tint(surface.colour, plus(direct, plus(sky, bounce)));
  const halfway = unit(plus(lamp, times(ray, -1)));
  const mirror = Math.max(0, dot(normal, halfway)) ** surface.gloss * surface.shine * shadow;
  const grazing = (1 - clamp(-dot(normal, ray))) ** 5 * surface.shine * open;
  return plus(diffuse, plus(times(lampColour, mirror * 0.4), times(skyColour, grazing * 0.5)));
}

/** The nearest surface. The table and the wall close the room: there always is one. */
function nearest(from: Vector, ray: Vector): Hit {
  const toTable = ray[1] < -1e-6 ? -from[1] / ray[1] : Number.POSITIVE_INFINITY;
  const toWall = ray[2] > 1e-6 ? (wallZ - from[2]) / ray[2] : Number.POSITIVE_INFINITY;
  const end = Math.min(toTable, toWall, 100);
  const reached = things.filter((thing) => passes(thing, from, ray));
  let travelled = 0;
  for (let step = 0; reached.length > 0 && step < 160 && travelled < end; step++) {
    const at = plus(from, times(ray, travelled));
    let gap = Number.POSITIVE_INFINITY;
    for (const thing of reached) {
      const distance = thing.distance(...at);
      if (distance < 0.0008) return { at, normal: normalOf(thing, at), surface: thing.surface(at) };
      gap = Math.min(gap, distance);
    }
    travelled += gap * 0.85;
  }
  const at = plus(from, times(ray, end));
  return end === toTable
    ? { at, normal: [0, 1, 0], surface: wood(at[0], at[2]) }
    : { at, normal: [0, 0, -1], surface: plaster(at[0], at[1]) };
}

function passes({ centre, radius }: Thing, from: Vector, ray: Vector): boolean {
  const to = plus(centre, times(from, -1));
  const along = dot(to, ray);
  return along > -radius && dot(to, to) - along * along < radius * radius;
}

function normalOf({ distance }: Thing, [x, y, z]: Vector): Vector {
  const e = 0.002;
  return unit([
    distance(x + e, y, z) - distance(x - e, y, z),
    distance(x, y + e, z) - distance(x, y - e, z),
    distance(x, y, z + e) - distance(x, y, z - e),
  ]);
}

/** How much of the lamp is seen: the narrowest cone left open on the way to it. */
function lampSeen(from: Vector): number {
  const reached = things.filter((thing) =>
    passes({ ...thing, radius: thing.radius * 1.6 }, from, lamp),
  );
  let open = 1;
  let travelled = 0.02;
  for (let step = 0; reached.length > 0 && step < 60 && travelled < 4; step++) {
    let gap = 1;
    for (const thing of reached) {
      gap = Math.min(gap, thing.distance(...plus(from, times(lamp, travelled))));
    }
    open = Math.min(open, 0.5 + (0.5 * gap) / (0.11 * travelled));
    if (open <= 0) return 0;
    travelled += Math.min(0.25, Math.max(0.012, Math.abs(gap) * 0.7));
  }
  return open * open * (3 - 2 * open);
}

/** How much of the room a place sees: corners and contacts are dark. */
function openness(at: Vector, normal: Vector): number {
  let hidden = 0;
  for (let i = 1; i <= 5; i++) {
    const reach = i * 0.085;
    const [x, y, z] = plus(at, times(normal, reach));
    let gap = Math.min(y, wallZ - z);
    for (const { distance, centre, radius } of things) {
      const away = length3(x - centre[0], y - centre[1], z - centre[2]) - radius;
      if (away < gap) gap = Math.min(gap, distance(x, y, z));
    }
    hidden += (reach - gap) * 0.72 ** i;
  }
  return clamp(1 - 1.5 * hidden);
}

/** From light to what a camera stores: highlights roll off, then the curve of sRGB. */
function filmed(light: Vector): Vector {
  return map(light, (value) => {
    const v = value * 0.8;
    const film = (v * (2.51 * v + 0.03)) / (v * (2.43 * v + 0.59) + 0.14);
    return clamp(film) ** (1 / 2.2);
  });
}

if (process.argv[1]?.endsWith("scene.mjs")) await writePng(process.argv[2]!, drawScene());
