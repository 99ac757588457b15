/** Labels of a picture of any size, seen in tiles. */
import { readImage } from "../../../predict/node/image.ts";
import { type Ground, openRaster } from "../../../predict/node/raster.ts";
import type { Image } from "../../../predict/vision/image.ts";
import { enlarge, labelsOfMaps, type Maps } from "../maps.ts";
import { checkTiles, type Rows, seeInTiles } from "../tiles.ts";
import type { RunModel } from "./run-model.ts";

export interface Tiling {
  /** The side of a tile, in pixels of the picture: each is seen as large as the model's square. */
  readonly side: number;
  /** Pixels that neighbouring tiles share, at least. A quarter of the side unless given. */
  readonly overlap?: number | undefined;
}

const overlapOf = ({ side, overlap = Math.floor(side / 4) }: Tiling): number => overlap;

/** @throws E1142 for tiles that cannot be. */
export const checkTiling = (tiling: Tiling): void =>
  checkTiles({ side: tiling.side, overlap: overlapOf(tiling) });

/** A picture that is read in rows, with what it says of the ground. */
export interface OpenPicture extends Rows {
  readonly ground: Ground;
  close(): Promise<void>;
}

/** TIFFs are read by windows; other pictures are read whole. Errors: E300 to E307, E400. */
export async function openPicture(path: string): Promise<OpenPicture> {
  if (isTiff(path)) return openRaster(path);
  return { ...rowsOf(await readImage(path)), ground: new Map(), close: async () => {} };
}

/** A picture that is whole in memory, in rows. */
export const rowsOf = ({ width, height, data }: Image): Rows => ({
  ...{ width, height },
  rows: async (first, count) => data.subarray(first * width * 3, (first + count) * width * 3),
});

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
  tiling: Tiling,
  take: (rows: Uint8Array<ArrayBuffer>) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  return seeTasks(model, [model.first], { picture, tiling, signal }, async (_, found) =>
    take(labelsOfMaps(found[model.first]!)),
  );
}

/** Maps of a picture in its size, by task: those of `tasks`. Errors: E1142. */
export async function mapsInTiles(
  model: RunModel,
  tasks: readonly string[],
  picture: Rows,
  tiling: Tiling,
  signal?: AbortSignal,
): Promise<Readonly<Record<string, Maps>>> {
  const { width, height } = picture;
  const whole: Record<string, Maps> = {};
  await seeTasks(model, tasks, { picture, tiling, signal }, async (first, found) => {
    for (const [name, { channels, kind, data, height: rows }] of Object.entries(found)) {
      const size = channels * width * height;
      whole[name] ??= { width, height, channels, kind, data: new Float32Array(size) };
      for (let c = 0; c < channels; c++) {
        const own = data.subarray(c * rows * width, (c + 1) * rows * width);
        whole[name].data.set(own, (c * height + first) * width);
      }
    }
  });
  return whole;
}

interface Seeing {
  readonly picture: Rows;
  readonly tiling: Tiling;
  readonly signal?: AbortSignal | undefined;
}

/** All tasks of a tile are seen at once: their channels lie one after another in the strip. */
function seeTasks(
  model: RunModel,
  tasks: readonly string[],
  { picture, tiling, signal }: Seeing,
  take: (first: number, found: Readonly<Record<string, Maps>>) => Promise<void>,
): Promise<void> {
  const { batch, settings } = model;
  const { side } = tiling;
  const overlap = overlapOf(tiling);
  let shapes: readonly Pick<Maps, "channels" | "kind">[] = [];
  const see: Parameters<typeof seeInTiles>[1]["see"] = async (tiles) => {
    const found = await model.see(tiles);
    shapes = tasks.map((name) => found[0]![name]!);
    const size = { width: side, height: side };
    return found.map((maps) =>
      joined(
        tasks.map((name) =>
          side === model.side ? maps[name]! : enlarge(maps[name]!, size, settings.fit),
        ),
      ),
    );
  };
  return seeInTiles(
    picture,
    { side, overlap, batch, see, signal },
    (first, { width, height, data }) => {
      let end = 0;
      const parts = shapes.map(({ channels, kind }, i) => {
        const at = end;
        end += channels * width * height;
        return [
          tasks[i]!,
          { width, height, channels, kind, data: data.subarray(at, end) },
        ] as const;
      });
      return take(first, Object.fromEntries(parts));
    },
  );
}

function joined(all: readonly Maps[]): Maps {
  const [first, ...others] = all as [Maps, ...Maps[]];
  if (others.length === 0) return first;
  const data = new Float32Array(all.reduce((sum, maps) => sum + maps.data.length, 0));
  let at = 0;
  for (const maps of all) {
    data.set(maps.data, at);
    at += maps.data.length;
  }
  return { ...first, channels: all.reduce((sum, { channels }) => sum + channels, 0), data };
}
