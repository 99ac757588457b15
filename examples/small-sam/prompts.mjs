/**
 * Prompts as SAM was trained with them: a point anywhere on a thing, or its box, a little wrong; then a point where
 * the mask is wrong, with that mask. All are drawn from numbers, so a step can be made again.
 */
import { normalize } from "inarch/runtime";
import { clamp, generator } from "./random.mjs";
import { side } from "./scenes.mjs";

/** Prompts of a picture in a step, and the most points of one: three clicks, and a box or a point that is none. */
export const [prompts, slots] = [4, 5];
/** Side of the masks that the model's decoder makes. */
export const lowSide = side / 2;

/**
 * What a batch of scenes asks for: for each of `prompts` targets of each scene a mask, and a point or a box.
 *
 * @param {readonly import("./scenes.mjs").Scene[]} scenes
 * @param {number} seed
 * @param {"point" | "box" | "either" | "nothing"} kind with "nothing" every target is all things of its scene
 * @param {boolean} [flips] whether scenes are seen in a mirror, half of them
 */
export function ask(scenes, seed, kind = "either", flips = false) {
  const random = generator(seed);
  const items = [];
  const image = new Float32Array(scenes.length * 3 * side * side);
  scenes.forEach((scene, i) => {
    const mirror = flips && random() < 0.5;
    image.set(normalize(mirror ? mirrored(scene.image) : scene.image, side), i * 3 * side * side);
    const first = Math.floor(random() * scene.targets.length);
    for (let k = 0; k < prompts; k++) {
      const own = scene.targets[(first + k) % scene.targets.length];
      const whole = kind === "nothing" ? scene.things : own;
      const mask = mirror ? mirroredMask(whole) : whole;
      const boxed = kind === "box" || (kind === "either" && random() < 0.5);
      const clicks = kind === "nothing" || boxed ? [] : [clickOn(random, (at) => mask[at] === 1)];
      items.push({ mask, clicks: clicks.filter(Boolean), box: boxed && boxOf(random, mask) });
    }
  });
  return { image, items, kind };
}

/** The inputs of a step: see `promptedSam`, and `target` f32 `[items, 1, lowSide, lowSide]`, the share of a cell. */
export function inputsOf({ image, items, kind }, before) {
  const count = items.length;
  const points = new Float32Array(count * slots * 2);
  const labels = new Int32Array(count * slots).fill(-1);
  const target = new Float32Array(count * lowSide * lowSide);
  items.forEach(({ mask, clicks, box }, i) => {
    // Points, then one that is none where there is no box, then the box: SAM's order.
    const corners = box
      ? [
          [box[0], box[1], 2],
          [box[2], box[3], 3],
        ]
      : [[-0.5, -0.5, -1]];
    [...clicks, ...corners].forEach(([x, y, label], slot) => {
      points.set([x, y], (i * slots + slot) * 2);
      labels[i * slots + slot] = label;
    });
    shrink(mask, target, i * lowSide * lowSide);
  });
  // A point and what is none are two, as the corners of a box are: all items use equally many slots.
  const used =
    kind === "nothing" ? 0 : 2 + (before ? items[0].clicks.length - (items[0].box ? 0 : 1) : 0);
  return {
    ...{ image, points, labels, target, count: [used] },
    mask: before ?? new Float32Array(count * lowSide * lowSide),
    has_mask: new Int32Array(count).fill(before ? 1 : 0),
  };
}

/** One more click for each item, where a mask of its logits is wrong, and the logits to give as the mask. */
export function correct(asked, seed, { logits, iou }) {
  const random = generator(seed);
  const [masks, area] = [iou.length / asked.items.length, lowSide * lowSide];
  const before = new Float32Array(asked.items.length * area);
  const items = asked.items.map((item, i) => {
    const best = item.clicks.length > 0 && !item.box && item.clicks.length === 1;
    const scores = iou.subarray(i * masks, (i + 1) * masks);
    const chosen = best ? 1 + indexOfMost(scores.subarray(1)) : 0;
    const own = logits.subarray((i * masks + chosen) * area, (i * masks + chosen + 1) * area);
    before.set(own, i * area);
    const found = (at) => own[lowIndex(at)] > 0;
    const wrong = (at) => (item.mask[at] === 1) !== found(at);
    const click = clickOn(random, wrong, item.mask) ?? clickOn(random, (at) => item.mask[at] === 1);
    return { ...item, clicks: [...item.clicks, click] };
  });
  return { asked: { ...asked, items }, before };
}

const indexOfMost = (values) => values.indexOf(Math.max(...values));
const lowIndex = (at) => (Math.floor(at / side) >> 1) * lowSide + ((at % side) >> 1);

/** A place `[x, y, label]` among those that belong, each as likely as any other; undefined if there is none. */
function clickOn(random, belongs, mask) {
  let count = 0;
  for (let at = 0; at < side * side; at++) if (belongs(at)) places[count++] = at;
  if (count === 0) return undefined;
  const at = places[Math.floor(random() * count)];
  return [at % side, Math.floor(at / side), mask ? mask[at] : 1];
}

const places = new Uint16Array(side * side);

/** The box around a mask, each side moved by about a tenth of the box. */
function boxOf(random, mask) {
  let [left, top, right, bottom] = [side, side, 0, 0];
  for (let at = 0; at < side * side; at++) {
    if (mask[at] === 0) continue;
    const y = Math.floor(at / side);
    const x = at - y * side;
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = y;
  }
  const move = (value, size) => {
    const off = clamp(size * 0.1 * (random() + random() + random() - 1.5) * 2, -6, 6);
    return clamp(value + off, 0, side - 1);
  };
  const [wide, high] = [right - left + 1, bottom - top + 1];
  return [move(left, wide), move(top, high), move(right, wide), move(bottom, high)];
}

/** Writes the share of each cell of 2 x 2 pixels that is inside. */
function shrink(mask, to, from) {
  for (let y = 0; y < lowSide; y++)
    for (let x = 0; x < lowSide; x++) {
      const at = 2 * y * side + 2 * x;
      to[from + y * lowSide + x] =
        (mask[at] + mask[at + 1] + mask[at + side] + mask[at + side + 1]) / 4;
    }
}

function mirrored({ data, ...image }) {
  const turned = new Uint8Array(data.length);
  for (let at = 0; at < side * side; at++)
    for (let c = 0; c < 3; c++) turned[3 * at + c] = data[3 * mirroredPlace(at) + c];
  return { ...image, data: turned };
}

function mirroredMask(mask) {
  const turned = new Uint8Array(mask.length);
  for (let at = 0; at < mask.length; at++) turned[at] = mask[mirroredPlace(at)];
  return turned;
}

const mirroredPlace = (at) => at - (at % side) + side - 1 - (at % side);
