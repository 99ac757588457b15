/** Labels of pictures in the files that other programs take. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeLevels, writePng } from "../../../predict/node/image.ts";
import { writePalette } from "../../../predict/node/png-write.ts";
import type { Ground } from "../../../predict/node/raster.ts";
import { type LabelTiff, writeLabelTiff } from "../../../predict/node/tiff-write.ts";
import type { Size } from "../../../predict/vision/image.ts";
import { classColour } from "../../../predict/vision/palette.ts";
import { polygonsOf, type Ring, withCuts } from "../../../predict/vision/rings.ts";
import { encodeRuns, runsOf } from "../../../predict/vision/rle.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import type { TaskKind } from "../../train/model.ts";
import { isMirrored, placingOf } from "../ground.ts";

/**
 * - "png": a PNG for each picture; white inside, or the class's number as a grey level.
 * - "palette": a PNG for each picture whose palette has Pascal VOC's colours, and whose indices are the labels.
 * - "coco", "coco-polygons": one JSON for all pictures; a mask, or several classes, as runs (RLE) or as polygons.
 * - "tiff": a TIFF for each picture with such a palette, and the ground that a TIFF lies on; written in rows.
 * - "geojson": a file for each picture, polygons with holes: of a GeoTIFF on its map, in the map's coordinates, of other
 *   pictures in pixels, x to the right and y down.
 * - "npy": labels as "png" has them, and of a run of several tasks depth and normals as NumPy files.
 */
export const maskFormats = [
  ...(["png", "palette", "tiff", "coco", "coco-polygons", "geojson", "npy"] as const),
] as const;
export type MaskFormat = (typeof maskFormats)[number];

/** `[height, width]` of numbers of classes. */
export interface LabelMap {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
  /** Where a TIFF lies. */
  readonly ground?: Ground | undefined;
}

export interface MaskWriter {
  /** Writes what is of one picture alone, and returns its file, from the folder. */
  write(picture: string, name: string, labels: LabelMap): Promise<string>;
  /** Writes a TIFF of labels that come in rows, and returns its file. */
  writeRows(
    name: string,
    of: Size & { readonly ground: Ground },
    write: LabelTiff["write"],
  ): Promise<string>;
  /** Writes what is of all pictures. */
  end(): Promise<void>;
}

export interface WriterOptions {
  readonly folder: string;
  readonly format: MaskFormat;
  readonly kind: TaskKind;
  readonly classes: readonly string[];
  /** The name of the one file of all pictures, without its ending. */
  readonly together: string;
}

const endings = {
  ...({ png: "png", npy: "png", palette: "png", tiff: "tif", geojson: "geojson" } as const),
};

export function maskWriter(options: WriterOptions): MaskWriter {
  const { format } = options;
  const writer =
    format === "coco" || format === "coco-polygons"
      ? cocoWriter(options)
      : fileWriter({ ...options, format });
  return {
    ...writer,
    async writeRows(name, { width, height, ground }, write) {
      const file = `${name}.tif`;
      const path = await placeFor(options.folder, file);
      await writeLabelTiff(path, { width, height, ground, palette: paletteOf(options), write });
      return file;
    },
  };
}

type PictureWriter = Omit<MaskWriter, "writeRows">;

const paletteOf = ({ classes }: WriterOptions) => classes.map((_, label) => classColour(label));

/** The path of a file in a folder, whose folders are made. */
export async function placeFor(folder: string, file: string): Promise<string> {
  const path = join(folder, file);
  await mkdir(dirname(path), { recursive: true });
  return path;
}

function fileWriter(
  options: WriterOptions & { readonly format: keyof typeof endings },
): PictureWriter {
  const { format, folder, kind } = options;
  const ending = endings[format];
  return {
    async write(_, name, labels) {
      const file = `${name}.${ending}`;
      const path = await placeFor(folder, file);
      if (format === "palette") await writePalette(path, labels, paletteOf(options));
      else if (format === "tiff") {
        const { width, height, data } = labels;
        const palette = paletteOf(options);
        const write = (put: (rows: LabelMap["data"]) => Promise<void>) => put(data);
        await writeLabelTiff(path, { width, height, palette, ground: new Map(), write });
      } else if (format === "geojson") await saveTo(path, geoJson(labels, options));
      else await (kind === "mask" ? writePng : writeLevels)(path, labels);
      return file;
    },
    end: async () => {},
  };
}

/** Labels that stand for something: of a mask the inside, else every class. */
const labelsOf = ({ kind, classes }: WriterOptions) =>
  classes.flatMap((name, label) => (kind === "mask" && label === 0 ? [] : [{ name, label }]));

function cocoWriter(options: WriterOptions): PictureWriter {
  const { folder, format, together } = options;
  const kinds = labelsOf(options);
  const [images, annotations] = [[] as object[], [] as object[]];
  const file = `${together}.json`;
  return {
    async write(picture, _, { width, height, data }) {
      const id = images.length + 1;
      images.push({ id, file_name: picture, width, height });
      for (const [place, { label }] of kinds.entries()) {
        const mask = data.map((value) => Number(value === label));
        const found = boxAndArea(mask, width);
        if (!found) continue;
        annotations.push({
          id: annotations.length + 1,
          ...{ image_id: id, category_id: place + 1, iscrowd: 0, ...found },
          segmentation:
            format === "coco"
              ? { size: [height, width], counts: encodeRuns(runsOf(mask, width, height)) }
              : polygonsOf(mask, { width, height }).map(withCuts),
        });
      }
      return file;
    },
    async end() {
      const categories = kinds.map(({ name }, place) => ({ id: place + 1, name }));
      await saveTo(join(folder, file), JSON.stringify({ images, categories, annotations }));
    },
  };
}

function boxAndArea(mask: Uint8Array, width: number) {
  let [area, left, top, right, bottom] = [0, width, -1, -1, -1];
  for (const [at, inside] of mask.entries()) {
    if (!inside) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    if (area++ === 0) top = y;
    [left, right, bottom] = [Math.min(left, x), Math.max(right, x), y];
  }
  return area === 0 ? undefined : { area, bbox: [left, top, right + 1 - left, bottom + 1 - top] };
}

/** On a map with the old member `crs`, which GDAL and QGIS read: the format's own is WGS 84 alone. */
function geoJson({ width, height, data, ground }: LabelMap, options: WriterOptions): string {
  const placing = ground && placingOf(ground);
  const at = placing?.at ?? ((x, y) => [x, y] as const);
  // What runs clockwise in the picture is written the other way round, as the format wants it.
  const isKept = placing !== undefined && isMirrored(placing);
  const closed = (ring: Ring) => {
    const corners = Array.from({ length: ring.length / 2 }, (_, i) =>
      at(ring[2 * i]!, ring[2 * i + 1]!),
    );
    const all = [...corners, corners[0]!];
    return isKept ? all : all.reverse();
  };
  const features = labelsOf(options).flatMap(({ name, label }) =>
    polygonsOf(data, { width, height }, label).map(({ outer, holes }) => ({
      type: "Feature",
      properties: { class: name, label },
      geometry: { type: "Polygon", coordinates: [outer, ...holes].map(closed) },
    })),
  );
  const name = placing?.epsg === undefined ? undefined : `urn:ogc:def:crs:EPSG::${placing.epsg}`;
  const crs = name === undefined ? {} : { crs: { type: "name", properties: { name } } };
  return `${JSON.stringify({ type: "FeatureCollection", ...crs, features })}\n`;
}
