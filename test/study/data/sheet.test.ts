/** What targets say is drawn over the picture, and nothing else of it changes. */
import { describe, expect, test } from "vitest";
import { colourOf, drawTarget, type Samples, targetSheet } from "../../../study/data/index.ts";

test("classes have the colours of PASCAL VOC", () => {
  expect([0, 1, 2, 3, 8, 15, 20, 255].map(colourOf)).toEqual([
    [0, 0, 0],
    [128, 0, 0],
    [0, 128, 0],
    [128, 128, 0],
    [64, 0, 0],
    [192, 128, 128],
    [0, 64, 128],
    [224, 224, 192],
  ]);
});

const image = { width: 3, height: 1, channels: 3 as const, data: new Uint8Array(9).fill(100) };
const mixed = (...colour: number[]) => colour.map((value) => Math.round(40 + 0.6 * value));
const plain = [100, 100, 100];

describe("over a picture", () => {
  test("background stays, and what does not count is hatched", () => {
    const labels = { kind: "labels" as const, data: Int32Array.of(-1, 0, 1) };
    const draw = (...classes: string[]) => [
      ...drawTarget({ image, targets: { a: labels } }, "a", { kind: "labels", classes }).data,
    ];
    expect(draw("background", "road")).toEqual([
      ...[...mixed(255, 255, 255), ...plain, ...mixed(128, 0, 0)],
    ]);
    expect(draw("sky", "road").slice(3)).toEqual([...mixed(128, 0, 0), ...mixed(0, 128, 0)]);
    expect([...image.data]).toEqual([...plain, ...plain, ...plain]);
  });

  test("depth is yellow where it is near, and normals point in colours", () => {
    const depth = { kind: "depth" as const, data: Float32Array.of(0, 2, 8) };
    const targets = { depth };
    expect([...drawTarget({ image, targets }, "depth", { kind: "depth" }).data]).toEqual([
      ...[...plain, ...mixed(255, 230, 60), ...mixed(0, 40, 200)],
    ]);
    const normals = { kind: "normals" as const, data: Float32Array.of(0, 0, 0, 1, 0, 0, 0, 0, -1) };
    const drawn = drawTarget({ image, targets: { normals } }, "normals", { kind: "normals" });
    expect([...drawn.data]).toEqual([
      ...[...plain, ...mixed(255, 127.5, 127.5), ...mixed(127.5, 127.5, 0)],
    ]);
  });

  test("a task that is not known leaves it as it is", () => {
    expect(drawTarget({ image, targets: {} }, "a", { kind: "labels" })).toBe(image);
  });
});

test("a sheet shows items from all over the set, once for every task", async () => {
  const asked: number[] = [];
  const samples: Samples = {
    size: 100,
    tasks: { a: { kind: "labels" }, b: { kind: "depth" } },
    async read(item) {
      asked.push(item);
      return { image, targets: {} };
    },
  };
  const sheet = await targetSheet(samples, 4, 30);
  expect(asked).toEqual([0, 25, 50, 75]);
  // Eight cells of 30 x 10 in two rows of four, and gaps of 4.
  expect([sheet.width, sheet.height]).toEqual([4 * 34 + 4, 2 * 14 + 4]);
});
