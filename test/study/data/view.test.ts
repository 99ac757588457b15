/** What is done to a picture is done to its targets alike, and what is padded does not count. */
import { describe, expect, test } from "vitest";
import { preprocess, resizeImage } from "../../../predict/vision/index.ts";
import {
  type Augmentation,
  type Batch,
  type BatchOptions,
  batchesOf,
  maskTargets,
  normalizedImages,
  type Samples,
} from "../../../study/data/index.ts";
import { drawView } from "../../../study/data/view.ts";
import { refusal } from "../../support/weights-files.ts";

const [width, height] = [24, 16];

/** Blocks of 4 x 4 pixels of one colour, whose red is the label and whose green the depth; normals say the same. */
const label = (x: number, y: number) => (Math.floor(x / 4) * 3 + Math.floor(y / 4) * 5) % 11;
const pixels = Array.from(
  { length: width * height },
  (_, i) => [i % width, Math.floor(i / width)] as const,
);
const sample = {
  image: {
    ...{ width, height, channels: 3 as const },
    data: Uint8Array.from(pixels.flatMap(([x, y]) => [20 * label(x, y), 10 + label(x, y), 90])),
  },
  targets: {
    labels: { kind: "labels" as const, data: Int32Array.from(pixels, ([x, y]) => label(x, y)) },
    depth: { kind: "depth" as const, data: Float32Array.from(pixels, ([x, y]) => 1 + label(x, y)) },
    normals: {
      kind: "normals" as const,
      data: Float32Array.from(pixels.flatMap(([x, y]) => [label(x, y) / 11, 0.5, 1])),
    },
  },
};

const samples: Samples = {
  size: 1,
  tasks: { labels: { kind: "labels" }, depth: { kind: "depth" }, normals: { kind: "normals" } },
  read: async () => sample,
};

const take = (options: BatchOptions, step = 0, of = samples) =>
  batchesOf(of, options).take({ step, batch: 1 });

/**
 * The part of the picture's pixels whose colour says the same as the label; between two blocks colours are mixed. All
 * targets say the same, and nothing is known in the padding.
 */
function agreement({ side, image, valid, targets }: Batch, zoom = 1, flipped = 1): number {
  const [plane, normals] = [side ** 2, targets.normals!.data];
  let [same, wrong] = [0, 0];
  for (let i = 0; i < plane; i++) {
    const known = targets.labels!.data[i]!;
    const wanted = valid[i]
      ? [known, (1 + known) / zoom, (flipped * known) / 11, 1]
      : [-1, 0, 0, 0];
    const found = [known, targets.depth!.data[i]!, normals[i]!, normals[2 * plane + i]!];
    if (wanted.some((value, k) => Math.abs(value - found[k]!) > 1e-5)) wrong++;
    if (valid[i] ? known < 0 : image[i] !== 0) wrong++;
    if (valid[i] && image[i] === 20 * known) same++;
  }
  expect(wrong).toBe(0);
  return same / valid.reduce((sum, one) => sum + one, 0);
}

