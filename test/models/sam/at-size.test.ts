/** Positions at another size: equal to PyTorch's `interpolate`, bilinear and without aligned corners. */
import { expect, test } from "vitest";
import { samAtSize } from "../../../models/sam/at-size.ts";
import { hashedWeights } from "../../../models/sam/hashed.ts";
import { samTensors } from "../../../models/sam/tensors.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { tinySam } from "../../support/sam-small.ts";
import { floats } from "../../support/training-file.ts";
import { openBytes, readAll, refusal } from "../../support/weights-files.ts";

// Three patches across, and one channel; of heads one of two channels.
const config = { ...tinySam, imageSize: 24, embedDim: 1, globalAttnIndexes: [1] };
const positions = "image_encoder.pos_embed";
const table = "image_encoder.blocks.1.attn.rel_pos_h";
const other = "image_encoder.blocks.0.attn.rel_pos_h";
const squares = (length: number) => Float32Array.from({ length }, (_, i) => i * i);

const open = () =>
  openBytes(
    writeSafetensors(
      new Map([
        [positions, floats(squares(9), [1, 3, 3, 1])],
        [table, floats(squares(10), [5, 2])],
        [other, floats(squares(10), [5, 2])],
      ]),
      {},
    ),
  );

test.each([
  [
    32,
    [
      ...[0, 0.625, 2.125, 4, 5.625, 8.59375, 12.90625, 17.125],
      ...[19.125, 24.90625, 32.59375, 39.625, 36, 44.125, 54.625, 64],
    ],
    [
      ...[0, 1, 2.2857144, 5.5714288, 7.4285716, 13.5714294, 16.0000019, 25.0000019],
      ...[30.2857151, 42.1428604, 48.0000038, 62.7142868, 64, 81],
    ],
  ],
  [
    16,
    [2.875, 8.125, 32.125, 50.875],
    [1.3333333, 3.6666665, 15.999999, 25, 54.6666641, 70.3333282],
  ],
])("of %d pixels", async (size, grid, rows) => {
  const given = await open();
  const { config: sized, weights } = samAtSize(config, given, size);
  expect(sized.imageSize).toBe(size);
  const side = size / config.patchSize;
  expect(weights.tensors.get(positions)!.shape).toEqual([1, side, side, 1]);
  expect(weights.tensors.get(table)!.shape).toEqual([2 * side - 1, 2]);
  for (const [name, wanted] of [
    [positions, grid],
    [table, rows],
  ] as const) {
    const found = await weights.readF32(name);
    expect(found).toHaveLength(wanted.length);
    // Of the largest value PyTorch's single precision has these digits.
    for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 4);
    // In pieces it is the same.
    const pieces: number[] = [];
    for await (const piece of weights.chunks(name, 12)) pieces.push(...piece);
    expect(pieces).toEqual([...found]);
  }
  // Blocks that attend within windows know them by their windows' size.
  expect([...(await weights.readF32(other))]).toEqual([...squares(10)]);
  await weights.close();
});

test("has every tensor of a SAM of that size, and is the same at its own", async () => {
  const given = hashedWeights(tinySam, "size");
  expect(samAtSize(tinySam, given, 32).weights).toBe(given);
  const { config: sized, weights } = samAtSize(tinySam, given, 64);
  const shapes = [...(await readAll(weights))].map(([name, { shape }]) => [name, shape] as const);
  const wanted = samTensors(sized).map(({ name, shape }) => [name, shape] as const);
  expect(new Map(shapes)).toEqual(new Map(wanted));
});

test("E1114: a size that is no whole number of patches", async () => {
  const { code, details } = await refusal(async () =>
    samAtSize(tinySam, hashedWeights(tinySam, "size"), 100),
  );
  expect([code, details.help]).toEqual(["E1114", "give a multiple of 8, such as 104"]);
});
