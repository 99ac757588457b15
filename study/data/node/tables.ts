/** Sets in a table: AutoGluon's CSV, and image folders of Hugging Face with their metadata. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { meant } from "../../../diagnostics/nearest.ts";
import { parseCsv, unreadable } from "../csv.ts";
import type { TaskFiles } from "../task-files.ts";
import { parseJson, textOf } from "./files.ts";
import { onlyTask, type RawItem, type RawSet, type Source } from "./raw.ts";

/** A task, and the column that names its files. */
export type TaskColumn = TaskFiles & { readonly column?: string | undefined };

/** A CSV with a row for each picture: paths of the picture and of its targets. */
export interface CsvSet {
  readonly format: "csv";
  readonly file: string;
  /** What paths are relative to: the file's folder unless given. */
  readonly folder?: string | undefined;
  /** The column of pictures, "image" unless given. */
  readonly picture?: string | undefined;
  /**
   * By task; the column is "label" unless given, or the task's name where there are several. A field without a path is
   * a task that is not known for the picture.
   */
  readonly targets: Readonly<Record<string, TaskColumn>>;
}

/** Errors: E1003. */
export async function readCsv(set: CsvSet): Promise<RawSet> {
  const { columns, rows } = parseCsv(await textOf(set.file), set.file);
  const usual = Object.keys(set.targets).length === 1 ? () => "label" : (task: string) => task;
  return fromTable(
    {
      where: set.file,
      folder: set.folder ?? dirname(set.file),
      columns,
      rows: rows.map(({ line, fields }) => ({ line, fields })),
    },
    { picture: set.picture ?? "image", targets: set.targets, usual },
  );
}

/**
 * A folder with `metadata.jsonl` or `metadata.csv`: `file_name`, and a column that ends in `_file_name` for each
 * task, as the `imagefolder` loader of `datasets` reads it.
 */
export interface HuggingFaceSet {
  readonly format: "huggingface";
  readonly folder: string;
  /** By task; the column is the task's name and `_file_name` unless given. */
  readonly targets: Readonly<Record<string, TaskColumn>>;
}

/** Errors: E1003. */
export async function readHuggingFace({ folder, targets }: HuggingFaceSet): Promise<RawSet> {
  const usual = (task: string) => `${task}_file_name`;
  const columns = { picture: "file_name", targets, usual };
  const csv = join(folder, "metadata.csv");
  if (existsSync(csv)) {
    const table = parseCsv(await textOf(csv), csv);
    return fromTable({ where: csv, folder, ...table }, columns);
  }
  const where = join(folder, "metadata.jsonl");
  const rows = (await textOf(where)).split("\n").flatMap((text, i) => {
    if (text.trim() === "") return [];
    const fields = parseJson(text, `${where}, line ${i + 1}`);
    return [{ line: i + 1, fields: Object(fields) as Record<string, unknown> }];
  });
  return fromTable({ where, folder, columns: Object.keys(rows[0]?.fields ?? {}), rows }, columns);
}

interface Table {
  readonly where: string;
  readonly folder: string;
  readonly columns: readonly string[];
  readonly rows: readonly {
    readonly line: number;
    readonly fields: Readonly<Record<string, unknown>>;
  }[];
}

interface Columns {
  readonly picture: string;
  readonly targets: Readonly<Record<string, TaskColumn>>;
  /** The column of a task that names none. */
  readonly usual: (task: string) => string;
}

function fromTable(table: Table, { picture, targets, usual }: Columns): RawSet {
  const { where, folder, rows } = table;
  const columns = Object.entries(targets).map(
    ([task, { column }]) => [task, column ?? usual(task)] as const,
  );
  for (const name of [picture, ...columns.map(([, column]) => column)]) checkColumn(table, name);
  const problems: string[] = [];
  const items = rows.flatMap(({ line, fields }): RawItem[] => {
    const path = (column: string) => {
      const value = fields[column];
      return typeof value === "string" ? value.trim() : "";
    };
    const name = path(picture);
    const known = columns.filter(([, column]) => path(column) !== "");
    const sources = known.map(([task, column]): [string, Source] => [
      task,
      { kind: "file", path: resolve(folder, path(column)) },
    ]);
    if (name === "") problems.push(`${where}, line ${line}: it names no picture`);
    else if (sources.length === 0)
      problems.push(
        `${where}, line ${line}: ${name} has no ${columns.map(([, c]) => c).join(", ")}`,
      );
    else return [{ name, picture: resolve(folder, name), targets: Object.fromEntries(sources) }];
    return [];
  });
  return { where, tasks: targets, items, problems };
}

function checkColumn({ where, columns, rows }: Table, name: string): void {
  // Lines of JSON may leave out what they do not know.
  if (columns.includes(name) || rows.some(({ fields }) => Object.hasOwn(fields, name))) return;
  const near = meant(name, columns);
  throw unreadable(
    where,
    `it has no column "${name}", only ${columns.join(", ") || "none"}`,
    near === undefined
      ? `name the columns: { picture: "…", targets: { ${onlyTask}: { column: "…" } } }`
      : `write "${near}"`,
  );
}
