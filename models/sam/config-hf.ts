/**
 * Hugging Face's `config.json` of a SAM, as fields of `SamConfig`.
 *
 * A trap that no configuration shows: the layer norms of Meta's mask decoder have eps 1e-5
 * throughout (PyTorch's default); transformers computes the four norms of each two-way block with
 * 1e-6 (its `mask_decoder_config.layer_norm_eps`) and only the final one with 1e-5. The weights are
 * Meta's and were trained with 1e-5. inarch computes as Meta does whichever file the weights come
 * from, so a comparison with transformers may differ in the last digits. All other norms have 1e-6
 * in both.
 */
import { ratioFor } from "./mlp-ratio.ts";

/** Fields by their name in `SamConfig`, not yet checked, and what inarch cannot compute. */
export function fromHuggingFace(json: object): {
  readonly fields: Record<string, unknown>;
  readonly problems: string[];
} {
  const vision = section(json, "vision_config");
  const prompt = section(json, "prompt_encoder_config");
  const decoder = section(json, "mask_decoder_config");
  const problems = fixed.flatMap(([part, key, value]) => {
    const given = section(json, part)[key];
    if (given === undefined || given === null || given === value) return [];
    return [
      `${part}.${key} is ${JSON.stringify(given)}; inarch computes only ${JSON.stringify(value)}`,
    ];
  });
  const embedDim = vision.hidden_size ?? 768;
  const outChans = vision.output_channels ?? 256;
  const imageSize = vision.image_size ?? 1024;
  const patchSize = vision.patch_size ?? 16;
  const mlpDim = vision.mlp_dim ?? undefined;
  const same: [words: string, a: unknown, b: unknown][] = [
    ["prompt_encoder_config.hidden_size", prompt.hidden_size ?? 256, outChans],
    ["mask_decoder_config.hidden_size", decoder.hidden_size ?? 256, outChans],
    ["prompt_encoder_config.image_size", prompt.image_size ?? 1024, imageSize],
    ["prompt_encoder_config.patch_size", prompt.patch_size ?? 16, patchSize],
  ];
  for (const [words, a, b] of same) {
    if (a !== b)
      problems.push(`${words} is ${JSON.stringify(a)}, but vision_config has ${JSON.stringify(b)}`);
  }
  const fields = {
    imageSize,
    patchSize,
    embedDim,
    depth: vision.num_hidden_layers ?? 12,
    numHeads: vision.num_attention_heads ?? 12,
    mlpRatio:
      typeof mlpDim === "number"
        ? ratioFor(Number(embedDim), mlpDim)
        : (mlpDim ?? vision.mlp_ratio ?? 4),
    globalAttnIndexes: vision.global_attn_indexes ?? [2, 5, 8, 11],
    windowSize: vision.window_size ?? 14,
    outChans,
    maskInChans: prompt.mask_input_channels ?? 16,
    decoderDepth: decoder.num_hidden_layers ?? 2,
    decoderMlpDim: decoder.mlp_dim ?? 2048,
    decoderNumHeads: decoder.num_attention_heads ?? 8,
    iouHeadHiddenDim: decoder.iou_head_hidden_dim ?? 256,
    iouHeadDepth: decoder.iou_head_depth ?? 3,
    numMultimaskOutputs: decoder.num_multimask_outputs ?? 3,
  };
  return { fields, problems };
}

/** Choices that transformers leaves open and SAM does not. */
const fixed: readonly (readonly [part: string, key: string, value: unknown])[] = [
  ["vision_config", "num_channels", 3],
  ["vision_config", "hidden_act", "gelu"],
  ["vision_config", "layer_norm_eps", 1e-6],
  ["vision_config", "qkv_bias", true],
  ["vision_config", "use_abs_pos", true],
  ["vision_config", "use_rel_pos", true],
  ["prompt_encoder_config", "hidden_act", "gelu"],
  ["prompt_encoder_config", "layer_norm_eps", 1e-6],
  ["prompt_encoder_config", "num_point_embeddings", 4],
  ["mask_decoder_config", "hidden_act", "relu"],
  ["mask_decoder_config", "attention_downsample_rate", 2],
];

/** A part of the file; what is left out has transformers' defaults, those of ViT-B. */
function section(json: object, name: string): Readonly<Record<string, unknown>> {
  const value = Object.entries(json).find(([key]) => key === name)?.[1];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}
