/** One small set of pictures and outlined things, written in every format that is read. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeRuns, fillPolygon, runsOf } from "../../predict/vision/rle.ts";
import type { TaskFiles } from "../../study/data/index.ts";
import { type DataSet, openSet, type SetDescription } from "../../study/data/node/index.ts";
import { colour, grey, palette, png } from "./image-files.ts";

export const classes = ["car", "road"];

interface Thing {
  /** 1 car, 2 road. */
  readonly label: number;
  readonly points: readonly number[];
}

interface Drawn {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Red, green and blue, row after row. */
  readonly pixels: readonly number[];
  readonly things: readonly Thing[];
}

const sizes = [
  [20, 14],
  [16, 16],
  [24, 10],
  [12, 18],
  [18, 12],
] as const;

/** Whole corners, so that a side's part is a pixel again. */
export const drawn: readonly Drawn[] = sizes.map(([width, height], i) => ({
  name: `picture ${i + 1}`,
  ...{ width, height },
  pixels: Array.from(
    { length: width * height * 3 },
    (_, at) => (at * 37 + i * 91 + (at >> 3)) % 256,
  ),
  things: [
    { label: 2, points: [0, height, 3 + i, 2, width, height - 1, width - 2, height] },
    { label: 1, points: [2, 1, 9, 3 + i, 7, 8, 3, 7] },
    { label: 2, points: [5, 4, 8, 4, 8, 7 - (i % 2), 5, 6] },
  ].slice(0, 1 + (i % 3)),
}));

const maskOf = ({ width, height }: Drawn, { points }: Thing) => {
  const mask = new Uint8Array(width * height);
  fillPolygon(points, mask, width, height);
  return mask;
};

/** The labels of a picture, row after row. */
export function labelsOfDrawn(picture: Drawn): number[] {
  const labels = new Array<number>(picture.width * picture.height).fill(0);
  for (const thing of picture.things)
    maskOf(picture, thing).forEach((inside, at) => {
      if (inside) labels[at] = thing.label;
    });
  return labels;
}

export const rowsOf = (values: readonly number[], length: number): number[][] =>
  Array.from({ length: values.length / length }, (_, y) =>
    values.slice(y * length, (y + 1) * length),
  );

