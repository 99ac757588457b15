/** LayerNorm tuning: of the model's own parameters, the norms' scales and shifts train. */
import { defineAdapter } from "./adapter.ts";

/**
 * Trains the scale and the shift of the layer norms in the encoder's blocks. SAM's neck has two
 * more norms, of channels of a map; they stay frozen, as in mSAM's training, which goes by the name
 * `norm`.
 */
export const layerNormTuning = () =>
  defineAdapter({ name: "layer-norm", train: ["**.blocks.*.norm*.*"] });
