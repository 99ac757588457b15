/**
 * Shapes of things. A shape has `distance(x, y)`, in pixels to the nearest edge and negative inside (near enough
 * for edges to be smooth), `bounds` `[left, top, right, bottom]`, a `centre`, and perhaps `parts`, which are shapes.
 * One of several pieces has `pieces`, which are such shapes, in place of `distance`.
 */
import { between, clamp, pick } from "./random.mjs";

const around = ([cx, cy], reach) => [cx - reach, cy - reach, cx + reach, cy + reach];
const somewhere = (random, side) => [0, 0].map(() => between(random, 0.08, 0.92) * side);
/** Small things are more frequent than large ones. */
const sizeOf = (random, side) => side * (0.04 + 0.28 * random() ** 1.6);

/** Coordinates turned by an angle about a centre. */
function turned(random, [cx, cy]) {
  const angle = random() * 2 * Math.PI;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return (x, y) => [(x - cx) * cosine + (y - cy) * sine, (y - cy) * cosine - (x - cx) * sine];
}

function ellipse(random, side, centre = somewhere(random, side), radius = sizeOf(random, side)) {
  const flat = between(random, 0.4, 1);
  const turn = turned(random, centre);
  const distance = (x, y) => {
    const [u, v] = turn(x, y);
    return (Math.hypot(u, v / flat) - radius) * flat;
  };
  return { centre, radius: radius * flat, bounds: around(centre, radius), distance };
}

/** A round thing with a wavy outline: a leaf, a stone, an animal from afar. */
function blob(random, side, centre = somewhere(random, side), radius = sizeOf(random, side)) {
  const waves = [2, 3, 4, 5].map((n) => [n, between(random, 0, 0.5 / n), random() * 7]);
  const most = waves.reduce((sum, [, size]) => sum + size, 1);
  const distance = (x, y) => {
    const [dx, dy] = [x - centre[0], y - centre[1]];
    const angle = Math.atan2(dy, dx);
    let edge = 1;
    for (const [n, size, turn] of waves) edge += size * Math.sin(n * angle + turn);
    return (Math.hypot(dx, dy) - radius * edge) * 0.85;
  };
  return { centre, radius: radius * 0.5, bounds: around(centre, radius * most), distance };
}

function box(random, side, centre = somewhere(random, side), size = sizeOf(random, side)) {
  const [wide, high] = [size, size * between(random, 0.3, 1)];
  const round = random() < 0.5 ? 0 : high * random();
  const turn = random() < 0.4 ? (x, y) => [x - centre[0], y - centre[1]] : turned(random, centre);
  const distance = (x, y) => {
    const [u, v] = turn(x, y).map(Math.abs);
    const [dx, dy] = [u - wide + round, v - high + round];
    const outside = Math.hypot(Math.max(dx, 0), Math.max(dy, 0));
    return outside + Math.min(Math.max(dx, dy), 0) - round;
  };
  return { centre, radius: high, bounds: around(centre, Math.hypot(wide, high)), distance };
}

