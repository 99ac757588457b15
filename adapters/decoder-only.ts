/** Decoder-only tuning: nothing is grafted, the mask decoder trains. */
import { defineAdapter } from "./adapter.ts";

/**
 * Trains SAM's mask decoder alone. It is also what every other method of the comparison trains
 * beside its own: `adapt(adapt(model, decoderOnly()), lora(), { where })`.
 *
 * The quality head is no part of it: where a model computes that head, take it back with
 * `{ train: ["!**.iou_prediction_head.**"] }`. The model for semantic segmentation does not.
 */
export const decoderOnly = () =>
  defineAdapter({ name: "decoder-only", train: ["**.mask_decoder.**"] });
