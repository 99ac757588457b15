/** Masks of pictures, by the adapter that a run has kept. */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { diagnose, InarchError } from "../../../diagnostics/index.ts";
import { readImage } from "../../../predict/node/image.ts";
import type { Ground } from "../../../predict/node/raster.ts";
import type { Image } from "../../../predict/vision/image.ts";
import { encodeNpy } from "../../../predict/vision/npy.ts";
import type { Progress } from "../../../runtime/devices/device.ts";
import { checkFolder, makeFolder } from "../../../runtime/node/files.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import { check, positive } from "../../../training/settings.ts";
import { filesIn, isPicture, stemOf } from "../../data/node/files.ts";
import { enlarge, labelsOfMaps, type Maps, probabilitiesOf } from "../maps.ts";
import { partOf, type Shard } from "../shard.ts";
import { type RunModel, type RunModelRequest, withRunModel } from "./run-model.ts";
import {
  checkTiling,
  groundOf,
  labelsInTiles,
  mapsInTiles,
  openPicture,
  type Tiling,
} from "./tiled.ts";
import { type MaskFormat, type MaskWriter, maskWriter } from "./write-masks.ts";
import { writeTask } from "./write-task.ts";

export interface PredictRequest extends RunModelRequest {
  /** Files and folders of pictures. */
  readonly pictures: readonly string[];
  /** The folder for the masks; it is made if need be. */
  readonly out: string;
  /** "png" unless given. */
  readonly format?: MaskFormat | undefined;
  /** Whether probabilities are written too: NAME.probabilities.npy, f32 `[classes, height, width]`, of a mask `[1, …]`. */
  readonly probabilities?: boolean | undefined;
  /** Of depth: what a step of a PNG stands for; as in the files that the run was trained on, unless given. */
  readonly depthScale?: number | undefined;
  /** Sees pictures in overlapping tiles: for those that are much larger than the model's square. */
  readonly tiles?: Tiling | undefined;
  /** The part of the pictures that is taken; all unless given. */
  readonly shard?: Shard | undefined;
  readonly onProgress?: Progress | undefined;
}

export interface PredictReport {
  readonly folder: string;
  readonly device: string;
  readonly classes: readonly string[];
  readonly masks: readonly {
    readonly picture: string;
    readonly file: string;
    /** Of a run of several tasks: what the file is of. */
    readonly task?: string | undefined;
    /** Of labels, pixels of each class; none of depth and normals. */
    readonly pixels: Readonly<Record<string, number>>;
  }[];
  /** Pictures that could not be read, and have no masks. */
  readonly skipped: readonly Skipped[];
}

export interface Skipped {
  readonly picture: string;
  readonly code: string;
  readonly message: string;
  readonly help?: string | undefined;
}

/**
 * Writes masks of pictures, in their sizes and named as they are; of several tasks each as NAME.TASK: labels as PNG,
 * depth as PNG of 16 bits, normals as PNG whose colours are x, y and z from -1 to 1, or these two as NumPy files.
 * Pictures that cannot be read are skipped, and named in the report.
 * @throws E1103 for a folder that is no run's, E1142 for tiles that cannot be, E1108 for forms that several tasks do
 * not have, E1105 for pictures whose masks would have one name, E1117 without pictures, E241 for a folder that cannot be
 * written, E2xx for weights, E431 for those that the run was not trained on, E4xx for the device.
 */
export async function predict(request: PredictRequest): Promise<PredictReport> {
  const { out, format = "png", shard = { index: 0, count: 1 }, onProgress, signal } = request;
  const pictures = partOf(await picturesOf(request.pictures), shard);
  const { tiles, depthScale = 1 } = request;
  check("a prediction", { depthScale: [depthScale, positive] });
  if (tiles && request.probabilities)
    throw diagnose("E1142", {
      message: "probabilities of pictures in tiles are not written",
      help: "leave one of them out",
    });
  if (tiles) checkTiling(tiles);
  await checkFolder(out);
  return withRunModel(request, async (model) => {
    const { classes, kind, device } = model;
    if (kind === "dense") checkDense(request);
    await makeFolder(out);
    const together = shard.count === 1 ? "masks" : `masks-${shard.index}-of-${shard.count}`;
    const writer = maskWriter({ folder: out, format, kind, classes, together });
    const masks: Written[] = [];
    const skipped: Skipped[] = [];
    const size = tiles ? 1 : model.batch;
    for (let first = 0; first < pictures.length; first += size) {
      signal?.throwIfAborted();
      const some = pictures.slice(first, first + size);
      masks.push(...(await predictSome(model, some, { request, writer, skipped })));
      onProgress?.(first + some.length, pictures.length, "pictures");
    }
    await writer.end();
    return { folder: out, device, classes, masks, skipped };
  });
}