describe("picture and targets", () => {
  test.each<[string, BatchOptions, number]>([
    ["as they are", { side: 24, fit: "longest" }, 1],
    ["twice as large", { side: 48, fit: "longest" }, 0.5],
    ["stretched", { side: 32, fit: "square" }, 0.5],
    ["cut", { side: 8, augment: { crop: { width: 8, height: 8 } } }, 1],
  ])("agree %s", async (_, options, least) => {
    for (let step = 0; step < 8; step++)
      expect(agreement(await take(options, step))).toBeGreaterThanOrEqual(least);
  });

  test("agree mirrored, and normals then point to the other side", async () => {
    const batch = await take({ side: 24, fit: "longest", augment: { mirror: 1 } });
    expect(agreement(batch, 1, -1)).toBe(1);
    expect(batch.targets.labels!.data[0]).toBe(label(width - 1, 0));
    // Up and down are not exchanged.
    expect(batch.targets.normals!.data[24 * 24]).toBe(0.5);
  });

  test("agree turned over, within the part that is no padding", async () => {
    const batch = await take({ side: 24, fit: "longest", augment: { overturn: 1 } });
    expect(agreement(batch)).toBe(1);
    expect(batch.targets.labels!.data[0]).toBe(label(0, height - 1));
    expect(batch.targets.normals!.data[24 * 24]).toBe(-0.5);
  });

  test("agree at any scale, and depth is divided by it", async () => {
    for (let step = 0; step < 6; step++) {
      for (const scale of [[2], [0.5], [1.5]])
        agreement(await take({ side: 24, fit: "longest", augment: { scale } }, step), scale[0]);
      const square = await take({ side: 24, augment: { scale: [0.5] } }, step);
      expect(square.valid.reduce((sum, one) => sum + one, 0)).toBe(12 * 12);
    }
  });

  test("a scale of 2 shows half of each side, at different places", async () => {
    const augment = { scale: [2] };
    const options = { side: 12, fit: "longest", filter: "bilinear", augment } as const;
    const seen = new Set<string>();
    for (let step = 0; step < 20; step++) {
      const { from, zoom } = drawView(sample.image, { ...options, seed: 0, position: step });
      expect([from.width, from.height, zoom]).toEqual([12, 8, 2]);
      expect(from.x + from.width <= width && from.y + from.height <= height).toBe(true);
      seen.add(`${from.x},${from.y}`);
    }
    expect(seen.size).toBeGreaterThan(10);
  });
});

const square = { side: 8, fit: "square", filter: "bilinear" } as const;

test("how often a picture is mirrored is as said, and drawn anew at every position", () => {
  const count = (mirror: number) =>
    Array.from({ length: 1000 }, (_, position) =>
      drawView(sample.image, { ...square, augment: { mirror }, seed: 1, position }),
    ).filter(({ isMirrored }) => isMirrored).length;
  expect(count(0)).toBe(0);
  expect(count(1)).toBe(1000);
  // A standard deviation is 14.5.
  expect(Math.abs(count(0.3) - 300)).toBeLessThan(75);
});

test("what is drawn for one setting does not depend on another", () => {
  const at = { seed: 4, position: 9 };
  const draw = (augment: Augmentation) => drawView(sample.image, { ...square, augment, ...at });
  const all = { mirror: 0.5, scale: { from: 1, to: 2 }, brightness: 0.3, contrast: 0.3 };
  const both = draw(all);
  expect(draw({ ...all, mirror: 0, brightness: 0 }).from).toEqual(both.from);
  expect(draw({ contrast: 0.3 }).colours.contrast).toBe(both.colours.contrast);
});

test("colours change the picture and nothing else", async () => {
  const plain = await take({ side: 24, fit: "longest" });
  for (const name of ["brightness", "contrast", "saturation"] as const) {
    const changed = await take({ side: 24, fit: "longest", augment: { [name]: 0.5 } });
    expect(changed.image).not.toEqual(plain.image);
    expect(changed.valid).toEqual(plain.valid);
    expect(changed.targets).toEqual(plain.targets);
    // Padding stays 0.
    expect(changed.image.every((value, i) => value === 0 || plain.valid[i % 24 ** 2] === 1)).toBe(
      true,
    );
  }
  const grey = { ...sample.image, data: sample.image.data.map(() => 100) };
  const even: Samples = { ...samples, read: async () => ({ ...sample, image: grey }) };
  const dull = await take({ side: 8, augment: { contrast: 0.9, saturation: 0.9 } }, 0, even);
  expect(new Set(dull.image)).toEqual(new Set([100]));
});

test("the model's input is what predict makes of the same picture", async () => {
  for (const side of [24, 16, 40]) {
    const batch = await take({ side, fit: "longest" });
    expect(normalizedImages(batch)).toEqual(preprocess(sample.image, side).input);
  }
});

