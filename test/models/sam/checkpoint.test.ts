/**
 * Checkpoints against configurations: what shapes tell, and what is said when the two do not fit.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { checkSamWeights, inferSamConfig } from "../../../models/sam/checkpoint.ts";
import { parseSamConfig, type SamConfig, samPresets } from "../../../models/sam/config.ts";
import { toHuggingFace } from "../../../models/sam/names.ts";
import { samTensors } from "../../../models/sam/tensors.ts";
import { fileSource } from "../../../runtime/node/files.ts";
import { openWeights, type TensorEntry } from "../../../runtime/weights/index.ts";
import { fixturePath, refusal } from "../../support/weights-files.ts";

const presets = Object.entries(samPresets);
const nano = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));

/** A checkpoint's list of tensors, without the elements. */
function entries(config: SamConfig, spell = (name: string) => [name]) {
  const tensors = new Map<string, TensorEntry>();
  for (const { name, shape } of samTensors(config)) {
    for (const spelt of spell(name)) tensors.set(spelt, { dtype: "f32", shape, bytes: 0 });
  }
  return { source: "sam.pth", tensors };
}

const other: SamConfig = {
  ...nano,
  decoderNumHeads: 2,
  embedDim: 24,
  numHeads: 3,
  mlpRatio: 2.67,
  windowSize: 5,
  maskInChans: 4,
  iouHeadDepth: 4,
  numMultimaskOutputs: 1,
  decoderDepth: 1,
};

const heads = ({ decoderNumHeads }: SamConfig) => ({ decoderNumHeads });

describe("a checkpoint tells its configuration", () => {
  const spellings = [
    ["Meta's names", (name: string) => [name]],
    ["Hugging Face's names", (name: string) => toHuggingFace(name)],
  ] as const;
  describe.each(spellings)("in %s", (_, spell) => {
    test.each(presets)("%s", (_, config) => {
      expect(inferSamConfig(entries(config, spell))).toEqual(config);
      checkSamWeights(config, entries(config, spell));
    });
  });

  test("a small one, when the decoder's heads are given", async () => {
    const weights = await openWeights(await fileSource(fixturePath("sam_nano.pth")));
    expect(inferSamConfig(weights, { decoderNumHeads: 4 })).toEqual(nano);
    checkSamWeights(nano, weights);
    await weights.close();
    const error = await refusal(() => inferSamConfig(weights));
    expect(error.code).toBe("E231");
    expect(error.details.help).toContain("decoder_num_heads");
  });

  test("one with odd numbers", () => {
    expect(inferSamConfig(entries(other), heads(other))).toEqual({ ...other, mlpRatio: 64 / 24 });
    checkSamWeights(other, entries(other));
  });

  test("one with neither blocks nor neck does not", async () => {
    const half = entries(nano);
    for (const name of [...half.tensors.keys()])
      if (/blocks|neck/.test(name)) half.tensors.delete(name);
    const error = await refusal(() => inferSamConfig(half, heads(nano)));
    expect(error.code).toBe("E231");
    expect(error.details.message).toContain("image_encoder.blocks.0.mlp.lin1.weight is missing");
    expect(error.details.message).toContain("image_encoder.neck.0.weight is missing");
  });

  test("windows of two sizes are refused", async () => {
    const odd = entries(nano);
    odd.tensors.set("image_encoder.blocks.2.attn.rel_pos_h", {
      dtype: "f32",
      shape: [9, 12],
      bytes: 0,
    });
    const error = await refusal(() => inferSamConfig(odd, heads(nano)));
    expect(error.code).toBe("E231");
    expect(error.details.message).toContain("2 sizes");
  });
});

describe("a checkpoint that does not fit is explained, all of it at once", () => {
  test("missing, surplus and misshaped tensors", async () => {
    const weights = entries(nano);
    weights.tensors.delete("image_encoder.neck.1.bias");
    weights.tensors.delete("mask_decoder.iou_token.weight");
    weights.tensors.set("extra", { dtype: "f32", shape: [2, 2], bytes: 0 });
    weights.tensors.set("pixel_mean", { dtype: "f32", shape: [3], bytes: 0 });
    weights.tensors.set("mask_decoder.mask_tokens.weight", {
      dtype: "f32",
      shape: [4, 31],
      bytes: 0,
    });
    weights.tensors.set("image_encoder.neck.3.bias", { dtype: "i64", shape: [32], bytes: 0 });
    const error = await refusal(() => checkSamWeights(nano, weights));
    expect([error.code, error.details.where]).toEqual(["E232", "sam.pth"]);
    for (const line of [
      "2 missing, 1 surplus, 2 misshaped",
      "missing    image_encoder.neck.1.bias [32]",
      "missing    mask_decoder.iou_token.weight [1,32]",
      "surplus    extra [2,2]",
      "misshaped  mask_decoder.mask_tokens.weight is [4,31], should be [4,32]",
      "misshaped  image_encoder.neck.3.bias holds i64, should hold floats",
    ]) {
      expect(error.details.message).toContain(line);
    }
    expect(error.details.message).not.toContain("pixel_mean");
  });

  test("a configuration that contradicts the weights is named as such", async () => {
    const error = await refusal(() => checkSamWeights(samPresets.vit_b, entries(samPresets.vit_l)));
    expect(error.code).toBe("E232");
    for (const line of [
      "embed_dim is 768 in the configuration, 1024 in the weights",
      "depth is 12 in the configuration, 24 in the weights",
      "num_heads is 12 in the configuration, 16 in the weights",
      "global_attn_indexes is [2, 5, 8, 11] in the configuration, [5, 11, 17, 23] in the weights",
    ]) {
      expect(error.details.message).toContain(line);
    }
    expect(error.details.message).not.toContain("mlp_ratio");
    expect(error.details.help).toContain("vit_l");
  });

  test("names in errors are the file's own", async () => {
    const weights = entries(nano, toHuggingFace);
    weights.tensors.delete("vision_encoder.neck.conv1.weight");
    const error = await refusal(() => checkSamWeights(nano, weights));
    expect(error.details.message).toContain("missing    vision_encoder.neck.conv1.weight");
  });

  test("a prefix that a training program left is seen through, and stays in errors", async () => {
    const weights = entries(nano, (name) => [`module.${name}`]);
    checkSamWeights(nano, weights);
    weights.tensors.delete("module.image_encoder.neck.0.weight");
    const error = await refusal(() => checkSamWeights(nano, weights));
    expect(error.details.message).toContain("missing    module.image_encoder.neck.0.weight");
  });

  test("a window as large as the map is no contradiction", async () => {
    const config = { ...nano, imageSize: 48, globalAttnIndexes: [1] };
    expect(inferSamConfig(entries(config), heads(config)).globalAttnIndexes).toEqual([0, 1, 2, 3]);
    checkSamWeights(config, entries(config));
    const wider = { ...config, maskInChans: 16 };
    const error = await refusal(() => checkSamWeights(wider, entries(config)));
    expect(error.details.message).toContain("mask_in_chans is 16");
    expect(error.details.message).not.toContain("global_attn_indexes");
  });
});
