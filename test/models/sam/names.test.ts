/**
 * SAM's tensors: their names in both conventions, their shapes, and the configuration behind them.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  formatSamConfig,
  parseSamConfig,
  samPreset,
  samPresets,
} from "../../../models/sam/config.ts";
import {
  detectNaming,
  gaussian,
  toHuggingFace,
  toMeta,
  withMetaNames,
} from "../../../models/sam/names.ts";
import { samTensors } from "../../../models/sam/tensors.ts";
import { writeSafetensors } from "../../../runtime/weights/index.ts";
import { fixturePath, openBytes, refusal } from "../../support/weights-files.ts";

const presets = Object.entries(samPresets);
const nano = parseSamConfig(readFileSync(fixturePath("sam_nano.config.json"), "utf8"));

/** `name<TAB>(1, 64, 64, 768)` on each line: printed by the published code for each model. */
function publishedList(preset: string): string[] {
  return readFileSync(fixturePath(`sam_${preset}_tensors.txt`), "utf8")
    .trimEnd()
    .split("\n");
}

describe("the tensors of the published models", () => {
  test.each(presets)("%s: names, shapes and order", (preset, config) => {
    const lines = samTensors(config).map(
      ({ name, shape }) => `${name}\t(${shape.join(", ")}${shape.length === 1 ? "," : ""})`,
    );
    expect(lines).toEqual(publishedList(preset));
  });

  const counts = [
    ["vit_b", 89_670_912, 93_735_472],
    ["vit_l", 308_278_272, 312_342_832],
    ["vit_h", 637_026_048, 641_090_608],
  ] as const;
  test.each(counts)("%s: parameters by part", (preset, encoder, total) => {
    const count = (prefix: string) =>
      samTensors(samPreset(preset))
        // The positional encoding is a buffer: in the file, but not a parameter.
        .filter(({ name }) => name.startsWith(prefix) && name !== gaussian.meta)
        .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(count("image_encoder.")).toBe(encoder);
    expect(count("prompt_encoder.")).toBe(6_220);
    expect(count("mask_decoder.")).toBe(4_058_340);
    expect(count("")).toBe(total);
  });
});

