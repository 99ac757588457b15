/** The state dict of a SAM: every tensor with its name and shape, in Meta's order. */
import { encoderMlpDim, type SamConfig } from "./config.ts";

export interface NamedShape {
  /** Meta's name: the key of the published checkpoints. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** Exactly the tensors of Meta's checkpoint of this configuration, in its order. */
export function samTensors(config: SamConfig): NamedShape[] {
  return [...imageEncoder(config), ...promptEncoder(config), ...maskDecoder(config)];
}

/** Whether block `index` of the image encoder attends to the whole map. */
export const isGlobal = (config: SamConfig, index: number): boolean =>
  config.globalAttnIndexes.includes(index);

const tensor = (name: string, ...shape: number[]): NamedShape => ({ name, shape });

/** A weight and a bias of one entry per output: linear layers and convolutions. */
const withBias = (name: string, ...shape: number[]): NamedShape[] => [
  tensor(`${name}.weight`, ...shape),
  tensor(`${name}.bias`, shape[0]!),
];

const norm = (name: string, channels: number) => withBias(name, channels);

/** Transposed convolutions keep the outputs in the second dimension. */
const transposed = (name: string, inputs: number, outputs: number): NamedShape[] => [
  tensor(`${name}.weight`, inputs, outputs, 2, 2),
  tensor(`${name}.bias`, outputs),
];

const under = (prefix: string, tensors: readonly NamedShape[]): NamedShape[] =>
  tensors.map(({ name, shape }) => ({ name: `${prefix}.${name}`, shape }));

function imageEncoder(config: SamConfig): NamedShape[] {
  const { embedDim: d, patchSize, outChans, depth } = config;
  const map = config.imageSize / patchSize;
  return under("image_encoder", [
    tensor("pos_embed", 1, map, map, d),
    ...withBias("patch_embed.proj", d, 3, patchSize, patchSize),
    ...Array.from({ length: depth }, (_, i) =>
      under(`blocks.${i}`, encoderBlock(config, i)),
    ).flat(),
    tensor("neck.0.weight", outChans, d, 1, 1),
    ...norm("neck.1", outChans),
    tensor("neck.2.weight", outChans, outChans, 3, 3),
    ...norm("neck.3", outChans),
  ]);
}

function encoderBlock(config: SamConfig, index: number): NamedShape[] {
  const { embedDim: d, numHeads, imageSize, patchSize, windowSize } = config;
  const hidden = encoderMlpDim(config);
  const side = isGlobal(config, index) ? imageSize / patchSize : windowSize;
  return [
    ...norm("norm1", d),
    tensor("attn.rel_pos_h", 2 * side - 1, d / numHeads),
    tensor("attn.rel_pos_w", 2 * side - 1, d / numHeads),
    ...withBias("attn.qkv", 3 * d, d),
    ...withBias("attn.proj", d, d),
    ...norm("norm2", d),
    ...withBias("mlp.lin1", hidden, d),
    ...withBias("mlp.lin2", d, hidden),
  ];
}

function promptEncoder({ outChans: d, maskInChans }: SamConfig): NamedShape[] {
  const narrow = maskInChans / 4;
  return under("prompt_encoder", [
    tensor("pe_layer.positional_encoding_gaussian_matrix", 2, d / 2),
    ...[0, 1, 2, 3].map((i) => tensor(`point_embeddings.${i}.weight`, 1, d)),
    tensor("not_a_point_embed.weight", 1, d),
    ...withBias("mask_downscaling.0", narrow, 1, 2, 2),
    ...norm("mask_downscaling.1", narrow),
    ...withBias("mask_downscaling.3", maskInChans, narrow, 2, 2),
    ...norm("mask_downscaling.4", maskInChans),
    ...withBias("mask_downscaling.6", d, maskInChans, 1, 1),
    tensor("no_mask_embed.weight", 1, d),
  ]);
}

function maskDecoder(config: SamConfig): NamedShape[] {
  const { outChans: d, iouHeadHiddenDim, iouHeadDepth, decoderDepth } = config;
  const masks = config.numMultimaskOutputs + 1;
  const blocks = Array.from({ length: decoderDepth }, (_, i) =>
    under(`transformer.layers.${i}`, twoWayBlock(config)),
  );
  const mlps = Array.from({ length: masks }, (_, i) =>
    mlp(`output_hypernetworks_mlps.${i}`, d, d, d / 8, 3),
  );
  return under("mask_decoder", [
    ...blocks.flat(),
    ...attention("transformer.final_attn_token_to_image", d, d / 2),
    ...norm("transformer.norm_final_attn", d),
    tensor("iou_token.weight", 1, d),
    tensor("mask_tokens.weight", masks, d),
    ...transposed("output_upscaling.0", d, d / 4),
    ...norm("output_upscaling.1", d / 4),
    ...transposed("output_upscaling.3", d / 4, d / 8),
    ...mlps.flat(),
    ...mlp("iou_prediction_head", d, iouHeadHiddenDim, masks, iouHeadDepth),
  ]);
}

function twoWayBlock({ outChans: d, decoderMlpDim }: SamConfig): NamedShape[] {
  return [
    ...attention("self_attn", d, d),
    ...norm("norm1", d),
    ...attention("cross_attn_token_to_image", d, d / 2),
    ...norm("norm2", d),
    ...withBias("mlp.lin1", decoderMlpDim, d),
    ...withBias("mlp.lin2", d, decoderMlpDim),
    ...norm("norm3", d),
    ...norm("norm4", d),
    ...attention("cross_attn_image_to_token", d, d / 2),
  ];
}

const attention = (name: string, channels: number, inner: number): NamedShape[] => [
  ...["q_proj", "k_proj", "v_proj"].flatMap((part) => withBias(`${name}.${part}`, inner, channels)),
  ...withBias(`${name}.out_proj`, channels, inner),
];

function mlp(name: string, inputs: number, hidden: number, outputs: number, depth: number) {
  return Array.from({ length: depth }, (_, i) =>
    withBias(`${name}.layers.${i}`, i === depth - 1 ? outputs : hidden, i === 0 ? inputs : hidden),
  ).flat();
}
