/** Pictures that the studio begins with: beetles among leaves and berries, drawn, with the truth for tests. */
import { between, clamp, generator, hash } from "../small-sam/random.mjs";
import { cloudsOf } from "../small-sam/surfaces.mjs";

/** Side of a picture, in pixels. */
export const side = 256;

/**
 * @param {number} seed a whole number
 * @returns {{ image: import("inarch/runtime").Image, mask: import("inarch/runtime").Mask }} the mask is of the beetles
 */
export function drawGarden(seed) {
  const random = generator(seed * 977 + 13);
  const pixels = new Float32Array(3 * side * side);
  const mask = new Uint8Array(side * side);
  const draw = { random, pixels, mask };
  soil(draw);
  const leaves = 9 + Math.floor(random() * 5);
  for (let i = 0; i < leaves; i++) leaf(draw);
  for (let i = 0; i < 4 + Math.floor(random() * 4); i++) berry(draw);
  const beetles = 3 + Math.floor(random() * 2);
  for (let i = 0; i < beetles; i++) beetle(draw, i, beetles);
  const data = new Uint8ClampedArray(3 * side * side);
  for (let at = 0; at < side * side; at++) {
    const [x, y] = [at % side, Math.floor(at / side)];
    const light = 1.08 - 0.35 * ((x / side - 0.35) ** 2 + (y / side - 0.3) ** 2);
    const grain = 0.012 * (hash(x, y, seed) - 0.5);
    for (let c = 0; c < 3; c++) data[3 * at + c] = 255 * (pixels[3 * at + c] * light + grain);
  }
  return {
    image: { width: side, height: side, channels: 3, data: new Uint8Array(data.buffer) },
    mask: { width: side, height: side, data: mask },
  };
}

const mix = (a, b, share) => a.map((v, i) => v + (b[i] - v) * share);
const times = (colour, factor) => colour.map((v) => v * factor);

function soil({ random, pixels }) {
  const [clouds, fine] = [cloudsOf(random, 34), cloudsOf(random, 5)];
  for (let at = 0; at < side * side; at++) {
    const [x, y] = [at % side, Math.floor(at / side)];
    const tone = 0.65 * clouds(x, y) + 0.35 * fine(x, y);
    pixels.set(mix([0.15, 0.11, 0.08], [0.37, 0.28, 0.19], tone), 3 * at);
  }
}

/**
 * Paints within a reach of a centre, in coordinates turned by an angle: `shape(u, v)` is the distance to the edge,
 * negative inside, and `colour(u, v)` what is seen there. A soft shadow falls to the lower right.
 */
function paint({ pixels, mask }, { centre, angle, reach, shape, colour, marks = 0, shadow = 5 }) {
  const [cx, cy] = centre;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const within = (v) => clamp(Math.round(v), 0, side - 1);
  const each = (off, work) => {
    for (let y = within(cy - reach + off); y <= within(cy + reach + off); y++)
      for (let x = within(cx - reach + off); x <= within(cx + reach + off); x++) {
        const [dx, dy] = [x - cx - off, y - cy - off];
        work(y * side + x, dx * cosine + dy * sine, dy * cosine - dx * sine);
      }
  };
  each(shadow, (at, u, v) => {
    const dark = 1 - 0.5 * clamp(0.5 - shape(u, v) / (1.6 * shadow), 0, 1);
    for (let c = 0; c < 3; c++) pixels[3 * at + c] *= dark;
  });
  each(0, (at, u, v) => {
    const distance = shape(u, v);
    const share = clamp(0.5 - distance, 0, 1);
    if (share === 0) return;
    const seen = colour(u, v);
    for (let c = 0; c < 3; c++) pixels[3 * at + c] += (seen[c] - pixels[3 * at + c]) * share;
    if (distance < 0) mask[at] = marks;
  });
}

const anywhere = (random) => [random() * side, random() * side];

function leaf(draw) {
  const { random } = draw;
  const length = between(random, 38, 74);
  const width = length * between(random, 0.3, 0.46);
  const clouds = cloudsOf(random, 16, 2);
  const green = mix([0.16, 0.38, 0.12], [0.5, 0.62, 0.2], random());
  const dry = random() < 0.2 ? mix(green, [0.62, 0.45, 0.16], 0.7) : green;
  paint(draw, {
    ...{ centre: anywhere(random), angle: random() * 7, reach: length + 2 },
    shape: (u, v) => (Math.abs(v) - width * (1 - (u / length) ** 2)) * 0.85,
    colour(u, v) {
      const side1 = v > 0 ? 1.07 : 0.93;
      const rib = Math.abs(((u + Math.abs(v) * 0.9) / 9) % 1);
      const vein = Math.abs(v) < 0.9 ? 0.3 : rib < 0.12 ? 0.1 : 0;
      return mix(times(dry, side1 * (0.78 + 0.4 * clouds(u + 99, v + 99))), [0.75, 0.8, 0.5], vein);
    },
  });
}

function berry(draw) {
  const { random } = draw;
  const radius = between(random, 7, 14);
  const dark = random() < 0.5 ? [0.2, 0.16, 0.42] : [0.86, 0.72, 0.2];
  paint(draw, {
    ...{ centre: anywhere(random), angle: 0, reach: radius + 2 },
    shape: (u, v) => Math.hypot(u, v) - radius,
    colour: (u, v) => round(dark, u / radius, v / radius),
  });
}

/** A colour on something round that is lit from the upper left. */
function round(colour, u, v) {
  const lit = 0.62 - 0.36 * (u + v) * 0.7 - 0.2 * (u * u + v * v);
  const shine = clamp(1 - 5 * ((u + 0.4) ** 2 + (v + 0.42) ** 2), 0, 1) ** 2;
  return mix(times(colour, clamp(0.4 + lit, 0.25, 1.25)), [1, 1, 1], 0.7 * shine);
}

function beetle(draw, index, count) {
  const { random } = draw;
  // Apart from each other: each has a part of the picture.
  const turn = (2 * Math.PI * (index + between(random, 0.2, 0.8))) / count;
  const away = between(random, 0.16, 0.34) * side;
  const centre = [side / 2 + away * Math.cos(turn), side / 2 + away * Math.sin(turn)];
  const [long, wide] = [between(random, 17, 24), between(random, 0.76, 0.86)];
  const head = 0.42 * long;
  const angle = random() * 7;
  const red = mix([0.78, 0.1, 0.07], [0.9, 0.36, 0.08], random());
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const spots = [
    [-0.35, 0.42],
    [0.2, 0.5],
    [0.55, 0.24],
  ].map(([u, v]) => [u * long, v * long]);
  const shell = (u, v) => (Math.hypot(u / long, v / (long * wide)) - 1) * long * wide;
  const face = (u, v) => Math.hypot(u + long * 0.92, v) - head;
  paint(draw, {
    ...{ centre, angle, reach: long * 1.5, marks: 1 },
    shape: (u, v) => Math.min(shell(u, v), face(u, v)),
    colour(u, v) {
      // Light comes from the picture's upper left, however the beetle is turned.
      const [x, y] = [u * cosine - v * sine, u * sine + v * cosine];
      const black = [0.09, 0.08, 0.09];
      if (shell(u, v) > 0) return round(black, x / long, y / long);
      const line = Math.abs(v) < 0.9;
      const spot = spots.some(([a, b]) => Math.hypot(u - a, Math.abs(v) - b) < 0.17 * long);
      return round(line || spot ? black : red, x / long, y / long);
    },
  });
}