describe("names of Meta and of Hugging Face", () => {
  test.each(presets)("%s: there and back is where it began, for every name", (_, config) => {
    const all = new Set<string>();
    for (const { name } of samTensors(config)) {
      for (const hf of toHuggingFace(name)) {
        expect(toMeta(hf)).toBe(name);
        expect(all).not.toContain(hf);
        all.add(hf);
      }
    }
    expect(all.size).toBe(samTensors(config).length + 1);
    expect(detectNaming(all)).toBe("hf");
    expect(detectNaming(samTensors(config).map(({ name }) => name))).toBe("meta");
  });

  const pairs: readonly [meta: string, hf: string][] = [
    ["image_encoder.pos_embed", "vision_encoder.pos_embed"],
    ["image_encoder.patch_embed.proj.weight", "vision_encoder.patch_embed.projection.weight"],
    ["image_encoder.blocks.11.norm1.bias", "vision_encoder.layers.11.layer_norm1.bias"],
    ["image_encoder.blocks.3.attn.rel_pos_h", "vision_encoder.layers.3.attn.rel_pos_h"],
    ["image_encoder.blocks.3.mlp.lin2.weight", "vision_encoder.layers.3.mlp.lin2.weight"],
    ["image_encoder.neck.0.weight", "vision_encoder.neck.conv1.weight"],
    ["image_encoder.neck.3.bias", "vision_encoder.neck.layer_norm2.bias"],
    ["prompt_encoder.point_embeddings.2.weight", "prompt_encoder.point_embed.2.weight"],
    ["prompt_encoder.not_a_point_embed.weight", "prompt_encoder.not_a_point_embed.weight"],
    ["prompt_encoder.mask_downscaling.4.bias", "prompt_encoder.mask_embed.layer_norm2.bias"],
    ["prompt_encoder.mask_downscaling.6.weight", "prompt_encoder.mask_embed.conv3.weight"],
    ["mask_decoder.iou_token.weight", "mask_decoder.iou_token.weight"],
    ["mask_decoder.mask_tokens.weight", "mask_decoder.mask_tokens.weight"],
    [
      "mask_decoder.transformer.layers.1.norm4.weight",
      "mask_decoder.transformer.layers.1.layer_norm4.weight",
    ],
    [
      "mask_decoder.transformer.norm_final_attn.bias",
      "mask_decoder.transformer.layer_norm_final_attn.bias",
    ],
    ["mask_decoder.output_upscaling.0.weight", "mask_decoder.upscale_conv1.weight"],
    ["mask_decoder.output_upscaling.1.weight", "mask_decoder.upscale_layer_norm.weight"],
    ["mask_decoder.output_upscaling.3.bias", "mask_decoder.upscale_conv2.bias"],
    [
      "mask_decoder.output_hypernetworks_mlps.3.layers.0.weight",
      "mask_decoder.output_hypernetworks_mlps.3.proj_in.weight",
    ],
    [
      "mask_decoder.output_hypernetworks_mlps.3.layers.1.weight",
      "mask_decoder.output_hypernetworks_mlps.3.layers.0.weight",
    ],
    [
      "mask_decoder.output_hypernetworks_mlps.3.layers.2.bias",
      "mask_decoder.output_hypernetworks_mlps.3.proj_out.bias",
    ],
    [
      "mask_decoder.iou_prediction_head.layers.2.weight",
      "mask_decoder.iou_prediction_head.proj_out.weight",
    ],
    ["image_encoder.blocks.0.attn.qkv.lora_a", "vision_encoder.layers.0.attn.qkv.lora_a"],
    ["somebody.elses.tensor", "somebody.elses.tensor"],
  ];
  test.each(pairs)("%s", (meta, hf) => {
    expect(toHuggingFace(meta)).toEqual([hf]);
    expect(toMeta(hf)).toBe(meta);
  });

  test("the positional encoding has two names, tied", () => {
    const names = [
      "shared_image_embedding.positional_embedding",
      "prompt_encoder.shared_embedding.positional_embedding",
    ];
    expect(toHuggingFace(gaussian.meta)).toEqual(names);
    expect(names.map((name) => toMeta(name))).toEqual([gaussian.meta, gaussian.meta]);
  });

  test("an IoU head of four layers keeps its order", () => {
    const hf = [0, 1, 2, 3].map(
      (i) => toHuggingFace(`mask_decoder.iou_prediction_head.layers.${i}.bias`, 4)[0]!,
    );
    expect(hf.map((name) => name.split(".").slice(2, -1).join("."))).toEqual([
      "proj_in",
      "layers.0",
      "layers.1",
      "proj_out",
    ]);
    expect(hf.map((name) => toMeta(name, 4))).toEqual(
      [0, 1, 2, 3].map((i) => `mask_decoder.iou_prediction_head.layers.${i}.bias`),
    );
  });

  test("a file of both namings is refused, one of neither is not guessed", async () => {
    const names = ["image_encoder.pos_embed", "vision_encoder.pos_embed"];
    const error = await refusal(() => detectNaming(names, "merged.pth"));
    expect(error.code).toBe("E233");
    expect(detectNaming(["mask_decoder.iou_token.weight", "x"])).toBe(undefined);
  });

  test("a file of Hugging Face's names reads under Meta's", async () => {
    const data = new Uint8Array(Float32Array.of(1).buffer);
    const tensors = new Map(
      samTensors(nano).flatMap(({ name }) =>
        toHuggingFace(name).map((hf) => [hf, { dtype: "f32" as const, shape: [1], data }] as const),
      ),
    );
    const weights = withMetaNames(await openBytes(writeSafetensors(tensors)));
    expect([...weights.tensors.keys()].sort()).toEqual(
      samTensors(nano)
        .map(({ name }) => name)
        .sort(),
    );
    expect([...(await weights.readF32(gaussian.meta))]).toEqual([1]);
    expect((await refusal(() => weights.read("vision_encoder.pos_embed"))).code).toBe("E204");
  });
});

