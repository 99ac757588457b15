/** Where methods work in SAM's encoder, as patterns of paths: `adapt(model, ssf(), { where: ssfPlaces })`. */

/** Everything that SSF scales: the patch embedding, and every layer and norm of the blocks. */
export const ssfPlaces = ["**.patch_embed.proj", "**.blocks.**"];

/** Both halves of every block, for Houlsby's adapter. */
export const houlsbyPlaces = ["**.blocks.*.attn.proj", "**.blocks.*.mlp.lin2"];

/** The MLP's end in every block, for Pfeiffer's adapter. */
export const pfeifferPlaces = ["**.blocks.*.mlp.lin2"];

/** The fused queries, keys and values of every block, for LoRA and Conv-LoRA. */
export const qkvPlaces = ["**.blocks.*.attn.qkv"];
