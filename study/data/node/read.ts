/** One item of a set, decoded: the picture, and its targets in one meaning whatever files they came from. */
import { diagnose } from "../../../diagnostics/index.ts";
import { decodeImage } from "../../../predict/node/decode.ts";
import { decodeLabels } from "../../../predict/node/labels.ts";
import { readSource } from "../../../predict/node/source.ts";
import type { Size } from "../../../predict/vision/image.ts";
import { decodeNpy, isNpy } from "../../../predict/vision/npy.ts";
import { fillPolygon, fillRuns } from "../../../predict/vision/rle.ts";
import type { Sample, Target } from "../sample.ts";
import { type DepthFiles, labelsFrom, type TaskFiles } from "../task-files.ts";
import type { RawItem, Shape, Source } from "./raw.ts";

/**
 * Errors: E300, E302 to E307 for files that cannot be read or decoded, E321 and E322 for arrays, E363 and E364 for
 * masks, E1005 and E1006 for what they hold.
 */
export async function readItem(
  { picture, targets }: RawItem,
  tasks: Readonly<Record<string, TaskFiles>>,
): Promise<Sample> {
  const { bytes, where } = await readSource(picture);
  const image = await decodeImage(bytes, where, {});
  const found: Record<string, Target> = {};
  for (const [task, source] of Object.entries(targets))
    found[task] = await readTarget(source, tasks[task]!, image);
  return { image, targets: found };
}

async function readTarget(source: Source, files: TaskFiles, size: Size): Promise<Target> {
  if (source.kind === "shapes") {
    checkSize(source.size ?? size, size, source.path, "outlines are");
    return { kind: "labels", data: await drawShapes(source.shapes, size) };
  }
  const { bytes } = await readSource(source.path);
  if (files.kind === "depth") return readDepth(bytes, files, size, source.path);
  if (files.kind === "normals") return readNormals(bytes, size, source.path);
  const values = await decodeLabels(bytes, source.path, {});
  checkSize(values, size, source.path, "target is");
  return { kind: "labels", data: labelsFrom(values, files, source.path) };
}

/** Labels of outlined things, later ones over earlier ones; 0 where there is none. */
async function drawShapes(shapes: readonly Shape[], { width, height }: Size): Promise<Int32Array> {
  const labels = new Int32Array(width * height);
  for (const { label, polygons = [], unit, runs, patch } of shapes) {
    const mask = new Uint8Array(width * height);
    const sides = unit === "sides" ? [width, height] : [1, 1];
    for (const polygon of polygons)
      fillPolygon(
        polygon.map((value, i) => value * sides[i % 2]!),
        mask,
        width,
        height,
      );
    if (runs) {
      checkSize(
        { width: runs.size[1], height: runs.size[0] },
        { width, height },
        undefined,
        "runs are",
      );
      fillRuns(runs, mask);
    }
    if (patch) await fillPatch(patch, mask, { width, height });
    for (let i = 0; i < labels.length; i++) if (mask[i]) labels[i] = label;
  }
  return labels;
}

async function fillPatch(
  { x, y, bytes }: NonNullable<Shape["patch"]>,
  mask: Uint8Array,
  size: Size,
) {
  const part = await decodeLabels(bytes, undefined, {});
  const [left, top] = [Math.round(x), Math.round(y)];
  part.values.forEach((value, i) => {
    const [column, row] = [left + (i % part.width), top + Math.floor(i / part.width)];
    const isIn = column >= 0 && column < size.width && row >= 0 && row < size.height;
    if (value !== 0 && isIn) mask[row * size.width + column] = 1;
  });
}

async function readDepth(
  bytes: Uint8Array,
  { scale = 1, unknown = 0 }: DepthFiles,
  size: Size,
  where: string,
): Promise<Target> {
  const values = isNpy(bytes) ? arrayOf(bytes, where, size, 1) : await greyOf(bytes, where, size);
  const data = Float32Array.from(values, (value) =>
    value === unknown || !Number.isFinite(value) ? 0 : value * scale,
  );
  return { kind: "depth", data };
}

async function greyOf(bytes: Uint8Array, where: string, size: Size): Promise<Uint32Array> {
  const labels = await decodeLabels(bytes, where, {});
  checkSize(labels, size, where, "depth is");
  if (labels.kind === "grey" && !labels.isLossy) return labels.values;
  throw wrong(
    where,
    labels.isLossy
      ? "compression has changed its values, which are depths"
      : "it holds colours, not depths",
    "save depths as PNG of 16 bits, or as .npy",
  );
}

async function readNormals(bytes: Uint8Array, size: Size, where: string): Promise<Target> {
  const values = isNpy(bytes)
    ? arrayOf(bytes, where, size, 3)
    : await directionsOf(bytes, where, size);
  const data = new Float32Array(values.length);
  for (let i = 0; i < data.length; i += 3) {
    const length = Math.hypot(values[i]!, values[i + 1]!, values[i + 2]!);
    // The grey in the middle of a byte is next to no direction.
    if (!(length > 0.1)) continue;
    for (let c = i; c < i + 3; c++) data[c] = values[c]! / length;
  }
  return { kind: "normals", data };
}

/** From bytes to -1 to 1; black is not known. */
async function directionsOf(bytes: Uint8Array, where: string, size: Size): Promise<Float32Array> {
  const picture = await decodeImage(bytes, where, {});
  checkSize(picture, size, where, "normals are");
  const { data } = picture;
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] === 0 && data[i + 1] === 0 && data[i + 2] === 0) continue;
    for (let c = i; c < i + 3; c++) out[c] = (2 * data[c]!) / 255 - 1;
  }
  return out;
}

/** `[height, width]` with sides of 1 around it, or for several channels also `[channels, height, width]`. */
function arrayOf(bytes: Uint8Array, where: string, { width, height }: Size, channels: number) {
  const { shape, data } = decodeNpy(bytes, where, "numbers");
  const sides = shape.filter((side) => side !== 1 || channels > 1);
  const is = (...wanted: number[]) =>
    sides.join() === wanted.filter((n) => n > 1 || channels > 1).join();
  if (is(height, width, channels)) return data;
  if (!is(channels, height, width))
    throw wrong(
      where,
      `it is an array of (${shape.join(", ")}), and the picture ${height} high and ${width} wide`,
      channels === 1 ? "save it as [height, width]" : "save it as [3, height, width]",
    );
  const plane = width * height;
  return data.map((_, i) => data[(i % channels) * plane + Math.floor(i / channels)]!);
}

function checkSize(found: Size, picture: Size, where: string | undefined, what: string): void {
  if (found.width === picture.width && found.height === picture.height) return;
  const isTurned = found.width === picture.height && found.height === picture.width;
  throw wrong(
    where,
    `the ${what} of ${found.width} x ${found.height} pixels, and the picture has ${picture.width} x ${picture.height}`,
    isTurned
      ? "the picture's EXIF data turn it: turn the target too, or save the picture upright"
      : "save both with the same size",
  );
}

const wrong = (where: string | undefined, message: string, help: string) =>
  diagnose("E1006", { message, where, help });
