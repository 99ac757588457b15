/**
 * What grounds and things look like. A surface is a function of a place, `(x, y, colour, at)`, that writes red,
 * green and blue in 0..1 into `colour` from `at` on.
 */
import { between, clamp, hash, pick } from "./random.mjs";

// ---- Colours ----

const anyColour = (random) => {
  const value = between(random, 0.12, 0.95);
  const saturation = random() * random() * 1.1;
  const hue = random() * 6;
  return [0, 2, 4].map((shift) => {
    const ramp = clamp(Math.abs(((hue + shift) % 6) - 3) - 1, 0, 1);
    return clamp(value * (1 - saturation * (1 - ramp)), 0.02, 1);
  });
};

const near = (random, colour, spread) =>
  colour.map((value) => clamp(value + between(random, -spread, spread), 0.02, 1));

/** Writes a mixture of two colours. */
function mixInto(to, at, first, second, share) {
  for (let c = 0; c < 3; c++) to[at + c] = first[c] + (second[c] - first[c]) * share;
}

// ---- Noise ----

/** Values at whole places; they repeat after 256 places in each direction. */
const lattice = new Float32Array(2 ** 16);
for (let i = 0; i < lattice.length; i++) lattice[i] = hash(i, 0x1a77, 0x10);

/** Smooth noise in 0..1 with features about one unit wide. */
function noise(x, y) {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const s = x - i;
  const t = y - j;
  const u = s * s * (3 - 2 * s);
  const v = t * t * (3 - 2 * t);
  const row = (j & 255) << 8;
  const next = ((j + 1) & 255) << 8;
  const a = i & 255;
  const b = (i + 1) & 255;
  const upper = lattice[row + a] + (lattice[row + b] - lattice[row + a]) * u;
  const lower = lattice[next + a] + (lattice[next + b] - lattice[next + a]) * u;
  return upper + (lower - upper) * v;
}

/** Noise of several sizes, the largest `wavelength` pixels wide, stretched along a direction. */
export function cloudsOf(random, wavelength, octaves = 3) {
  const angle = random() * Math.PI;
  const stretch = random() < 0.5 ? 1 : between(random, 1.5, 4);
  const cosine = Math.cos(angle) / (wavelength * stretch);
  const along = Math.sin(angle) / (wavelength * stretch);
  const sine = Math.sin(angle) / wavelength;
  const across = Math.cos(angle) / wavelength;
  const left = random() * 256;
  const top = random() * 256;
  return (x, y) => {
    let u = x * cosine + y * along + left;
    let v = y * across - x * sine + top;
    let sum = 0;
    let weight = 0.55;
    for (let i = 0; i < octaves; i++) {
      sum += weight * noise(u, v);
      u = 2.1 * u + 17;
      v = 2.1 * v + 31;
      weight *= 0.5;
    }
    return clamp(1.5 * (sum / 0.96 - 0.5) + 0.5, 0, 1);
  };
}

// ---- Surfaces of things ----

/** A surface; one that hides has nearly the colour given. */
export function surfaceOf(random, side, hidden) {
  const first = hidden ? near(random, hidden, 0.12) : anyColour(random);
  const plain = random();
  const second = plain < 0.7 ? near(random, first, hidden ? 0.1 : 0.25) : anyColour(random);
  return pick(random, hidden ? [cloudy, grained] : surfaces)(random, first, second, side);
}

function solid(_random, first) {
  return (_x, _y, to, at) => mixInto(to, at, first, first, 0);
}

function cloudy(random, first, second) {
  const clouds = cloudsOf(random, between(random, 4, 24));
  return (x, y, to, at) => mixInto(to, at, first, second, clouds(x, y));
}

function grained(random, first, second) {
  const layer = Math.floor(random() * 2 ** 20);
  const amount = between(random, 0.2, 1);
  return (x, y, to, at) => mixInto(to, at, first, second, amount * hash(x, y, layer));
}

function striped(random, first, second) {
  const angle = random() * Math.PI;
  const turn = (2 * Math.PI) / between(random, 4, 14);
  const [dx, dy] = [Math.cos(angle) * turn, Math.sin(angle) * turn];
  const sharp = between(random, 1, 5);
  return (x, y, to, at) => {
    const wave = clamp(0.5 + sharp * 0.5 * Math.sin(x * dx + y * dy), 0, 1);
    mixInto(to, at, first, second, wave);
  };
}

function checked(random, first, second) {
  const angle = random() * Math.PI;
  const cell = between(random, 4, 10);
  const [dx, dy] = [Math.cos(angle) / cell, Math.sin(angle) / cell];
  return (x, y, to, at) => {
    const odd = (Math.floor(x * dx + y * dy) + Math.floor(y * dx - x * dy)) & 1;
    mixInto(to, at, first, second, odd);
  };
}

function dotted(random, first, second) {
  const cell = between(random, 5, 11);
  const radius = cell * between(random, 0.2, 0.42);
  return (x, y, to, at) => {
    const [u, v] = [x - cell * Math.round(x / cell), y - cell * Math.round(y / cell)];
    mixInto(to, at, first, second, clamp(0.5 + radius - Math.hypot(u, v), 0, 1));
  };
}

function graded(random, first, second, side) {
  const angle = random() * 2 * Math.PI;
  const reach = between(random, 0.3, 1) * side;
  const [dx, dy] = [Math.cos(angle) / reach, Math.sin(angle) / reach];
  const from = 0.5 - (dx + dy) * (side / 2);
  return (x, y, to, at) => mixInto(to, at, first, second, clamp(from + x * dx + y * dy, 0, 1));
}