test("a task that is not known for a picture counts nowhere in it", async () => {
  const { labels, normals } = sample.targets;
  const some: Samples = {
    ...samples,
    size: 2,
    read: async (item) => (item === 0 ? sample : { ...sample, targets: { labels, normals } }),
  };
  const options = { side: 24, fit: "longest", order: "plain" } as const;
  const { targets } = await batchesOf(some, options).take({ step: 0, batch: 2 });
  expect([...targets.depth!.known]).toEqual([1, 0]);
  expect([...targets.labels!.known]).toEqual([1, 1]);
  const half = targets.depth!.data.length / 2;
  expect(targets.depth!.data.subarray(0, half).some((value) => value !== 0)).toBe(true);
  expect(targets.depth!.data.subarray(half).every((value) => value === 0)).toBe(true);
});

test("labels become a mask of one class, with weights", async () => {
  const { targets } = await take({ side: 24, fit: "longest" });
  const { target, weight } = maskTargets(targets.labels!, 5);
  const all = Array.from(targets.labels!.data);
  expect([...target]).toEqual(all.map((one) => (one === 5 ? 1 : 0)));
  expect([...weight]).toEqual(all.map((one) => (one === -1 ? 0 : 1)));
  expect([all.includes(5), all.includes(-1)]).toEqual([true, true]);
});

test("ranks together have the bytes of one process", async () => {
  const many: Samples = {
    ...samples,
    size: 5,
    read: async (item) => ({
      ...sample,
      image: { ...sample.image, data: sample.image.data.map((value) => (value + item) % 256) },
    }),
  };
  const batches = batchesOf(many, {
    side: 16,
    augment: { mirror: 0.5, scale: { from: 0.8, to: 1.3 } },
    seed: 2,
  });
  const whole = await batches.take({ step: 3, batch: 4 });
  const [a, b] = [0, 1].map((rank) => batches.take({ step: 3, batch: 2, rank, ranks: 2 }));
  const parts = [await a!, await b!];
  expect(parts.flatMap(({ items }) => items)).toEqual(whole.items);
  expect(Buffer.concat(parts.map(({ image }) => image))).toEqual(Buffer.from(whole.image));
  const labelsOf = ({ targets }: Batch) => [...targets.labels!.data];
  expect(parts.flatMap(labelsOf)).toEqual(labelsOf(whole));
});

test("a picture is resized as said, and targets are the same", async () => {
  const [plain, cubic] = [await take({ side: 13 }), await take({ side: 13, filter: "bicubic" })];
  expect(cubic.image).not.toEqual(plain.image);
  expect(cubic.targets).toEqual(plain.targets);
  const wanted = resizeImage(sample.image, { width: 13, height: 13 }, "bicubic").data;
  expect([...cubic.image.subarray(0, 169)]).toEqual([...wanted.filter((_, i) => i % 3 === 0)]);
});

describe("options that cannot be", () => {
  test.each<[string, string, object]>([
    ["E460", "write mirror", { side: 8, augment: { miror: 1 } }],
    ["E460", "write augment", { side: 8, augmnet: {} }],
    ["E465", "mirror, which cannot be 2", { side: 8, augment: { mirror: 2 } }],
    ["E465", "side, which cannot be 0", {}],
    ["E465", "side, which cannot be 1.5", { side: 1.5 }],
    ["E465", 'write fit: "longest"', { side: 8, fit: "longst" }],
    ["E465", "scale", { side: 8, augment: { scale: { from: 2, to: 1 } } }],
    ["E465", "scale", { side: 8, augment: { scale: [] } }],
    ["E465", "crop", { side: 8, augment: { crop: { width: 8 } } }],
    ["E465", "seed", { side: 8, seed: -1 }],
  ])("%s: %s", async (code, words, options) => {
    const error = await refusal(async () => batchesOf(samples, options as BatchOptions));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });
});
