/** Sets of Labelme: beside each picture a JSON of outlined things. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { ignored } from "../sample.ts";
import { byName, filesIn, jsonOf } from "./files.ts";
import { background, onlyTask, type RawItem, type RawSet, type Shape } from "./raw.ts";

export interface LabelmeSet {
  readonly format: "labelme";
  readonly folder: string;
  /**
   * The classes in the order of their labels, from label 1 on; 0 is what nothing outlines. All that are found, by name,
   * unless given: they are the same for every file.
   */
  readonly classes?: readonly string[] | undefined;
}

/** Names that Labelme gives a meaning: what does not count, and what nothing outlines. */
const special: Readonly<Record<string, number>> = { __ignore__: ignored, _background_: 0 };

interface Outlined {
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
  readonly shape_type?: string;
  readonly mask?: string | null;
}

/** Errors: E1003. */
export async function readLabelme({ folder, classes }: LabelmeSet): Promise<RawSet> {
  const problems: string[] = [];
  const found: { readonly path: string; readonly file: Labelme }[] = [];
  for (const name of (await filesIn(folder)).filter((path) => path.endsWith(".json"))) {
    const path = join(folder, name);
    const file = await jsonOf(path);
    if (isLabelme(file)) found.push({ path, file });
    else problems.push(`${path}: it has no shapes, imagePath, imageWidth and imageHeight`);
  }
  const all = found.flatMap(({ file }) => file.shapes.map(({ label }) => label));
  const names =
    classes ?? [...new Set(all)].filter((name) => !Object.hasOwn(special, name)).sort(byName);
  const items = found.map(({ path, file }): RawItem => {
    const shapes = file.shapes.flatMap((one, i): Shape[] => {
      const shape = shapeOf(one, names);
      if (typeof shape !== "string") return [shape];
      problems.push(`${path}: shape ${i + 1}: ${shape}`);
      return [];
    });
    const picture = join(dirname(path), file.imagePath.replaceAll("\\", "/"));
    const { imageWidth: width, imageHeight: height, imageData } = file;
    return {
      name: file.imagePath,
      // The picture may lie in the JSON alone.
      picture: !existsSync(picture) && imageData ? Buffer.from(imageData, "base64") : picture,
      targets: { [onlyTask]: { kind: "shapes", shapes, size: { width, height }, path } },
    };
  });
  const tasks = { [onlyTask]: { kind: "classes", classes: [background, ...names] } as const };
  return { where: folder, tasks, items, problems };
}

/** What is outlined, or what is wrong with it. */
function shapeOf(
  { label: name, points, shape_type = "polygon", mask }: Outlined,
  names: readonly string[],
) {
  const label = special[name] ?? names.indexOf(name) + 1;
  if (label === 0 && special[name] === undefined)
    return `"${name}" is none of the classes ${names.join(", ")}`;
  const [a, b] = points;
  if (shape_type === "polygon" && points.length > 2) return { label, polygons: [points.flat()] };
  if (a && b && shape_type === "rectangle")
    return { label, polygons: [[a[0], a[1], b[0], a[1], b[0], b[1], a[0], b[1]]] };
  if (a && b && shape_type === "circle") return { label, polygons: [circle(a, b)] };
  if (a && shape_type === "mask" && mask)
    return { label, patch: { x: a[0], y: a[1], bytes: Buffer.from(mask, "base64") } };
  return `a ${shape_type} of ${points.length} points has no inside`;
}

/** Around its first point, through its second. */
function circle(
  [x, y]: readonly [number, number],
  [throughX, throughY]: readonly [number, number],
) {
  const radius = Math.hypot(throughX - x, throughY - y);
  const corners = 180;
  return Array.from({ length: corners }, (_, i) => (2 * Math.PI * i) / corners).flatMap((angle) => [
    x + radius * Math.cos(angle),
    y + radius * Math.sin(angle),
  ]);
}

interface Labelme {
  readonly shapes: readonly Outlined[];
  readonly imagePath: string;
  readonly imageWidth: number;
  readonly imageHeight: number;
  readonly imageData?: string | null;
}

function isLabelme(value: unknown): value is Labelme {
  const { shapes, imagePath, imageWidth, imageHeight, imageData } = Object(
    value,
  ) as Partial<Labelme>;
  return (
    typeof imagePath === "string" &&
    Number.isSafeInteger(imageWidth) &&
    Number.isSafeInteger(imageHeight) &&
    isTextOrNone(imageData) &&
    Array.isArray(shapes) &&
    shapes.every((shape) => isShape(Object(shape)))
  );
}

const isShape = ({ label, points, mask, shape_type = "" }: Partial<Outlined>): boolean =>
  typeof label === "string" &&
  typeof shape_type === "string" &&
  isTextOrNone(mask) &&
  Array.isArray(points) &&
  points.every(isPoint);

const isPoint = (point: unknown) =>
  Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);

const isTextOrNone = (value: unknown) =>
  value === undefined || value === null || typeof value === "string";