const surfaces = [solid, solid, cloudy, cloudy, cloudy, grained, striped, checked, dotted, graded];

// ---- Grounds ----

function plainGround(random, side) {
  const first = anyColour(random);
  return cloudy(random, first, near(random, first, 0.25), side);
}

function smoothGround(random, side) {
  const first = anyColour(random);
  return graded(random, first, near(random, first, 0.4), side);
}

/** Sky above, and below it land whose texture grows towards the viewer. */
function horizon(random, side) {
  const height = side * between(random, 0.2, 0.7);
  const slope = between(random, -0.15, 0.15);
  const [high, low, land] = [anyColour(random), anyColour(random), anyColour(random)];
  const second = near(random, land, 0.3);
  const [sky, soil] = [cloudsOf(random, between(random, 14, 40)), cloudsOf(random, 8)];
  const ridge = cloudsOf(random, between(random, 10, 40));
  const bumps = random() < 0.5 ? between(random, 4, 22) : 0;
  return (x, y, to, at) => {
    const edge = height + slope * (x - side / 2) - bumps * ridge(x, 0);
    if (y < edge) {
      mixInto(to, at, high, low, clamp(0.6 * (y / height) + 0.4 * sky(x, y), 0, 1));
      return;
    }
    const depth = 10 / (4 + (y - edge) * 0.35);
    mixInto(to, at, land, second, soil((x - side / 2) * depth + side, depth * 60));
  };
}

/** Lights and things far out of focus. */
function unfocused(random, side) {
  const first = anyColour(random);
  const clouds = cloudsOf(random, between(random, 24, 60), 2);
  const second = near(random, first, 0.3);
  const spots = Array.from({ length: 3 + Math.floor(random() * 10) }, () => ({
    x: random() * side,
    y: random() * side,
    radius: between(random, 5, 26),
    soft: between(random, 3, 12),
    colour: near(random, random() < 0.5 ? first : anyColour(random), 0.2),
    strength: between(random, 0.2, 0.8),
  }));
  return (x, y, to, at) => {
    mixInto(to, at, first, second, clouds(x, y));
    for (const spot of spots) {
      const [dx, dy] = [x - spot.x, y - spot.y];
      const reach = spot.radius + spot.soft;
      if (dx * dx + dy * dy > reach * reach) continue;
      const share = clamp((spot.radius - Math.hypot(dx, dy)) / spot.soft + 0.5, 0, 1);
      for (let c = 0; c < 3; c++)
        to[at + c] += (spot.colour[c] - to[at + c]) * share * spot.strength;
    }
  };
}

/** Pebbles, leaves or cells: each place has the tone of its nearest seed. */
function cells(random) {
  const first = anyColour(random);
  const second = near(random, first, between(random, 0.1, 0.35));
  const cell = between(random, 7, 22);
  const layer = Math.floor(random() * 2 ** 20);
  const clouds = cloudsOf(random, 6, 2);
  return (x, y, to, at) => {
    const [i, j] = [Math.floor(x / cell), Math.floor(y / cell)];
    let best = Infinity;
    let next = Infinity;
    let tone = 0;
    for (let v = j - 1; v <= j + 1; v++)
      for (let u = i - 1; u <= i + 1; u++) {
        const dx = x / cell - u - hash(u, v, layer);
        const dy = y / cell - v - hash(u, v, layer + 1);
        const far = dx * dx + dy * dy;
        if (far < best) {
          next = best;
          best = far;
          tone = hash(u, v, layer + 2);
        } else if (far < next) next = far;
      }
    mixInto(to, at, first, second, clamp(0.75 * tone + 0.25 * clouds(x, y), 0, 1));
    const seam = clamp((Math.sqrt(next) - Math.sqrt(best)) * 4 + 0.45, 0, 1);
    for (let c = 0; c < 3; c++) to[at + c] *= seam;
  };
}

/** Boards, bricks or tiles. */
function masonry(random) {
  const first = anyColour(random);
  const second = near(random, first, 0.25);
  const joint = near(random, first, 0.35);
  const [wide, high] = [between(random, 14, 60), between(random, 8, 24)];
  const angle = random() < 0.5 ? 0 : random() * Math.PI;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const layer = Math.floor(random() * 2 ** 20);
  const clouds = cloudsOf(random, between(random, 4, 12), 2);
  return (x, y, to, at) => {
    const v = (y * cosine - x * sine) / high;
    const row = Math.floor(v);
    const u = (x * cosine + y * sine) / wide + 0.5 * (row & 1);
    const column = Math.floor(u);
    const tone = 0.6 * hash(column, row, layer) + 0.4 * clouds(x, y);
    mixInto(to, at, first, second, tone);
    const edge = Math.min((u - column) * wide, (v - row) * high);
    if (edge < 1.2) mixInto(to, at, joint, joint, 0);
  };
}

/** Grounds as `(random, side)` to a surface. */
export const grounds = [
  plainGround,
  plainGround,
  smoothGround,
  horizon,
  horizon,
  unfocused,
  unfocused,
  cells,
  masonry,
];

/** Light that falls off across the picture and towards its corners. */
export function lightOf(random, side) {
  const angle = random() * 2 * Math.PI;
  const slope = between(random, 0, 0.5) / side;
  const [dx, dy] = [Math.cos(angle) * slope, Math.sin(angle) * slope];
  const corner = random() < 0.4 ? between(random, 0, 0.5) / (side * side) : 0;
  return (x, y) => {
    const [u, v] = [x - side / 2, y - side / 2];
    return 1 + dx * u + dy * v - corner * (u * u + v * v);
  };
}
