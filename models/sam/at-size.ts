/** A SAM for pictures of another size than its checkpoint's: what is known of positions is interpolated. */
import { diagnose } from "../../diagnostics/index.ts";
import { fileBytes } from "../../formats/index.ts";
import {
  floatEntry,
  makeWeights,
  type TensorEntry,
  type Weights,
} from "../../runtime/weights/index.ts";
import type { SamConfig } from "./config.ts";

export interface SizedSam {
  readonly config: SamConfig;
  readonly weights: Weights;
}

/**
 * The same SAM with a square input of `size` pixels: positions of patches and, of blocks that attend to the whole map,
 * tables of relative positions are interpolated linearly, as their weights are read. `weights` have Meta's names.
 * Source: SAMed, `segment_anything/build_sam.py::load_from` (PyTorch's `interpolate`, bilinear, without aligned corners).
 * @throws E1114 for a size that is no whole number of patches.
 */
export function samAtSize(config: SamConfig, weights: Weights, size: number): SizedSam {
  const { imageSize, patchSize, embedDim, globalAttnIndexes } = config;
  if (size === imageSize) return { config, weights };
  if (!Number.isSafeInteger(size) || size < patchSize || size % patchSize !== 0)
    throw diagnose("E1114", {
      message: `the model cannot see squares of ${size} pixels: its patches have ${patchSize}`,
      help: `give a multiple of ${patchSize}, such as ${Math.max(1, Math.round(size / patchSize) || 1) * patchSize}`,
    });
  const [before, grid] = [imageSize / patchSize, size / patchSize];
  const shapes = new Map([["image_encoder.pos_embed", [1, grid, grid, embedDim]]]);
  for (const index of globalAttnIndexes)
    for (const axis of ["h", "w"]) {
      const name = `image_encoder.blocks.${index}.attn.rel_pos_${axis}`;
      const entry = weights.tensors.get(name);
      if (entry) shapes.set(name, [2 * grid - 1, entry.shape[1]!]);
    }
  const resized = new Map<string, TensorEntry>();
  for (const [name, entry] of weights.tensors) {
    const shape = shapes.get(name);
    resized.set(name, shape ? floatEntry(shape) : entry);
  }
  const read = async (name: string) => {
    const values = await weights.readF32(name);
    if (!name.endsWith("pos_embed")) return interpolate(values, 1, 2 * before - 1, 2 * grid - 1);
    return interpolate(interpolate(values, before, before, grid), 1, before, grid);
  };
  const all = makeWeights({
    ...{ source: weights.source, metadata: weights.metadata, tensors: resized },
    async *stream(name, elements) {
      const { dtype } = weights.tensors.get(name)!;
      if (!shapes.has(name)) return yield* weights.rawChunks(name, fileBytes(dtype, elements));
      const values = await read(name);
      for (let start = 0; start < values.length; start += elements)
        yield new Uint8Array(values.slice(start, start + elements).buffer);
    },
    close: () => weights.close(),
  });
  return { config: { ...config, imageSize: size }, weights: all };
}

/** Rows `[outer, from, ...]` to `[outer, to, ...]`, linearly between the centres of cells. */
function interpolate(values: Float32Array, outer: number, from: number, to: number) {
  const inner = values.length / (outer * from);
  const out = new Float32Array(outer * to * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < to; i++) {
      const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
      const low = Math.min(Math.floor(at), from - 1);
      const [high, part] = [Math.min(low + 1, from - 1), at - low];
      for (let k = 0; k < inner; k++) {
        const [a, b] = [low, high].map((row) => values[(o * from + row) * inner + k]!) as [
          number,
          number,
        ];
        out[(o * to + i) * inner + k] = a + part * (b - a);
      }
    }
  return out;
}