describe("configurations", () => {
  test("the fixture says what its file says", () => {
    expect(nano).toMatchObject({
      imageSize: 128,
      embedDim: 48,
      depth: 4,
      numHeads: 4,
      windowSize: 3,
      outChans: 32,
      maskInChans: 8,
      globalAttnIndexes: [1, 3],
      decoderNumHeads: 4,
      numMultimaskOutputs: 3,
      iouHeadDepth: 3,
    });
  });

  test.each(presets)("%s: written and read again is the same", (_, config) => {
    expect(parseSamConfig(JSON.stringify(formatSamConfig(config)))).toEqual(config);
  });

  test("Hugging Face's file of ViT-L is the preset; what it leaves out is ViT-B's", () => {
    const vision_config = {
      hidden_size: 1024,
      num_hidden_layers: 24,
      num_attention_heads: 16,
      global_attn_indexes: [5, 11, 17, 23],
      mlp_dim: 4096,
      layer_norm_eps: 1e-6,
    };
    const mask_decoder_config = { num_attention_heads: 8, mlp_dim: 2048, layer_norm_eps: 1e-6 };
    expect(parseSamConfig({ model_type: "sam", vision_config, mask_decoder_config })).toEqual(
      samPresets.vit_l,
    );
    expect(parseSamConfig({ vision_config: {} })).toEqual(samPresets.vit_b);
  });

  const file = formatSamConfig(samPresets.vit_b);
  const { depth: _, ...withoutDepth } = file;
  const wrong: readonly [claim: string, json: unknown, words: string[]][] = [
    ["no JSON", "{", ["not JSON"]],
    ["no object", "[]", ["not a JSON object"]],
    [
      "a field that is missing, and others that are wrong",
      { ...withoutDepth, num_heads: "12", image_size: 0, patchsize: 16 },
      ["depth is missing", 'num_heads is "12"', "image_size is 0", "patchsize is not a field"],
    ],
    ["a list that is none", { ...file, global_attn_indexes: 3 }, ["global_attn_indexes is 3"]],
    ["a ratio of zero", { ...file, mlp_ratio: 0 }, ["mlp_ratio is 0"]],
    [
      "fields that contradict each other",
      {
        ...file,
        image_size: 1000,
        num_heads: 7,
        global_attn_indexes: [2, 2, 12],
        out_chans: 100,
        mask_in_chans: 6,
      },
      [
        "1000 is not a multiple of patch_size 16",
        "768 is not a multiple of num_heads 7",
        "block 12",
        "twice",
        "out_chans 100",
        "mask_in_chans 6",
      ],
    ],
    [
      "decoder heads that do not divide",
      { ...file, decoder_num_heads: 3 },
      ["128, is no multiple of decoder_num_heads 3"],
    ],
    [
      "a transformers model that is computed differently",
      {
        vision_config: { use_rel_pos: false, mlp_dim: "x" },
        mask_decoder_config: { attention_downsample_rate: 4, hidden_size: 128 },
      },
      [
        "vision_config.use_rel_pos is false",
        "attention_downsample_rate is 4",
        "mask_decoder_config.hidden_size is 128",
        'mlp_ratio is "x"',
      ],
    ],
  ];
  test.each(wrong)("%s", async (_, json, words) => {
    const error = await refusal(() => parseSamConfig(json, "sam.json"));
    expect([error.code, error.details.where]).toEqual(["E230", "sam.json"]);
    for (const word of words) expect(error.details.message).toContain(word);
  });

  test("an unknown preset is answered with the known ones", async () => {
    const error = await refusal(() => samPreset("vit_g"));
    expect(error.code).toBe("E230");
    expect(error.details.help).toContain("vit_b, vit_l, vit_h");
  });
});