type Given = Awaited<ReturnType<typeof picturesOf>>[number];
type Written = PredictReport["masks"][number];

interface Writing {
  readonly request: PredictRequest;
  readonly writer: MaskWriter;
  /** Pictures that cannot be read are added. */
  readonly skipped: Skipped[];
}

/** What is made of a picture; one that cannot be read is skipped. */
async function ifReadable<T>(
  { path }: Given,
  { skipped }: Writing,
  make: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    const isOurs = error instanceof InarchError && error.kind === "user";
    // E300 and on are of pictures and what is in them.
    if (!isOurs || !/^E3\d\d$/.test(error.code)) throw error;
    const { message, help } = error.details;
    skipped.push({ picture: path, code: error.code, message, help });
    return undefined;
  }
}

/** In tiles pictures come one at a time. */
async function predictSome(
  model: RunModel,
  some: readonly Given[],
  writing: Writing,
): Promise<Written[]> {
  const { request } = writing;
  const { tiles } = request;
  if (!tiles)
    return model.kind === "dense"
      ? predictTasks(model, await readSome(some, writing), request)
      : predictWhole(model, await readSome(some, writing), writing);
  const [given] = some as [Given];
  const found = await ifReadable(given, writing, async () =>
    model.kind === "dense"
      ? predictTasksInTiles(model, given, request, tiles)
      : [await predictInTiles(model, given, { ...writing, tiles })],
  );
  return found ?? [];
}

/** A picture, with what a TIFF says of the ground where that is asked for. */
interface Read extends Given {
  readonly image: Image;
  readonly ground: Ground | undefined;
}

async function readSome(some: readonly Given[], writing: Writing): Promise<Read[]> {
  const isOnGround = writing.request.format === "geojson";
  const read = some.map((given) =>
    ifReadable(given, writing, async () => ({
      ...{ ...given, image: await readImage(given.path) },
      ground: isOnGround ? await groundOf(given.path) : undefined,
    })),
  );
  return (await Promise.all(read)).filter((one) => one !== undefined);
}

async function predictWhole(
  model: RunModel,
  some: readonly Read[],
  { request, writer }: Writing,
): Promise<Written[]> {
  const found = await seen(model, some);
  const written: Written[] = [];
  for (const [i, { path, name, image, ground }] of some.entries()) {
    const maps = enlarge(found[i]![model.first]!, image, model.settings.fit);
    const { width, height } = maps;
    const data = labelsOfMaps(maps);
    const file = await writer.write(path, name, { width, height, data, ground });
    if (request.probabilities) await writeProbabilities(join(request.out, name), maps);
    written.push({ picture: path, file, pixels: pixelsOf(data, model.classes) });
  }
  return written;
}

async function predictTasks(
  model: RunModel,
  some: readonly Read[],
  request: PredictRequest,
): Promise<Written[]> {
  const found = await seen(model, some);
  const written: Written[] = [];
  for (const [i, given] of some.entries())
    for (const [task, maps] of Object.entries(found[i]!)) {
      const whole = enlarge(maps, given.image, model.settings.fit);
      written.push(await writeFound(model, given, { request, task, maps: whole }));
    }
  return written;
}

const seen = async (model: RunModel, some: readonly Read[]) =>
  some.length > 0 ? model.see(some.map(({ image }) => image)) : [];

