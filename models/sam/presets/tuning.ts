/** Methods that graft nothing: of the model's own parameters, those that patterns name train. */
import { defineAdapter } from "../../../adapters/adapter.ts";
import type { AdapterTests } from "../../../adapters/samples.ts";

/**
 * BitFit: biases train. Of SAM those of its encoder, unless other patterns are given: the patch
 * embedding's, each block's norms, qkv, projection and MLP, and the neck's norms. The decoder, which
 * is the task's head, trains as a whole beside it (`decoderOnly`). On another model:
 * `bitFit(["**.bias"])`; a subset: `bitFit(["**.bias", "!**.norm*.bias"])`.
 */
export const bitFit = (biases: readonly string[] = ["**.image_encoder.**.bias"]) =>
  defineAdapter({ name: "bitfit", train: biases });

/**
 * LayerNorm tuning: scales and shifts of layer norms train. Of SAM those of the encoder's blocks,
 * unless other patterns are given. SAM's neck has two more norms, of channels of a map; they stay
 * frozen, as in mSAM's training, which goes by the name `norm`.
 */
export const layerNormTuning = (norms: readonly string[] = ["**.blocks.*.norm*.*"]) =>
  defineAdapter({ name: "layer-norm", train: norms });

/**
 * Decoder-only tuning: the head trains. Of SAM that is the mask decoder, unless other patterns are
 * given. It is also what every other method of the comparison trains beside its own:
 * `adapt(adapt(model, decoderOnly()), lora(), { where })`.
 *
 * The quality head is no part of it: where a model computes that head, take it back with
 * `{ train: ["!**.iou_prediction_head.**"] }`. The model for semantic segmentation does not.
 */
export const decoderOnly = (decoder: readonly string[] = ["**.mask_decoder.**"]) =>
  defineAdapter({ name: "decoder-only", train: decoder });

/**
 * The encoder trains as a whole: of SAM the image encoder, unless other patterns are given. For models of several tasks
 * that freeze nothing.
 */
export const wholeEncoder = (encoder: readonly string[] = ["**.image_encoder.**"]) =>
  defineAdapter({ name: "whole-encoder", train: encoder });

export const tests: AdapterTests = {
  bitFit: [{ adapter: () => bitFit(["**.bias"]) }],
  layerNormTuning: [{ adapter: () => layerNormTuning(["**.norm*.*"]) }],
  wholeEncoder: [{ adapter: () => wholeEncoder(["blocks.**"]) }],
  decoderOnly: [{ adapter: () => decoderOnly(["head.**"]) }],
};
