/** Sets as COCO describes them: one JSON of pictures, categories and outlined things. */
import { isAbsolute, join } from "node:path";
import { isObject } from "../../../diagnostics/values.ts";
import type { Rle } from "../../../predict/vision/rle.ts";
import { unreadable } from "../csv.ts";
import { jsonOf } from "./files.ts";
import { background, onlyTask, type RawItem, type RawSet, type Shape } from "./raw.ts";

export interface CocoSet {
  readonly format: "coco";
  /** The JSON of instances. */
  readonly file: string;
  /** Where the pictures are whose names are no absolute paths. */
  readonly pictures: string;
  /**
   * The categories in the order of their labels, from label 1 on; 0 is what nothing outlines. All, by their ids, unless
   * given; others become background then.
   */
  readonly classes?: readonly string[] | undefined;
}

interface Coco {
  readonly images: readonly {
    readonly id: number;
    readonly file_name: string;
    readonly width: number;
    readonly height: number;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly {
    readonly id?: number;
    readonly image_id: number;
    readonly category_id: number;
    readonly segmentation?: unknown;
  }[];
}

/** Errors: E1003. */
export async function readCoco({ file, pictures, classes }: CocoSet): Promise<RawSet> {
  const coco = checkCoco(await jsonOf(file), file);
  const sorted = [...coco.categories].sort((a, b) => a.id - b.id);
  const names = classes ?? sorted.map(({ name }) => name);
  const unknown = names.find((name) => !sorted.some((one) => one.name === name));
  if (unknown !== undefined)
    throw unreadable(
      file,
      `it has no category "${unknown}", only ${sorted.map(({ name }) => name).join(", ")}`,
      "name categories that it has",
    );
  const labels = new Map(sorted.map(({ id, name }) => [id, names.indexOf(name) + 1]));
  const problems: string[] = [];
  const shapes = new Map<number, Shape[]>(coco.images.map(({ id }) => [id, []]));
  for (const [i, annotation] of coco.annotations.entries()) {
    const name = `${file}: annotation ${annotation.id ?? i}`;
    const label = labels.get(annotation.category_id);
    const own = shapes.get(annotation.image_id);
    if (label === undefined)
      problems.push(`${name}: there is no category ${annotation.category_id}`);
    else if (!own) problems.push(`${name}: there is no image ${annotation.image_id}`);
    else if (label > 0) {
      const shape = shapeOf(annotation.segmentation, label);
      if (typeof shape === "string") problems.push(`${name}: ${shape}`);
      else own.push(shape);
    }
  }
  const items = coco.images.map(
    ({ id, file_name, width, height }): RawItem => ({
      name: file_name,
      picture: isAbsolute(file_name) ? file_name : join(pictures, file_name),
      targets: {
        [onlyTask]: {
          kind: "shapes",
          shapes: shapes.get(id)!,
          size: { width, height },
          path: file,
        },
      },
    }),
  );
  const tasks = { [onlyTask]: { kind: "classes", classes: [background, ...names] } as const };
  return { where: file, tasks, items, problems };
}

/** What a segmentation outlines, or what is wrong with it. */
function shapeOf(segmentation: unknown, label: number): Shape | string {
  if (Array.isArray(segmentation)) {
    if (segmentation.length === 0) return "it has no polygon";
    if (segmentation.every(isPolygon)) return { label, polygons: segmentation };
    return "a polygon is no list of three or more points: [x, y, x, y, …]";
  }
  if (isRle(segmentation)) return { label, runs: segmentation };
  return "its segmentation is neither polygons nor runs (RLE)";
}

const isPolygon = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length >= 6 &&
  value.length % 2 === 0 &&
  value.every(Number.isFinite);

const isRle = (value: unknown): value is Rle => {
  const { size, counts } = (value ?? {}) as Partial<Rle>;
  const isSize = Array.isArray(size) && size.length === 2 && size.every(Number.isSafeInteger);
  return (
    isSize &&
    (typeof counts === "string" || (Array.isArray(counts) && counts.every(Number.isFinite)))
  );
};

function checkCoco(value: unknown, where: string): Coco {
  const coco = Object(value) as Coco;
  for (const list of ["images", "categories", "annotations"] as const)
    if (!Array.isArray(coco[list]))
      throw unreadable(
        where,
        `it has no list "${list}"`,
        "give the JSON of instances: images, categories and annotations",
      );
  const isEach = (list: readonly unknown[]) => list.every(isObject);
  if (!isEach(coco.images) || !isEach(coco.categories) || !isEach(coco.annotations))
    throw unreadable(
      where,
      "an image, a category or an annotation is no object",
      "export it again",
    );
  const isNamed = coco.images.every(
    ({ id, file_name, width, height }) =>
      id !== undefined && typeof file_name === "string" && width > 0 && height > 0,
  );
  const isClass = coco.categories.every(
    ({ id, name }) => Number.isFinite(id) && typeof name === "string",
  );
  if (isNamed && isClass) return coco;
  throw unreadable(
    where,
    isNamed
      ? "a category lacks its id or its name"
      : "an image lacks its id, file_name, width or height",
    "export it again",
  );
}