/** A polygon with a few corners, or a star. */
function polygon(random, side, centre = somewhere(random, side), radius = sizeOf(random, side)) {
  const star = random() < 0.35;
  const corners = (star ? 2 : 1) * (3 + Math.floor(random() * 4));
  const start = random() * 7;
  const points = Array.from({ length: corners }, (_, i) => {
    const angle = start + (2 * Math.PI * (i + (star ? 0 : between(random, -0.3, 0.3)))) / corners;
    const away = star ? radius * (i % 2 ? 0.45 : 1) : radius * between(random, 0.6, 1);
    return [centre[0] + away * Math.cos(angle), centre[1] + away * Math.sin(angle)];
  });
  const distance = (x, y) => {
    let [far, inside] = [Infinity, false];
    for (let i = 0, j = corners - 1; i < corners; j = i++) {
      const [[ax, ay], [bx, by]] = [points[j], points[i]];
      far = Math.min(far, toSegment(x, y, ax, ay, bx, by));
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
    return inside ? -far : far;
  };
  return { centre, radius: radius * 0.4, bounds: around(centre, radius), distance };
}

function ring(random, side) {
  const outer = ellipse(random, side);
  const thick = Math.max(1.2, outer.radius * between(random, 0.12, 0.4));
  const distance = (x, y) => Math.abs(outer.distance(x, y) + thick) - thick;
  return { ...outer, distance };
}

function crescent(random, side) {
  const [outer, reach] = [ellipse(random, side), sizeOf(random, side) * 0.5];
  const bite = ellipse(
    random,
    side,
    outer.centre.map((v) => v + between(random, -reach, reach)),
  );
  return { ...outer, distance: (x, y) => Math.max(outer.distance(x, y), -bite.distance(x, y)) };
}

// ---- Lines ----

function toSegment(x, y, ax, ay, bx, by) {
  const [ex, ey] = [bx - ax, by - ay];
  const along = clamp(((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey + 1e-9), 0, 1);
  return Math.hypot(x - ax - ex * along, y - ay - ey * along);
}

/** What is within half of a width of some lines `[ax, ay, bx, by, width]`. */
function strokes(lines) {
  const pieces = lines.map(([ax, ay, bx, by, width]) => ({
    bounds: [
      Math.min(ax, bx) - width / 2,
      Math.min(ay, by) - width / 2,
      Math.max(ax, bx) + width / 2,
      Math.max(ay, by) + width / 2,
    ],
    distance: (x, y) => toSegment(x, y, ax, ay, bx, by) - width / 2,
  }));
  const bounds = pieces.reduce((all, piece) => joinedBounds(all, piece.bounds), pieces[0].bounds);
  const [ax, ay, bx, by, width] = lines[lines.length >> 1];
  return { centre: [(ax + bx) / 2, (ay + by) / 2], radius: width / 2, bounds, pieces };
}

const joinedBounds = (a, b) => a.map((v, i) => (i < 2 ? Math.min : Math.max)(v, b[i]));

/** Lines that wander from a place, each as long as a step. */
function wander(random, [x, y], heading, steps, step, width, wild = 0.2) {
  const lines = [];
  let turn = 0;
  for (let i = 0; i < steps; i++) {
    turn = 0.7 * turn + between(random, -wild, wild);
    heading += turn;
    const [nextX, nextY] = [x + step * Math.cos(heading), y + step * Math.sin(heading)];
    lines.push([x, y, nextX, nextY, width]);
    [x, y] = [nextX, nextY];
  }
  return lines;
}

/** A thin thing right through the picture: a road, a river, a wire, a crack. */
function curve(random, side) {
  const heading = random() * 2 * Math.PI;
  const off = between(random, -0.3, 0.3) * side;
  const from = [
    side / 2 - Math.cos(heading) * side * 0.65 - Math.sin(heading) * off,
    side / 2 - Math.sin(heading) * side * 0.65 + Math.cos(heading) * off,
  ];
  const width = random() < 0.6 ? between(random, 2, 5) : between(random, 5, 16);
  return strokes(wander(random, from, heading, 30, side * 0.047, width));
}

/** A piece of rope, a snake, a stick. */
function stick(random, side) {
  const steps = 2 + Math.floor(random() * 10);
  const from = somewhere(random, side);
  const [heading, width] = [random() * 7, between(random, 2, 8)];
  return strokes(wander(random, from, heading, steps, side * 0.05, width, 0.35));
}

/** A trunk with branches. */
function branches(random, side) {
  const from = somewhere(random, side);
  const [heading, width] = [random() * 7, between(random, 3, 7)];
  const trunk = wander(random, from, heading, 8, side * 0.05, width, 0.15);
  const twigs = trunk.slice(2).flatMap(([, , x, y], i) => {
    if (random() < 0.4) return [];
    const aside = heading + (random() < 0.5 ? 1 : -1) * between(random, 0.5, 1.2);
    const thin = Math.max(2, width * (0.7 - 0.05 * i));
    return wander(random, [x, y], aside, 2 + Math.floor(random() * 4), side * 0.045, thin);
  });
  return strokes([...trunk, ...twigs]);
}

/** Pixels: the largest distance from an edge that is computed; beyond it this number stands. */
export const far = 6;

/** The distances of a shape at each pixel, f32 `[side, side]`. */
export function distancesOf({ pieces, ...shape }, side) {
  const distances = new Float32Array(side * side).fill(far);
  for (const { bounds, distance } of pieces ?? [shape]) {
    const [left, top, right, bottom] = pixelsIn(bounds, side);
    for (let y = top; y <= bottom; y++)
      for (let x = left; x <= right; x++) {
        const here = distance(x, y);
        if (here < distances[y * side + x]) distances[y * side + x] = here;
      }
  }
  return distances;
}

/** The pixels `[left, top, right, bottom]` of bounds and what is near them. */
export const pixelsIn = (bounds, side) =>
  bounds.map((v, i) => clamp(i < 2 ? Math.floor(v - far) : Math.ceil(v + far), 0, side - 1));

// ---- Things of parts ----

/** Two shapes that are one thing: a pear, a figure, a lamp. */
function joined(random, side) {
  const first = pick(random, [ellipse, blob, box])(random, side);
  const angle = random() * 7;
  const away = first.radius + sizeOf(random, side) * 0.3;
  const place = [
    first.centre[0] + away * Math.cos(angle),
    first.centre[1] + away * Math.sin(angle),
  ];
  const size = Math.max(4, first.radius * between(random, 0.5, 1));
  const second = pick(random, [ellipse, box])(random, side, place, size);
  return { ...first, bounds: joinedBounds(first.bounds, second.bounds), pieces: [first, second] };
}

/** A thing with something else on it: a window in a wall, a label on a bottle, an eye. */
function marked(random, side) {
  const size = side * between(random, 0.12, 0.3);
  const whole = pick(random, [ellipse, blob, box])(random, side, somewhere(random, side), size);
  const parts = Array.from({ length: 1 + Math.floor(random() * 2) }, () => {
    const place = whole.centre.map((v) => v + between(random, -0.5, 0.5) * whole.radius);
    const own = Math.max(3.5, whole.radius * between(random, 0.25, 0.6));
    return pick(random, [ellipse, box, polygon])(random, side, place, own);
  });
  return { ...whole, parts };
}

/** Shapes as `(random, side)` to a shape. */
export const shapes = [
  ellipse,
  blob,
  blob,
  box,
  box,
  polygon,
  polygon,
  ring,
  crescent,
  curve,
  curve,
  stick,
  branches,
  joined,
  marked,
  marked,
];
