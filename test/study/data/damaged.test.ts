/** A file that describes a set may hold anything: what cannot be used is said, and nothing fails for another reason. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { InarchError } from "../../../diagnostics/index.ts";
import { openSet, type SetDescription } from "../../../study/data/node/index.ts";
import { greys, picture, write } from "../../support/study-sets.ts";

const root = mkdtempSync(join(tmpdir(), "inarch-damaged-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
write(join(root, "a.png"), picture());
write(join(root, "m.png"), greys([0, 1], [1, 1]));

const wrong = [null, 7, -1, 1e99, "x", [], {}, [[null]]];

/** Every copy of a value in which one part is something else, or is not there. */
function* damaged(value: unknown): Generator<unknown> {
  yield* wrong;
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    const copy = (part: unknown) =>
      Array.isArray(value)
        ? value.map((one, i) => (String(i) === key ? part : one))
        : { ...value, [key]: part };
    for (const part of damaged((value as Record<string, unknown>)[key])) yield copy(part);
    if (!Array.isArray(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
  }
}

const polygon = [0, 0, 2, 0, 2, 2];
const cases: readonly (readonly [string, unknown, (file: string) => SetDescription])[] = [
  [
    "coco.json",
    {
      images: [{ id: 1, file_name: "a.png", width: 2, height: 2 }],
      categories: [{ id: 1, name: "road" }],
      annotations: [
        { id: 1, image_id: 1, category_id: 1, segmentation: [polygon] },
        { id: 2, image_id: 1, category_id: 1, segmentation: { size: [2, 2], counts: "04" } },
        { id: 3, image_id: 1, category_id: 1, segmentation: { size: [2, 2], counts: [1, 3] } },
      ],
    },
    (file) => ({ format: "coco", file, pictures: root }),
  ],
  [
    "labelme/a.json",
    {
      shapes: [
        {
          label: "road",
          points: [
            [0, 0],
            [2, 0],
            [2, 2],
          ],
          shape_type: "polygon",
        },
      ],
      imagePath: "../a.png",
      imageWidth: 2,
      imageHeight: 2,
      imageData: "",
    },
    () => ({ format: "labelme", folder: join(root, "labelme") }),
  ],
  [
    "metadata.jsonl",
    { file_name: "a.png", labels_file_name: "m.png" },
    () => ({
      format: "huggingface",
      folder: root,
      targets: { labels: { kind: "classes", classes: ["sky", "road"] } },
    }),
  ],
  [
    "yolo/data.yaml",
    { path: "..", train: ["yolo/list.txt"], names: { 0: "road" } },
    (file) => ({ format: "yolo", file }),
  ],
];
write(join(root, "yolo", "list.txt"), "../a.png\n");

test.each(cases)("%s", async (name, whole, describe) => {
  const file = join(root, name);
  const open = (value: unknown) => {
    write(file, JSON.stringify(value) ?? "");
    return openSet(describe(file));
  };
  expect((await open(whole)).size).toBe(1);
  const faults: unknown[] = [];
  let refused = 0;
  for (const value of damaged(whole)) {
    const error = await open(value).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof InarchError && error.kind === "user") refused++;
    else if (error !== undefined) faults.push([JSON.stringify(value), String(error)]);
  }
  expect(faults).toEqual([]);
  expect(refused).toBeGreaterThan(15);
});
