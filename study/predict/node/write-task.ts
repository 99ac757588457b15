/** What a model of several tasks says of a picture, in files: labels, depth and normals. */
import { writeLevels, writePng } from "../../../predict/node/image.ts";
import { writePalette, writeWide } from "../../../predict/node/png-write.ts";
import { encodeNpy } from "../../../predict/vision/npy.ts";
import { classColour } from "../../../predict/vision/palette.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import type { Task } from "../../data/sample.ts";
import { unit } from "../../train/dense-task.ts";
import { labelsOfMaps, type Maps } from "../maps.ts";
import { type MaskFormat, placeFor } from "./write-masks.ts";

export interface TaskWriting {
  readonly out: string;
  /** Without an ending. */
  readonly name: string;
  readonly task: Task;
  /** "npy" for depth and normals, "palette" for labels; PNG unless given. */
  readonly format?: MaskFormat | undefined;
  /** What a step of a PNG of depth stands for; as in the files that the task was trained on, unless given. */
  readonly depthScale?: number | undefined;
}

/** Writes a file, and returns its name and, of labels, the labels. */
export async function writeTask(maps: Maps, { out, name, task, format, depthScale }: TaskWriting) {
  const { width, height } = maps;
  const isArray = format === "npy" && task.kind !== "labels";
  const file = `${name}.${isArray ? "npy" : "png"}`;
  const path = await placeFor(out, file);
  if (task.kind === "labels") {
    const data = labelsOfMaps(maps);
    const { classes = [] } = task;
    const colours = classes.map((_, label) => classColour(label));
    if (format === "palette") await writePalette(path, { width, height, data }, colours);
    else await writeLevels(path, { width, height, data });
    return { file, labels: data };
  }
  const values = task.kind === "normals" ? unit(Float32Array.from(maps.data)) : maps.data;
  const sides = [height, width];
  const shape = task.kind === "normals" ? [3, ...sides] : sides;
  if (isArray) await saveTo(path, encodeNpy({ shape, data: values }));
  else if (task.kind === "normals")
    await writePng(path, { width, height, channels: 3, data: coloursOf(values) });
  else {
    const scale = depthScale ?? task.scale ?? 1;
    await writeWide(path, { width, height, data: stepsOf(values, scale) });
  }
  return { file };
}

/** 0 means that a depth is not known: what is nearer than a step is one step away. */
const stepsOf = (depths: Float32Array, scale: number) =>
  Uint16Array.from(depths, (depth) => Math.min(65535, Math.max(1, Math.round(depth / scale))));

/** `[height, width, 3]` of `[3, height, width]`: bytes from -1 to 1. */
function coloursOf(normals: Float32Array): Uint8Array<ArrayBuffer> {
  const pixels = normals.length / 3;
  const data = new Uint8Array(normals.length);
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++)
      data[3 * i + c] = Math.round(127.5 * (normals[c * pixels + i]! + 1));
  return data;
}