/** The maps of all tasks are whole in memory, as their files are. */
async function predictTasksInTiles(
  model: RunModel,
  given: Given,
  request: PredictRequest,
  tiles: Tiling,
): Promise<Written[]> {
  const picture = await openPicture(given.path);
  try {
    const tasks = Object.keys(model.tasks);
    const found = await mapsInTiles(model, tasks, picture, tiles, request.signal);
    const written: Written[] = [];
    for (const [task, maps] of Object.entries(found))
      written.push(await writeFound(model, given, { request, task, maps }));
    return written;
  } finally {
    await picture.close();
  }
}

interface Found {
  readonly request: PredictRequest;
  readonly task: string;
  readonly maps: Maps;
}

async function writeFound(
  model: RunModel,
  { path, name }: Given,
  { request, task, maps }: Found,
): Promise<Written> {
  const of = { ...request, name: `${name}.${task}`, task: model.tasks[task]! };
  const { file, labels } = await writeTask(maps, of);
  if (request.probabilities && labels) await writeProbabilities(join(request.out, of.name), maps);
  const pixels = labels ? pixelsOf(labels, model.tasks[task]!.classes ?? []) : {};
  return { picture: path, task, file, pixels };
}

/** @throws E1108 for what results of several tasks cannot be. */
function checkDense({ format = "png" }: PredictRequest): void {
  if (format === "png" || format === "palette" || format === "npy") return;
  throw diagnose("E1108", {
    message: `results of several tasks are not written as ${format}`,
    help: "give png, palette or npy",
  });
}

/** A TIFF is written as it is seen, row by row; for other forms the labels are kept. */
async function predictInTiles(
  model: RunModel,
  { path, name }: Given,
  { request, tiles, writer }: Writing & { readonly tiles: Tiling },
): Promise<Written> {
  const picture = await openPicture(path);
  try {
    const counts = new Float64Array(model.classes.length);
    const see = (put: (rows: Uint8Array<ArrayBuffer>) => Promise<void>) => {
      const take = async (rows: Uint8Array<ArrayBuffer>) => {
        for (const label of rows) counts[label]!++;
        await put(rows);
      };
      return labelsInTiles(model, picture, tiles, take, request.signal);
    };
    const { width, height } = picture;
    let file: string;
    if (request.format === "tiff") file = await writer.writeRows(name, picture, see);
    else {
      const data = new Uint8Array(width * height);
      let at = 0;
      await see(async (rows) => {
        data.set(rows, at);
        at += rows.length;
      });
      file = await writer.write(path, name, { width, height, data, ground: picture.ground });
    }
    const pixels = Object.fromEntries(model.classes.map((of, i) => [of, counts[i]!]));
    return { picture: path, file, pixels };
  } finally {
    await picture.close();
  }
}

const writeProbabilities = (path: string, maps: Maps) =>
  saveTo(
    `${path}.probabilities.npy`,
    encodeNpy({ shape: [maps.channels, maps.height, maps.width], data: probabilitiesOf(maps) }),
  );

function pixelsOf(labels: Uint8Array, classes: readonly string[]) {
  const counts = new Float64Array(classes.length);
  for (const label of labels) counts[label]!++;
  return Object.fromEntries(classes.map((name, i) => [name, counts[i]!]));
}

/** Files as they are, and those of folders; names are those of their masks, without an ending. */
async function picturesOf(given: readonly string[]) {
  const found: { readonly path: string; readonly name: string }[] = [];
  for (const path of given) {
    const isFolder = await stat(path).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (!isFolder) found.push({ path, name: stemOf(basename(path)) });
    else
      for (const file of (await filesIn(path)).filter(isPicture))
        found.push({ path: join(path, file), name: stemOf(file) });
  }
  const names = new Map<string, string>();
  for (const { path, name } of found) {
    const other = names.get(name);
    if (other !== undefined)
      throw diagnose("E1105", {
        message: `the masks of ${other} and of ${path} would both be ${name}.png`,
        help: "give them in two calls, with two folders for the masks",
      });
    names.set(name, path);
  }
  if (found.length === 0)
    throw diagnose("E1117", {
      message: `there are no pictures in ${given.join(", ")}`,
      help: "give pictures, or folders that hold some: PNG, JPEG, WebP, TIFF, GIF and AVIF are read",
    });
  return found;
}
