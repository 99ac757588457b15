/** Labels of a picture of any size, seen in tiles. */
import { readImage } from "../../../predict/node/image.ts";
import { type Ground, openRaster } from "../../../predict/node/raster.ts";
import { enlarge, labelsOfMaps } from "../maps.ts";
import { type Rows, seeInTiles } from "../tiles.ts";
import type { RunModel } from "./run-model.ts";

export interface Tiling {
  /** The side of a tile, in pixels of the picture: each is seen as large as the model's square. */
  readonly side: number;
  /** Pixels that neighbouring tiles share, at least. A quarter of the side unless given. */
  readonly overlap?: number | undefined;
}

/** A picture that is read in rows, with what it says of the ground. */
export interface OpenPicture extends Rows {
  readonly ground: Ground;
  close(): Promise<void>;
}

/** TIFFs are read by windows; other pictures are read whole. Errors: E300 to E307, E400. */
export async function openPicture(path: string): Promise<OpenPicture> {
  if (isTiff(path)) return openRaster(path);
  const { width, height, data } = await readImage(path);
  return {
    ...{ width, height, ground: new Map() },
    rows: async (first, count) => data.subarray(first * width * 3, (first + count) * width * 3),
    close: async () => {},
  };
}

/** Where a picture lies on the ground; undefined for what is no TIFF. Errors: E306, E307, E400. */
export async function groundOf(path: string): Promise<Ground | undefined> {
  if (!isTiff(path)) return undefined;
  const raster = await openRaster(path);
  await raster.close();
  return raster.ground;
}

const isTiff = (path: string) => /\.tiff?$/i.test(path);

/** Gives the labels of a picture row by row, from the top: `[some, width]` at a time. Errors: E1142. */
export function labelsInTiles(
  model: RunModel,
  picture: Rows,
  { side, overlap = Math.floor(side / 4) }: Tiling,
  take: (rows: Uint8Array<ArrayBuffer>) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const see: Parameters<typeof seeInTiles>[1]["see"] = async (tiles) => {
    const found = (await model.see(tiles)).map((maps) => maps[model.first]!);
    return side === model.side
      ? found
      : found.map((maps) => enlarge(maps, { width: side, height: side }, model.settings.fit));
  };
  const { batch } = model;
  return seeInTiles(picture, { side, overlap, batch, see, signal }, (_, maps) =>
    take(labelsOfMaps(maps)),
  );
}
