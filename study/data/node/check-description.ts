/** Descriptions of sets, checked for callers without types: names, and what they may be. */
import { diagnose } from "../../../diagnostics/index.ts";
import { meant } from "../../../diagnostics/nearest.ts";
import { checkOptions, shown } from "../../../diagnostics/options.ts";
import {
  anything,
  atLeast,
  checkValues,
  isObject,
  list,
  number,
  object,
  text,
  type Wanted,
  type Wants,
} from "../../../diagnostics/values.ts";
import type { TaskFiles } from "../task-files.ts";
import type { SetDescription } from "./open.ts";

type Format = SetDescription["format"];
type Fields = Readonly<Record<string, Wanted>>;

const folder: Wanted = {
  words: "a path",
  is: (value) => typeof value === "string" && value !== "",
};
const targets = object("an object with what the files of each task hold");
const classNames = list("a list of names, in the order of their labels");
const orFolder: Wanted = {
  words: "a folder, or { folder, suffix }",
  is: (value) => folder.is(value) || isObject(value),
};

/** The fields of each format, without "format"; a question mark marks those that may be left out. */
const formats: Readonly<Record<Format, Fields>> = {
  folders: { pictures: orFolder, targets },
  csv: { file: folder, targets, "folder?": folder, "picture?": text },
  huggingface: { folder, targets },
  coco: { file: folder, pictures: folder, "classes?": classNames },
  labelme: { folder, "classes?": classNames },
  yolo: { file: folder, "split?": text },
  voc: { folder, "split?": text, "classes?": anything, "ignore?": anything },
};

const kinds: Readonly<Record<TaskFiles["kind"], Fields>> = {
  classes: { classes: anything, "ignore?": anything },
  mask: { "value?": anything, "ignore?": number, "name?": text },
  depth: { "scale?": atLeast(0), "unknown?": number },
  normals: {},
};

/** Where the files of a task are, by the format. */
const places: Partial<Record<Format, Fields>> = {
  folders: { folder, "suffix?": text },
  csv: { "column?": text },
  huggingface: { "column?": text },
};

/** @throws E1004 for no format, no targets and no kind; E460 and E465 for fields that cannot be. */
export function checkDescription(description: SetDescription): void {
  const format = oneOfNames(
    "a set has no format",
    description?.format,
    Object.keys(formats),
  ) as Format;
  checkFields(`a set of the format "${format}"`, description, {
    format: anything,
    ...formats[format],
  });
  if (!("targets" in description)) return;
  const tasks = Object.entries<TaskFiles>(description.targets);
  if (tasks.length === 0)
    throw diagnose("E1004", {
      message: "the set has no targets",
      help: 'name a task and what its files hold: { labels: { kind: "mask", folder: "masks" } }',
    });
  for (const [task, files] of tasks) {
    const of = `the files of "${task}" have no kind`;
    const kind = oneOfNames(of, files?.kind, Object.keys(kinds)) as TaskFiles["kind"];
    checkFields(`the task "${task}"`, files, { kind: anything, ...kinds[kind], ...places[format] });
  }
}

function checkFields(of: string, given: object, fields: Fields): void {
  const bare = (name: string) => name.replace("?", "");
  const known = Object.entries(fields).map(([name, wanted]) => [bare(name), wanted]);
  const wants = Object.fromEntries(known) as Wants<object>;
  checkOptions<object>(of, given, wants);
  const needed = Object.entries(fields).filter(([name]) => !name.endsWith("?"));
  checkValues<object>(of, given, wants);
  checkValues<object>(of, given, Object.fromEntries(needed) as Wants<object>, "all");
}

function oneOfNames(message: string, given: unknown, names: readonly string[]): string {
  if (typeof given === "string" && names.includes(given)) return given;
  const near = typeof given === "string" ? meant(given, names) : undefined;
  throw diagnose("E1004", {
    message: `${message} ${shown(given)}`,
    help: near === undefined ? `there are ${names.join(", ")}` : `write "${near}"`,
  });
}
