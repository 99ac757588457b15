/** Tables name the files of several tasks, of which single ones may be missing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseCsv } from "../../../study/data/csv.ts";
import { openSet, type SetDescription } from "../../../study/data/node/index.ts";
import { grey, png, wide } from "../../support/image-files.ts";
import { greys, picture, write } from "../../support/study-sets.ts";

const root = mkdtempSync(join(tmpdir(), "inarch-tables-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

for (const name of ["a, b", "c"]) {
  write(join(root, "photos", `${name}.png`), picture());
  write(join(root, "photos", `${name} mask.png`), greys([0, 1], [1, 1]));
}
write(join(root, "photos", "c depth.png"), png(2, 16, grey, [wide(1, 2), wide(3, 4)]));

/** What the items hold, by name. */
async function tasksOf(description: SetDescription) {
  const set = await openSet(description);
  const items = await Promise.all(set.names.map((_, i) => set.read(i)));
  return Object.fromEntries(items.map(({ targets }, i) => [set.names[i], Object.keys(targets)]));
}

const classes = { kind: "classes", classes: ["sky", "road"] } as const;
const found = { "a, b.png": ["semantic"], "c.png": ["semantic", "depth"] };

test("a CSV has a column for each task, and an empty field where it is not known", async () => {
  const file = join(root, "train.csv");
  write(
    file,
    '\ufeffimage,semantic,far\n"a, b.png","a, b mask.png",\n\nc.png,c mask.png,c depth.png\n',
  );
  const targets = { semantic: classes, depth: { kind: "depth", column: "far" } } as const;
  const folder = join(root, "photos");
  expect(await tasksOf({ format: "csv", file, folder, targets })).toEqual(found);
});

test("metadata of Hugging Face are lines of JSON or a CSV", async () => {
  const targets = { semantic: classes, depth: { kind: "depth" } } as const;
  const folder = join(root, "photos");
  const set = { format: "huggingface", folder, targets } as const;
  const lines = [
    { file_name: "a, b.png", semantic_file_name: "a, b mask.png", depth_file_name: null },
    { file_name: "c.png", semantic_file_name: "c mask.png", depth_file_name: "c depth.png" },
  ];
  write(join(folder, "metadata.jsonl"), lines.map((line) => JSON.stringify(line)).join("\n"));
  expect(await tasksOf(set)).toEqual(found);
  write(
    join(folder, "metadata.csv"),
    'depth_file_name,file_name,semantic_file_name\r\n,"a, b.png","a, b mask.png"\r\nc depth.png,c.png,c mask.png',
  );
  rmSync(join(folder, "metadata.jsonl"));
  expect(await tasksOf(set)).toEqual(found);
});

test("fields in quotes hold commas, quotes and lines; rows know their line", () => {
  const { columns, rows } = parseCsv('a,b\n"x ""y"", z","two\nlines"\n\n1,\n', "t.csv");
  expect(columns).toEqual(["a", "b"]);
  expect(rows).toEqual([
    { line: 2, fields: { a: 'x "y", z', b: "two\nlines" } },
    { line: 5, fields: { a: "1", b: "" } },
  ]);
  expect(parseCsv("", "t.csv")).toEqual({ columns: [], rows: [] });
});
