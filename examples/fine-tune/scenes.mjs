/**
 * Draws pictures to train on, each with the mask of what is in it: textured ground, and a shape that is camouflaged,
 * thin or small. The same seed draws the same picture everywhere: all randomness is a hash of whole numbers.
 */

/** Side of a scene, in pixels. */
export const side = 128;

/**
 * One scene: thin curves, specks or a blob made of the ground's own colours, which differ from it by grain and a tint.
 *
 * @param {number} seed a whole number
 * @returns {Scene}
 *
 * @typedef {object} Scene
 * @property {import("inarch/runtime").Image} image `side` pixels square
 * @property {import("inarch/runtime").Mask} mask what belongs to the shape
 * @property {string} what the shape's name
 */
export function drawScene(seed) {
  const random = generator(seed);
  const palette = paletteOf(random);
  const ground = textureOf(random, palette, between(random, 0, Math.PI));
  const [what, draw] = shapes[Math.floor(random() * shapes.length)];
  const distances = new Float32Array(side * side).fill(far);
  draw(random, distances);
  const surface = camouflage(random, palette, ground.angle);
  const light = lightOf(random);
  const data = new Uint8Array(side * side * 3);
  distances.forEach((distance, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const inside = clamp(0.5 - distance);
    const below = ground.at(x, y);
    const seen = inside > 0 ? mix(below, surface.at(x, y), inside) : below;
    for (let channel = 0; channel < 3; channel++)
      data[i * 3 + channel] = Math.round(255 * clamp(seen[channel] * light(x, y)));
  });
  return {
    image: { width: side, height: side, channels: 3, data },
    mask: { width: side, height: side, data: Uint8Array.from(distances, (d) => (d < 0 ? 1 : 0)) },
    what,
  };
}

// ---- Randomness ----

/** Numbers in 0..1 from a seed. */
export function generator(seed) {
  let count = 0;
  return () => hash(seed, count++, 0x5eed);
}

