/** Pictures for people: what a set's targets say, drawn over its pictures. */
import type { Image } from "../../predict/vision/image.ts";
import { contactSheet } from "../../predict/vision/overlay.ts";
import { ignored, type Sample, type Samples, type Target, type Task } from "./sample.ts";

type Colour = readonly [red: number, green: number, blue: number];

/** The colour of a class: PASCAL VOC's, whose bits are those of the label, from the highest of each channel down. */
export function colourOf(label: number): Colour {
  const colour = [0, 0, 0];
  for (let rest = label, bit = 7; rest > 0; rest >>= 3, bit--)
    for (let c = 0; c < 3; c++) colour[c]! |= ((rest >> c) & 1) << bit;
  return colour as unknown as Colour;
}

/**
 * A picture with a target over it. Labels have the colours of their classes, of which "background" stays as it is; what
 * does not count is hatched in white. Depth goes from yellow, near, to blue, far; normals are red, green and blue.
 * A task that is not known for the picture leaves it as it is.
 * @param scale Depths whose nearest and farthest the colours are for; the target's own unless given.
 */
export function drawTarget(
  { image, targets }: Sample,
  name: string,
  task: Task,
  scale: ArrayLike<number> = targets[name]?.data ?? [],
): Image {
  const target = targets[name];
  if (!target) return image;
  const data = Uint8Array.from(image.data);
  const colourAt = coloursOf(target, task, scale);
  for (let i = 0; i < image.width * image.height; i++) {
    const colour = colourAt(i, (i % image.width) + Math.floor(i / image.width));
    for (let c = 0; colour && c < 3; c++)
      data[3 * i + c] = Math.round(0.4 * data[3 * i + c]! + 0.6 * colour[c]!);
  }
  return { ...image, data };
}

const white: Colour = [255, 255, 255];

function coloursOf({ kind, data }: Target, { classes }: Task, scale: ArrayLike<number>) {
  if (kind === "labels") {
    // Black is no colour to see: where label 0 is a class, all colours move on by one.
    const first = classes?.[0] === "background" ? 0 : 1;
    return (i: number, diagonal: number): Colour | undefined => {
      const label = data[i]!;
      if (label === ignored) return diagonal % 6 < 2 ? white : undefined;
      return label + first === 0 ? undefined : colourOf(label + first);
    };
  }
  if (kind === "normals")
    return (i: number): Colour | undefined => {
      const [x, y, z] = [data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!];
      if (x === 0 && y === 0 && z === 0) return undefined;
      return [127.5 * (x + 1), 127.5 * (y + 1), 127.5 * (z + 1)];
    };
  const known = Float32Array.from(scale).filter((depth) => depth !== 0);
  const least = known.reduce((low, depth) => Math.min(low, depth), Number.POSITIVE_INFINITY);
  const most = known.reduce((high, depth) => Math.max(high, depth), Number.NEGATIVE_INFINITY);
  return (i: number): Colour | undefined => {
    if (data[i] === 0) return undefined;
    const part = most > least ? (data[i]! - least) / (most - least) : 0;
    const far = Math.min(1, Math.max(0, part));
    return [255 * (1 - far), 230 * (1 - far) + 40 * far, 60 * (1 - far) + 200 * far];
  };
}

/**
 * A sheet of items spread evenly over the set, each once for every task: to look at before training.
 * @param count How many items at most.
 * @param longest The longest side of a cell, in pixels.
 * @throws E318 for a set of no items, and what reading an item throws.
 */
export async function targetSheet(samples: Samples, count = 12, longest = 320): Promise<Image> {
  const shown = Math.min(count, samples.size);
  const cells: Image[] = [];
  for (let i = 0; i < shown; i++) {
    const sample = await samples.read(Math.floor((i * samples.size) / shown));
    for (const [name, task] of Object.entries(samples.tasks))
      cells.push(drawTarget(sample, name, task));
  }
  return contactSheet(cells, longest);
}
