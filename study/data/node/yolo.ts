/** Sets of Ultralytics: a data.yaml, folders of pictures, and beside each a text of outlines. */
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, resolve, sep } from "node:path";
import { optionalPackage } from "../../../diagnostics/packages.ts";
import { unreadable } from "../csv.ts";
import { filesIn, isPicture, stemOf, textOf } from "./files.ts";
import { background, onlyTask, type RawItem, type RawSet, type Shape } from "./raw.ts";

export interface YoloSet {
  readonly format: "yolo";
  /** The data.yaml: `path`, `names`, and for each part a folder, a list of pictures, or several. */
  readonly file: string;
  /** "train" unless given. */
  readonly split?: string | undefined;
}

/**
 * Labels are the classes of `names`, from label 1 on; 0 is what nothing outlines. A picture without a text is all
 * background. `path` is relative to the file. Errors: E1003, E400 and E401 without the package yaml.
 */
export async function readYolo({ file, split = "train" }: YoloSet): Promise<RawSet> {
  const data = partsOf(await parseYaml(file), file);
  const names = namesOf(data.names, file);
  const root = resolve(dirname(file), typeof data.path === "string" ? data.path : ".");
  const parts = [data[split] ?? []].flat().filter((part) => typeof part === "string");
  if (parts.length === 0)
    throw unreadable(
      file,
      `it has no part "${split}"`,
      `write ${split}: a folder of pictures; it has ${Object.keys(data).join(", ")}`,
    );
  const problems: string[] = [];
  const items: RawItem[] = [];
  for (const part of parts)
    for (const picture of await picturesOf(resolve(root, part))) {
      const path = textFor(picture);
      const text = existsSync(path) ? await textOf(path) : "";
      const shapes = text.split(/\r?\n/).flatMap((line, i): Shape[] => {
        if (line.trim() === "") return [];
        const shape = shapeOf(line.trim().split(/\s+/).map(Number), names);
        if (typeof shape !== "string") return [shape];
        problems.push(`${path}, line ${i + 1}: ${shape}`);
        return [];
      });
      const name = picture.startsWith(root + sep) ? picture.slice(root.length + 1) : picture;
      items.push({ name, picture, targets: { [onlyTask]: { kind: "shapes", shapes, path } } });
    }
  const tasks = { [onlyTask]: { kind: "classes", classes: [background, ...names] } as const };
  return { where: file, tasks, items, problems };
}

/** The content of a YAML file, JSON included. @throws E1003, E400 and E401 without the package yaml. */
export async function parseYaml(file: string): Promise<unknown> {
  const { parse } = await optionalPackage("yaml", () => import("yaml"));
  const text = await textOf(file);
  try {
    return parse(text);
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n");
    throw unreadable(file, `it is no YAML: ${reason}`, "mend the line that it names");
  }
}

function partsOf(data: unknown, file: string): Record<string, unknown> {
  if (typeof data === "object" && data !== null) return data as Record<string, unknown>;
  throw unreadable(file, "it has no names and no parts", "write names: and train:");
}

/** A list, or names by number from 0 without a gap. */
function namesOf(given: unknown, file: string): string[] {
  const names = Object.entries((given ?? {}) as object);
  const isInOrder = names.every(([key], i) => Number(key) === i);
  if (names.length > 0 && isInOrder && typeof given === "object")
    return names.map(([, name]) => String(name));
  throw unreadable(
    file,
    names.length > 0 ? "the classes of names are not numbered from 0 on" : "it has no names",
    "write names: [first, second], or names: with 0: first and 1: second",
  );
}

/** The pictures of a folder, or those that a text names, a line each. */
async function picturesOf(part: string): Promise<string[]> {
  if (!part.endsWith(".txt"))
    return (await filesIn(part)).filter(isPicture).map((path) => join(part, path));
  const lines = (await textOf(part)).split(/\r?\n/).map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line) => (isAbsolute(line) ? line : resolve(dirname(part), line)));
}

/** As Ultralytics finds it: the last folder `images` becomes `labels`. */
function textFor(picture: string): string {
  const [images, labels] = [`${sep}images${sep}`, `${sep}labels${sep}`];
  const at = picture.lastIndexOf(images);
  const path = at < 0 ? picture : picture.slice(0, at) + labels + picture.slice(at + images.length);
  return `${stemOf(path)}.txt`;
}

/** What a line outlines, or what is wrong with it. */
function shapeOf(
  [label = Number.NaN, ...points]: number[],
  names: readonly string[],
): Shape | string {
  if (names[label] === undefined)
    return `there is no class ${label}: names has 0 to ${names.length - 1}`;
  if (points.length === 4) return "it has a box, not an outline of three or more points";
  if (points.length < 6 || points.length % 2 === 1)
    return `it has ${points.length} numbers behind the class, not x and y of three or more points`;
  const wrong = points.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) return `${wrong} is no part of the picture's side, from 0 to 1`;
  return { label: label + 1, polygons: [points], unit: "sides" };
}