/** A number in 0..1 that depends on three whole ones alone. */
function hash(x, y, z) {
  let h = Math.imul(x, 0x27d4eb2d) ^ Math.imul(y, 0x165667b1) ^ Math.imul(z, 0x1b873593);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

const between = (random, from, to) => from + (to - from) * random();
const clamp = (value) => Math.min(1, Math.max(0, value));
const mix = ([r, g, b], [r2, g2, b2], share) => [
  r + (r2 - r) * share,
  g + (g2 - g) * share,
  b + (b2 - b) * share,
];

// ---- Textures: [red, green, blue] in 0..1 at a place ----

/** Two colours of earth and stone, close to each other, of which a texture is made. */
function paletteOf(random) {
  const grey = between(random, 0.28, 0.72);
  const first = [0, 0, 0].map(() => grey + between(random, -0.18, 0.18));
  const second = first.map((value) => value + between(random, -0.2, 0.2));
  return [first, second];
}

/** Stretched noise along `angle`, between the palette's colours. */
function textureOf(random, [first, second], angle, wavelength = between(random, 7, 14)) {
  const [layer, stretch] = [Math.floor(random() * 2 ** 20), between(random, 1.6, 3)];
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const at = (x, y) => {
    const along = (x * cosine + y * sine) / (wavelength * stretch);
    const across = (y * cosine - x * sine) / wavelength;
    const coarse = noise(along, across, layer);
    const fine = noise(along * 2.7, across * 2.7, layer + 1);
    const grain = (hash(x, y, layer) - 0.5) * 0.06;
    const [r, g, b] = mix(first, second, clamp(1.6 * (0.65 * coarse + 0.35 * fine) - 0.3));
    return [r + grain, g + grain, b + grain];
  };
  return { at, angle };
}

/** The ground's palette with its grain turned, finer, and lighter or darker by a little. */
function camouflage(random, palette, angle) {
  const sign = random() < 0.5 ? -1 : 1;
  const shift = [0, 1, 2].map(() => sign * between(random, 0.05, 0.1));
  const shifted = palette.map((colour) => colour.map((value, i) => value + shift[i]));
  return textureOf(random, shifted, angle + between(random, 1.2, 1.9), between(random, 4, 6));
}

/** Light that falls off across the picture. */
function lightOf(random) {
  const angle = between(random, 0, 2 * Math.PI);
  const slope = between(random, 0, 0.35) / side;
  const [dx, dy] = [Math.cos(angle) * slope, Math.sin(angle) * slope];
  return (x, y) => 1 + dx * (x - side / 2) + dy * (y - side / 2);
}

/** Smooth noise in 0..1 with features about one unit wide. */
function noise(x, y, layer) {
  const [i, j] = [Math.floor(x), Math.floor(y)];
  const ease = (t) => t * t * (3 - 2 * t);
  const [u, v] = [ease(x - i), ease(y - j)];
  const row = (dj) => hash(i, j + dj, layer) * (1 - u) + hash(i + 1, j + dj, layer) * u;
  return row(0) * (1 - v) + row(1) * v;
}

// ---- Shapes: how they change distances in pixels to the nearest edge, negative inside ----

/** What is farther from every edge than this matters to nobody. */
const far = 8;

/** Makes distances smaller where a shape within `[left, top, right, bottom]` is nearer. */
function stamp(distances, [left, top, right, bottom], distance) {
  const within = (value) => Math.min(side - 1, Math.max(0, Math.round(value)));
  for (let y = within(top - far); y <= within(bottom + far); y++)
    for (let x = within(left - far); x <= within(right + far); x++)
      distances[y * side + x] = Math.min(distances[y * side + x], distance(x, y));
}

/** A round thing with a wavy outline. */
function blob(random, distances, [least, most]) {
  const radius = between(random, least, most);
  const margin = radius * 1.2 + 4;
  const [cx, cy] = [0, 0].map(() => between(random, margin, side - margin));
  const waves = [2, 3, 5].map((n) => [n, between(random, 0, 0.45 / n), between(random, 0, 7)]);
  const reach = radius * waves.reduce((sum, [, size]) => sum + size, 1);
  stamp(distances, [cx - reach, cy - reach, cx + reach, cy + reach], (x, y) => {
    const angle = Math.atan2(y - cy, x - cx);
    const wave = waves.reduce((sum, [n, size, turn]) => sum + size * Math.sin(n * angle + turn), 1);
    return Math.hypot(x - cx, y - cy) - radius * wave;
  });
}

/** A line that wanders through the picture, `width` pixels wide. */
function curve(random, distances, width) {
  let heading = between(random, 0, 2 * Math.PI);
  let turn = 0;
  // It begins at one side and heads for the middle.
  let at = [side / 2 - Math.cos(heading) * side * 0.6, side / 2 - Math.sin(heading) * side * 0.6];
  for (let i = 0; i < 32; i++) {
    turn = 0.75 * turn + between(random, -0.16, 0.16);
    heading += turn;
    const next = [at[0] + 5.5 * Math.cos(heading), at[1] + 5.5 * Math.sin(heading)];
    segment(distances, at, next, width / 2);
    at = next;
  }
}

function segment(distances, [ax, ay], [bx, by], radius) {
  const [ex, ey] = [bx - ax, by - ay];
  const bounds = [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
  const wider = bounds.map((value, i) => value + (i < 2 ? -radius : radius));
  stamp(distances, wider, (x, y) => {
    const along = clamp(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey));
    return Math.hypot(x - ax - ex * along, y - ay - ey * along) - radius;
  });
}

/** A shape's name, and what draws it. */
const shapes = [
  ["a thin curve", (random, on) => curve(random, on, between(random, 3, 5))],
  ["two thin curves", (random, on) => twice(() => curve(random, on, 3.5))],
  ["a camouflaged blob", (random, on) => blob(random, on, [14, 24])],
  [
    "small specks",
    (random, on) => {
      for (let i = 0; i < 5; i++) blob(random, on, [4, 7]);
    },
  ],
];

function twice(draw) {
  draw();
  draw();
}