export function write(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const picturePng = ({ width, pixels }: Drawn) => png(width, 8, colour, rowsOf(pixels, width * 3));
const greyPng = (picture: Drawn) =>
  png(picture.width, 8, grey, rowsOf(labelsOfDrawn(picture), picture.width));
const palettePng = (picture: Drawn) =>
  png(picture.width, 8, palette, rowsOf(labelsOfDrawn(picture), picture.width), {
    PLTE: [0, 0, 0, 200, 0, 0, 90, 90, 90],
  });

const points = (thing: Thing) => rowsOf(thing.points, 2);

const named = ["background", ...classes];
const files = { kind: "classes", classes: named } as const;

/** Writes the set below `root` in every format; what opens each of them. */
export function writeEveryFormat(root: string): Readonly<Record<string, SetDescription>> {
  const at = (...path: string[]) => join(root, ...path);
  for (const picture of drawn) {
    const { name, width, height, things } = picture;
    write(at("folders", "images", `${name}.png`), picturePng(picture));
    write(at("folders", "masks", `${name}.png`), greyPng(picture));
    write(at("one folder", `${name}_sat.png`), picturePng(picture));
    write(at("one folder", `${name}_mask.png`), palettePng(picture));
    write(at("colours", "images", `${name}.png`), picturePng(picture));
    write(at("colours", "masks", `${name}.png`), colourPng(picture));
    write(at("voc", "JPEGImages", `${name}.png`), picturePng(picture));
    write(at("voc", "SegmentationClass", `${name}.png`), palettePng(picture));
    write(at("huggingface", `${name}.png`), picturePng(picture));
    write(at("huggingface", "masks", `${name}.png`), greyPng(picture));
    write(at("labelme", `${name}.png`), picturePng(picture));
    write(at("yolo", "images", "train", `${name}.png`), picturePng(picture));
    if (things.length > 0)
      write(at("yolo", "labels", "train", `${name}.txt`), things.map(lineOf(picture)).join("\n"));
    const shapes = things.map((thing) => ({
      ...{ label: classes[thing.label - 1]!, points: points(thing), shape_type: "polygon" },
    }));
    write(
      at("labelme", `${name}.json`),
      JSON.stringify({
        ...{ version: "5.5.0", shapes, imagePath: `${name}.png`, imageData: null },
        ...{ imageWidth: width, imageHeight: height },
      }),
    );
  }
  // A photograph that VOC has not segmented.
  write(at("voc", "JPEGImages", "other.png"), picturePng(drawn[0]!));
  write(
    at("voc", "ImageSets", "Segmentation", "train.txt"),
    drawn.map(({ name }) => `${name}\n`).join(""),
  );
  const yolo = ["path: .", "train: images/train", "names:", "  0: car", "  1: road"];
  write(at("yolo", "data.yaml"), yolo.join("\n"));
  const listed = drawn.map(({ name }) => `./images/train/${name}.png\n`);
  write(at("yolo", "listed.txt"), listed.join(""));
  write(at("yolo", "listed.yaml"), "{ train: [listed.txt], names: [car, road] }");
  const rows = drawn.map(({ name }) => `images/${name}.png,"masks/${name}.png"`);
  write(at("folders", "train.csv"), ["image,label", ...rows, ""].join("\r\n"));
  const lines = drawn.map(({ name }) =>
    JSON.stringify({ file_name: `${name}.png`, labels_file_name: `masks/${name}.png` }),
  );
  write(at("huggingface", "metadata.jsonl"), lines.join("\n"));
  for (const kind of ["polygons", "runs", "texts"] as const)
    write(at("coco", `${kind}.json`), JSON.stringify(cocoOf(kind)));
  const [pictures, targets] = [at("folders", "images"), { labels: files }];
  const voc = { format: "voc", folder: at("voc"), classes: named } as const;
  const coco = (kind: string) =>
    ({ format: "coco", file: at("coco", `${kind}.json`), pictures }) as const;
  return {
    folders: {
      format: "folders",
      pictures,
      targets: { labels: { ...files, folder: at("folders", "masks") } },
    },
    "one folder": {
      format: "folders",
      pictures: { folder: at("one folder"), suffix: "_sat" },
      targets: { labels: { ...files, folder: at("one folder"), suffix: "_mask" } },
    },
    colours: {
      format: "folders",
      pictures: at("colours", "images"),
      targets: {
        labels: {
          kind: "classes",
          classes: [
            { name: "background", value: "#000000" },
            { name: "car", value: "#C80000" },
            { name: "road", value: "#5a5a5a" },
          ],
          folder: at("colours", "masks"),
        },
      },
    },
    csv: { format: "csv", file: at("folders", "train.csv"), targets },
    coco: coco("polygons"),
    "coco's runs": coco("runs"),
    "coco's compressed runs": coco("texts"),
    voc,
    "voc's list": { ...voc, split: "train" },
    yolo: { format: "yolo", file: at("yolo", "data.yaml") },
    "yolo's list": { format: "yolo", file: at("yolo", "listed.yaml") },
    labelme: { format: "labelme", folder: at("labelme") },
    huggingface: { format: "huggingface", folder: at("huggingface"), targets },
  };
}

/** A class and corners in parts of the picture's sides. */
const lineOf =
  ({ width, height }: Drawn) =>
  ({ label, points: corners }: Thing) =>
    [label - 1, ...corners.map((value, i) => value / (i % 2 ? height : width))].join(" ");

function colourPng(picture: Drawn) {
  const table = [
    [0, 0, 0],
    [200, 0, 0],
    [90, 90, 90],
  ];
  const pixels = labelsOfDrawn(picture).flatMap((label) => table[label]!);
  return png(picture.width, 8, colour, rowsOf(pixels, picture.width * 3));
}

function cocoOf(kind: "polygons" | "runs" | "texts") {
  const segmentation = (picture: Drawn, thing: Thing) => {
    if (kind === "polygons") return [thing.points];
    const counts = runsOf(maskOf(picture, thing), picture.width, picture.height);
    const size = [picture.height, picture.width];
    return { size, counts: kind === "runs" ? counts : encodeRuns(counts) };
  };
  return {
    images: drawn.map(({ name, width, height }, i) => ({
      ...{ id: 100 + i, file_name: `${name}.png`, width, height },
    })),
    // Ids as COCO has them: with gaps, and in any order.
    categories: [
      { id: 7, name: "road" },
      { id: 3, name: "car" },
    ],
    annotations: drawn.flatMap((picture, i) =>
      picture.things.map((thing, j) => ({
        id: 10 * i + j,
        image_id: 100 + i,
        category_id: thing.label === 1 ? 3 : 7,
        segmentation: segmentation(picture, thing),
        iscrowd: kind === "polygons" ? 0 : 1,
      })),
    ),
  };
}

/** A picture of one colour. */
export const picture = (width = 2, height = 2) =>
  png(width, 8, colour, rowsOf(new Array<number>(width * height * 3).fill(9), width * 3));

export const greys = (...rows: number[][]) => png(rows[0]!.length, 8, grey, rows);

/** Folders of their own below `root`, and sets of one picture `a.png`, of 2 x 2 pixels unless given, with a target. */
export function makeSets(root: string) {
  let folders = 0;
  const folder = () => join(root, String(folders++));
  const one = (
    files: TaskFiles,
    target: Uint8Array,
    name = "a.png",
    first: Uint8Array = picture(),
  ): Promise<DataSet> => {
    const at = folder();
    write(join(at, "images", "a.png"), first);
    write(join(at, "targets", name), target);
    return openSet({
      format: "folders",
      pictures: join(at, "images"),
      targets: { it: { ...files, folder: join(at, "targets") } },
    });
  };
  return { folder, one };
}
