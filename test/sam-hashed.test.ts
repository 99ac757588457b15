/** Hashed weights follow the published rule, bit by bit. */
import { expect, test } from "vitest";
import { samPresets } from "../models/sam/config.ts";
import { hashedImage, hashedTensor, hashedWeights } from "../models/sam/hashed.ts";

test("x", async () => {
  console.log(hashedTensor("inarch", "image_encoder.blocks.0.attn.qkv.weight", [2304, 768], 0, 8), hashedTensor("inarch", "image_encoder.blocks.0.attn.qkv.weight", [2304, 768], 768, 8));
  const im = hashedImage("inarch", 1024);
  console.log(im.slice(0, 8), im.slice(1024, 1032));
});
