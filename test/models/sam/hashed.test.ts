/** Hashed weights follow the published rule, bit by bit. */
import { expect, test } from "vitest";
import { samPresets } from "../../../models/sam/config.ts";
import { hashedImage, hashedTensor, hashedWeights } from "../../../models/sam/hashed.ts";

const qkv = "image_encoder.blocks.0.attn.qkv.weight";

test("a weight's corner is the one that the reference gives", () => {
  expect([...hashedTensor("inarch", qkv, [2304, 768], 0, 3)]).toEqual([
    0.006283644586801529, 0.010775020346045494, -0.008200949057936668,
  ]);
  expect([...hashedTensor("inarch", qkv, [2304, 768], 768, 2)]).toEqual([
    -0.04210629686713219, -0.04178381711244583,
  ]);
});

test("the image's corner is the one that the reference gives", () => {
  const image = hashedImage("inarch", 1024);
  expect(image.length).toBe(3 * 1024 * 1024);
  expect([...image.subarray(0, 2), image[1024]]).toEqual([
    1.2984131574630737, 1.659420132637024, -1.4173840284347534,
  ]);
});

test("a tensor is the same whole and in pieces", async () => {
  const weights = hashedWeights(samPresets.vit_b, "seed");
  const whole = await weights.readF32("mask_decoder.iou_prediction_head.layers.0.weight");
  const pieces: number[] = [];
  for await (const piece of weights.chunks(
    "mask_decoder.iou_prediction_head.layers.0.weight",
    1000,
  ))
    pieces.push(...piece);
  expect(pieces).toEqual([...whole]);
  expect(whole.length).toBe(256 * 256);
});

test.each([
  ["image_encoder.pos_embed", 0, 0.5],
  ["image_encoder.blocks.2.attn.rel_pos_w", 0, 0.5],
  ["prompt_encoder.pe_layer.positional_encoding_gaussian_matrix", 0, 1.7],
  ["image_encoder.blocks.0.mlp.lin1.weight", 0, (Math.sqrt(3) * 0.7) / Math.sqrt(768)],
  ["image_encoder.neck.2.weight", 0, (Math.sqrt(3) * 0.7) / Math.sqrt(256 * 9)],
  ["image_encoder.blocks.0.norm1.weight", 1, 0.1],
  ["image_encoder.blocks.0.norm1.bias", 0, 0.1],
])("%s is spread around %f by %f", async (name, middle, spread) => {
  const values = await hashedWeights(samPresets.vit_b, "inarch").readF32(name);
  const [low, high] = [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
  expect(low).toBeGreaterThanOrEqual(Math.fround(middle - spread));
  expect(high).toBeLessThanOrEqual(Math.fround(middle + spread));
  // A hundred values and more come close to both ends.
  expect((high - low) / (2 * spread)).toBeGreaterThan(0.9);
});
