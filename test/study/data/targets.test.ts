/** What the targets of every kind hold, whatever files they come from. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { encodeNpy } from "../../../predict/vision/index.ts";
import type { TaskFiles } from "../../../study/data/index.ts";
import { type DataSet, openSet, type SetDescription } from "../../../study/data/node/index.ts";
import { colour, grey, palette, png, wide } from "../../support/image-files.ts";
import { greys, makeSets, picture, write } from "../../support/study-sets.ts";
import { refusal } from "../../support/weights-files.ts";

const root = mkdtempSync(join(tmpdir(), "inarch-targets-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const { folder, one } = makeSets(root);

const classes: TaskFiles = { kind: "classes", classes: ["sky", "road"], ignore: 255 };

describe("targets", () => {
  const dataOf = async (set: DataSet) => [...(await set.read(0)).targets.it!.data];

  test("that are ignored do not count", async () => {
    const set = await one(classes, greys([0, 255], [1, 1]));
    expect(await dataOf(set)).toEqual([0, -1, 1, 1]);
    expect(set.summary.tasks.it).toMatchObject({ pixels: 3, ignored: 1 });
  });

  test("of a palette are its indices, or its colours", async () => {
    const file = png(2, 4, palette, [[0x20], [0x12]], { PLTE: [0, 0, 0, 7, 7, 7, 200, 0, 0] });
    const two = { ...classes, classes: ["void", "grey", "red"] };
    expect(await dataOf(await one(two, file))).toEqual([2, 0, 1, 2]);
    const byColour: TaskFiles = {
      kind: "classes",
      classes: [
        { name: "red", value: "#C80000" },
        { name: "grey", value: "#070707" },
      ],
      ignore: ["#000000"],
    };
    expect(await dataOf(await one(byColour, file))).toEqual([0, -1, 1, 0]);
  });

  test("that are masks are white on black, any one value, or nothing at all", async () => {
    const mask: TaskFiles = { kind: "mask" };
    expect(await dataOf(await one(mask, greys([0, 255], [255, 0])))).toEqual([0, 1, 1, 0]);
    expect(await dataOf(await one(mask, greys([0, 1], [1, 0])))).toEqual([0, 1, 1, 0]);
    expect(await dataOf(await one(mask, greys([0, 0], [0, 0])))).toEqual([0, 0, 0, 0]);
    const chosen: TaskFiles = { kind: "mask", value: 4, ignore: 9 };
    expect(await dataOf(await one(chosen, greys([3, 4], [9, 5])))).toEqual([0, 1, -1, 0]);
  });

  test("of depth are 16 bits or an array, and 0 is not known", async () => {
    const deep = png(2, 16, grey, [wide(1000, 65535), wide(0, 2)]);
    const found = await dataOf(await one({ kind: "depth", scale: 0.001 }, deep));
    expect(found).toEqual([1, 65.535, 0, 0.002].map(Math.fround));
    const data = Float32Array.of(1.5, Number.NaN, -1, 4);
    const array = encodeNpy({ shape: [1, 2, 2], data });
    const set = await one({ kind: "depth", unknown: -1 }, array, "a.npy");
    expect(await dataOf(set)).toEqual([1.5, 0, 0, 4]);
    expect(set.summary.tasks.it).toMatchObject({ range: [1.5, 4], pixels: 2, ignored: 2 });
  });

  test("of normals are colours or an array of either order, of length 1", async () => {
    const coloured = png(2, 8, colour, [
      [255, 128, 128, 0, 0, 0],
      [128, 0, 128, 128, 128, 128],
    ]);
    const found = await dataOf(await one({ kind: "normals" }, coloured));
    expect(found.map(Math.round)).toEqual([1, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0]);
    const planes = Float32Array.of(3, 0, 0, 0, 0, 0, 0, 4, 4, 0, 2, -3);
    const array = encodeNpy({ shape: [3, 2, 2], data: planes });
    const set = await one({ kind: "normals" }, array, "a.npy");
    expect((await dataOf(set)).map((value) => Math.round(5 * value))).toEqual([
      ...[3, 0, 4, 0, 0, 0, 0, 0, 5, 0, 4, -3],
    ]);
    const last = [3, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, -3];
    const other = encodeNpy({ shape: [2, 2, 3], data: Float32Array.from(last) });
    expect(await dataOf(await one({ kind: "normals" }, other, "a.npy"))).toEqual(await dataOf(set));
  });

  test("of several tasks may be missing, but not all of them", async () => {
    const at = folder();
    for (const name of ["a", "b", "c"]) write(join(at, "images", `${name}.png`), picture());
    for (const name of ["a", "b"]) write(join(at, "labels", `${name}.png`), greys([0, 1], [1, 1]));
    write(join(at, "depth", "a.png"), png(2, 16, grey, [wide(1, 2), wide(3, 4)]));
    const description: SetDescription = {
      format: "folders",
      pictures: join(at, "images"),
      targets: {
        semantic: { ...classes, folder: join(at, "labels") },
        depth: { kind: "depth", folder: join(at, "depth") },
      },
    };
    const error = await refusal(() => openSet(description));
    expect(error.message).toContain("c.png: there is no target of this name in");
    write(join(at, "depth", "c.png"), png(2, 16, grey, [wide(1, 2), wide(3, 4)]));
    const set = await openSet(description);
    const found = await Promise.all([0, 1, 2].map(set.read));
    expect(found.map(({ targets }) => Object.keys(targets))).toEqual([
      ["semantic", "depth"],
      ["semantic"],
      ["depth"],
    ]);
    expect(set.summary.tasks).toMatchObject({
      semantic: { known: 2, missing: 1 },
      depth: { known: 2, missing: 1, range: [1, 4] },
    });
  });

  test("are checked with progress, and until a signal", async () => {
    const at = folder();
    for (const name of ["a", "b", "c", "d", "e"]) {
      write(join(at, "images", `${name}.png`), picture());
      write(join(at, "masks", `${name}.png`), greys([0, 1], [1, 1]));
    }
    const description: SetDescription = {
      format: "folders",
      pictures: join(at, "images"),
      targets: { labels: { kind: "mask", folder: join(at, "masks") } },
    };
    const seen: string[] = [];
    await openSet(description, { onProgress: (done, all) => seen.push(`${done}/${all}`) });
    expect(seen).toEqual(["1/5", "2/5", "3/5", "4/5", "5/5"]);
    const stop = new AbortController();
    const reason = new Error("enough");
    const opening = openSet(description, {
      onProgress: () => stop.abort(reason),
      signal: stop.signal,
    });
    await expect(opening).rejects.toBe(reason);
  });

  test("of a file that has changed since are refused when they are read: E1006", async () => {
    const at = folder();
    const [pictures, masks] = [join(at, "images"), join(at, "masks")];
    write(join(pictures, "a.png"), picture());
    write(join(masks, "a.png"), greys([0, 1], [1, 1]));
    const targets = { it: { ...classes, folder: masks } };
    const set = await openSet({ format: "folders", pictures, targets });
    write(join(masks, "a.png"), greys([0, 1], [1, 77]));
    const error = await refusal(() => set.read(0));
    expect(error.code).toBe("E1006");
    expect(error.message).toContain("it holds 77 at column 1, row 1");
    expect(error.details.where).toBe(join(masks, "a.png"));
  });
});

describe("Labelme's shapes", () => {
  const at = folder();
  const shape = (label: string, shape_type: string, points: number[][], more = {}) => ({
    ...{ label, shape_type, points },
    ...more,
  });
  const patch = Buffer.from(greys([255, 0], [255, 255])).toString("base64");
  const shapes = [
    shape("tree", "rectangle", [
      [1, 1],
      [4, 3],
    ]),
    shape("car", "circle", [
      [6, 6],
      [6, 7.5],
    ]),
    shape("__ignore__", "polygon", [
      [0, 6],
      [2, 6],
      [2, 8],
      [0, 8],
    ]),
    shape("_background_", "polygon", [
      [2, 1],
      [3, 1],
      [3, 3],
      [2, 3],
    ]),
    shape(
      "tree",
      "mask",
      [
        [6, 0],
        [7, 1],
      ],
      { mask: patch },
    ),
  ];
  const size = { imagePath: "..\\photos\\a.png", imageWidth: 8, imageHeight: 8 };
  const imageData = Buffer.from(picture(8, 8)).toString("base64");
  write(join(at, "json", "a.json"), JSON.stringify({ shapes, ...size, imageData }));
  const open = () => openSet({ format: "labelme", folder: join(at, "json") });
  const expected = ["......2.", ".2.2..22", ".2.2....", "........", "........"];

  test("are rectangles, circles, masks and polygons, with names of their own meaning", async () => {
    const set = await open();
    expect(set.tasks.labels!.classes).toEqual(["background", "car", "tree"]);
    const { targets } = await set.read(0);
    const rows = Array.from({ length: 8 }, (_, y) =>
      [...targets.labels!.data.slice(8 * y, 8 * y + 8)]
        .map((v) => (v < 0 ? "x" : v || "."))
        .join(""),
    );
    expect(rows.slice(0, 5)).toEqual(expected);
    expect(rows[7]!.slice(0, 3)).toBe("xx.");
    expect(targets.labels!.data.filter((label) => label === 1).length).toBeGreaterThan(3);
    expect(set.summary.tasks.labels).toMatchObject({ ignored: 4 });
  });

  test("lie on the picture of their path, or on the one in the JSON where that is gone", async () => {
    expect((await (await open()).read(0)).image.data[0]).toBe(9);
    const torn = picture(8, 8).subarray(0, 50);
    write(join(at, "photos", "a.png"), torn);
    expect((await refusal(open)).code).toBe("E1001");
  });
});
