/** What is wrong with a set is said before anything starts, all of it at once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodeNpy } from "../../../predict/vision/index.ts";
import type { TaskFiles } from "../../../study/data/index.ts";
import { openSet, type SetDescription } from "../../../study/data/node/index.ts";
import { colour, exifOrientation, greyAlpha, png } from "../../support/image-files.ts";
import { greys, makeSets, picture, rowsOf, write } from "../../support/study-sets.ts";
import { refusal } from "../../support/weights-files.ts";

const root = mkdtempSync(join(tmpdir(), "inarch-problems-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const { folder, one } = makeSets(root);

const classes: TaskFiles = { kind: "classes", classes: ["sky", "road"], ignore: 255 };

describe("every item that cannot be used is named, in one error", () => {
  test("of folders", async () => {
    const at = folder();
    const [images, masks] = [join(at, "images"), join(at, "masks")];
    for (const name of ["good", "small", "torn", "odd", "alone", "web"])
      write(join(images, `${name}.png`), picture());
    write(join(images, "web.jpg"), picture());
    for (const name of ["good", "odd", "torn", "orphan"])
      write(join(masks, `${name}.png`), greys([0, 1], [1, name === "odd" ? 13 : 255]));
    write(join(masks, "small.png"), greys([0, 1, 1]));
    write(join(masks, "web.png"), "<html>");
    write(join(images, "torn.png"), picture().subarray(0, 50));
    const targets = { labels: { ...classes, folder: masks } };
    const error = await refusal(() => openSet({ format: "folders", pictures: images, targets }));
    expect(error.code).toBe("E1001");
    const lines = error.details.message.split("\n").map((line) => line.trim());
    expect(lines[0]).toBe("the set of 5 items has 7 problems:");
    for (const [i, words] of [
      "web.png: web.jpg has the same name",
      "orphan.png: there is no picture orphan in",
      "alone.png: there is no target of this name in",
      "odd.png: it holds 13 at column 1, row 1, and the classes are 0, 1, 255 (ignored)",
      "small.png: the target is of 3 x 1 pixels, and the picture has 2 x 2",
      "torn.png: the PNG image (50 bytes) is damaged or cut short",
      "web.png: this is a web page, not the picture on it",
    ].entries())
      expect(lines[i + 1]).toContain(words);
  });

  test("of COCO", async () => {
    const file = join(folder(), "set.json");
    write(join(file, "..", "a.png"), picture());
    const annotation = (id: number, more: object) => ({
      ...{ id, image_id: 1, category_id: 1, segmentation: [[0, 0, 1, 0, 1, 1]] },
      ...more,
    });
    const coco = {
      images: [
        { id: 1, file_name: "a.png", width: 2, height: 2 },
        { id: 2, file_name: "gone.png", width: 2, height: 2 },
        { id: 3, file_name: "a.png", width: 4, height: 4 },
      ],
      categories: [{ id: 1, name: "road" }],
      annotations: [
        annotation(1, { image_id: 9 }),
        annotation(2, { category_id: 9 }),
        annotation(3, { segmentation: [[0, 0, 1, 0]] }),
        annotation(4, { segmentation: undefined }),
        annotation(5, { segmentation: { size: [2, 2], counts: [3] } }),
      ],
    };
    write(file, JSON.stringify(coco));
    const set = { format: "coco", file, pictures: join(file, "..") } as const;
    const error = await refusal(() => openSet(set));
    expect(error.code).toBe("E1001");
    for (const words of [
      "annotation 1: there is no image 9",
      "annotation 2: there is no category 9",
      "annotation 3: a polygon is no list of three or more points",
      "annotation 4: its segmentation is neither polygons nor runs",
      "3 pixels in all, not the 4 of 2 x 2",
      "gone.png: there is no such file",
      "the outlines are of 4 x 4 pixels, and the picture has 2 x 2",
    ])
      expect(error.message).toContain(words);
    expect(error.message).toContain("has 7 problems");
  });

  test("of tables", async () => {
    const file = join(folder(), "train.csv");
    write(file, "image,label\na.png,\n,b.png\ngone.png,gone.png\n");
    const set = { format: "csv", file, targets: { labels: classes } } as const;
    const { message } = await refusal(() => openSet(set));
    expect(message).toContain("line 2: a.png has no label");
    expect(message).toContain("line 3: it names no picture");
    expect(message).toContain("gone.png: cannot read");
  });

  test("of YOLO", async () => {
    const at = folder();
    write(join(at, "images", "a.png"), picture());
    const lines = [
      "5 0 0 1 0 1 1",
      "0 0.5 0.5 1 1",
      "0 0 0 1 0 1",
      "0 0 0 100 0 1 1",
      "x 0 0 1 0 1 1",
    ];
    write(join(at, "labels", "a.txt"), lines.join("\n"));
    write(join(at, "data.yaml"), "train: images\nnames: [road]");
    const { message } = await refusal(() =>
      openSet({ format: "yolo", file: join(at, "data.yaml") }),
    );
    for (const words of [
      "line 1: there is no class 5: names has 0 to 0",
      "line 2: it has a box, not an outline",
      "line 3: it has 5 numbers behind the class",
      "line 4: 100 is no part of the picture's side",
      "line 5: there is no class NaN",
    ])
      expect(message).toContain(words);
  });

  test("of Labelme", async () => {
    const at = folder();
    const shape = (label: string, shape_type: string, points: number[][]) => ({
      ...{ label, shape_type, points },
    });
    const shapes = [
      shape("road", "line", [
        [0, 0],
        [1, 1],
      ]),
      shape("cat", "rectangle", [
        [0, 0],
        [1, 1],
      ]),
    ];
    write(join(at, "a.png"), picture());
    const size = { imagePath: "a.png", imageWidth: 2, imageHeight: 2 };
    write(join(at, "a.json"), JSON.stringify({ shapes, ...size }));
    write(join(at, "b.json"), "[]");
    const set = { format: "labelme", folder: at, classes: ["road"] } as const;
    const { message } = await refusal(() => openSet(set));
    expect(message).toContain("a.json: shape 1: a line of 2 points has no inside");
    expect(message).toContain('a.json: shape 2: "cat" is none of the classes road');
    expect(message).toContain("b.json: it has no shapes");
  });
});

describe("E1001 for a target", () => {
  const alpha = png(2, 8, greyAlpha, [
    [1, 255, 0, 255],
    [0, 7, 1, 255],
  ]);
  const turned = png(3, 8, colour, rowsOf(new Array<number>(18).fill(5), 9), {
    eXIf: exifOrientation(6),
  });
  test.each<[string, Promise<unknown> | (() => Promise<unknown>), string]>([
    ["with transparent pixels", () => one(classes, alpha), "transparent at column 0, row 1"],
    [
      "of colours, where classes are numbers",
      () =>
        one(
          classes,
          png(2, 8, colour, [
            [1, 2, 3, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
          ]),
        ),
      "it holds #010203 at column 0, row 0, and the classes are 0, 1",
    ],
    [
      "of a mask that can be read in several ways",
      () => one({ kind: "mask" }, greys([0, 3], [4, 5])),
      "the mask picture is not white on black",
    ],
    [
      "of depths that are colours",
      () =>
        one(
          { kind: "depth" },
          png(2, 8, colour, [
            [1, 2, 3, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
          ]),
        ),
      "colours, not depths",
    ],
    [
      "of an array of another size",
      () =>
        one({ kind: "depth" }, encodeNpy({ shape: [2, 3], data: new Float32Array(6) }), "a.npy"),
      "an array of (2, 3), and the picture 2 high and 2 wide",
    ],
    [
      "of a picture that EXIF turns",
      () => one(classes, greys([0, 1, 1], [0, 0, 0]), "a.png", turned),
      "the picture's EXIF data turn it",
    ],
  ])("%s", async (_, open, words) => {
    const error = await refusal(async () => (typeof open === "function" ? open() : open));
    expect(error.code).toBe("E1001");
    expect(error.message).toContain(words);
  });
});

describe("a description that is none", () => {
  const at = folder();
  write(join(at, "empty.json"), "{}");
  write(join(at, "torn.json"), "{");
  write(join(at, "quote.csv"), 'image,label\n"a.png,b\n');
  write(join(at, "wide.csv"), "image,label\na,b,c\n");
  write(join(at, "names.csv"), "picture,lable\na,b\n");
  write(join(at, "only-notes", "notes.txt"), "");
  write(join(at, "torn.yaml"), "train: [a");
  write(join(at, "word.yaml"), "hello");
  write(join(at, "gaps.yaml"), "train: a\nnames: { 0: a, 2: b }");
  write(join(at, "none.yaml"), "train: a");
  write(join(at, "good.yaml"), "train: a\nnames: [a]");
  const yolo = (file: string) => ({ format: "yolo", file: join(at, file) });
  const coco = (file: string) => ({ format: "coco", file: join(at, file), pictures: at });
  const csv = (file: string) => ({ format: "csv", file: join(at, file), targets: { it: classes } });
  const images = join(at, "only-notes");
  test.each<[string, string, unknown]>([
    [
      "E1002",
      "the set has no pictures",
      {
        format: "folders",
        pictures: images,
        targets: { a: { kind: "mask", folder: images, suffix: "_m" } },
      },
    ],
    ["E1003", 'no list "images"', coco("empty.json")],
    ["E1003", "it is no JSON", coco("torn.json")],
    ["E1003", "it is no YAML", yolo("torn.yaml")],
    ["E1003", "no names and no parts", yolo("word.yaml")],
    ["E1003", "not numbered from 0 on", yolo("gaps.yaml")],
    ["E1003", "it has no names", yolo("none.yaml")],
    ["E1003", 'it has no part "val"', { ...yolo("good.yaml"), split: "val" }],
    ["E1003", "there is no such file", coco("gone.json")],
    ["E1003", "line 2 does not end", csv("quote.csv")],
    ["E1003", "line 2 has 3 fields, and the first line 2", csv("wide.csv")],
    ["E1003", 'it has no column "image"', csv("names.csv")],
    ["E1003", 'write "lable"', { ...csv("names.csv"), picture: "picture" }],
    ["E1003", "there is no such folder", { format: "labelme", folder: join(at, "gone") }],
    ["E1004", 'write "labelme"', { format: "labelm", folder: at }],
    ["E1004", "no format undefined", {}],
    ["E1004", "the set has no targets", { format: "csv", file: "a.csv", targets: {} }],
    [
      "E1004",
      'write "classes"',
      { format: "csv", file: "a.csv", targets: { it: { kind: "class" } } },
    ],
    [
      "E1004",
      "a task has no classes",
      {
        format: "folders",
        pictures: images,
        targets: { it: { kind: "classes", classes: [], folder: at } },
      },
    ],
    [
      "E1004",
      'two classes "a"',
      {
        format: "folders",
        pictures: images,
        targets: { it: { kind: "classes", classes: ["a", "a"], folder: at } },
      },
    ],
    [
      "E1004",
      "are the same files",
      { format: "folders", pictures: images, targets: { it: { kind: "mask", folder: images } } },
    ],
    [
      "E460",
      "write pictures",
      { format: "folders", picture: at, targets: { it: { kind: "mask", folder: at } } },
    ],
    [
      "E460",
      "write suffix",
      {
        format: "folders",
        pictures: at,
        targets: { it: { kind: "mask", folder: at, sufix: "_m" } },
      },
    ],
    [
      "E465",
      "folder, which cannot be undefined",
      { format: "folders", pictures: at, targets: { it: { kind: "mask" } } },
    ],
    ["E465", "file, which cannot be undefined", { format: "coco", pictures: at }],
  ])("%s: %s", async (code, words, description) => {
    const error = await refusal(() => openSet(description as SetDescription));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(words)]);
  });
});
