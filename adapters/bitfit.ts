/** BitFit: of the model's own parameters, the biases train. */
import { defineAdapter } from "./adapter.ts";

/**
 * Trains every bias of the encoder, those of layer norms included, and no new parameter. In SAM
 * that is the patch embedding's, each block's norms, qkv, projection and MLP, and the neck's norms;
 * the decoder, which is the task's head, trains as a whole beside it (`decoderOnly`). A subset is
 * `{ train: ["!**.norm*.bias"] }`.
 */
export const bitFit = () => defineAdapter({ name: "bitfit", train: ["**.image_encoder.**.bias"] });
