/** SAMs small enough for the strict reference device, with hashed weights, for tests. */
import type { SamConfig } from "../../models/sam/config.ts";
import { hashedTensor } from "../../models/sam/hashed.ts";
import { samTensors } from "../../models/sam/tensors.ts";
import type { Lookup, Rows } from "./sam-plain.ts";

/** Sixteen cells; windows of three do not divide the map, and of two blocks one is global. */
export const tinySam: SamConfig = {
  imageSize: 32,
  patchSize: 8,
  embedDim: 12,
  depth: 2,
  numHeads: 2,
  mlpRatio: 2,
  globalAttnIndexes: [1],
  windowSize: 3,
  outChans: 16,
  maskInChans: 8,
  decoderDepth: 2,
  decoderMlpDim: 8,
  decoderNumHeads: 2,
  iouHeadHiddenDim: 8,
  iouHeadDepth: 3,
  numMultimaskOutputs: 3,
};

/** Other numbers everywhere: no side, depth or width is what a published model has. */
export const oddSam: SamConfig = {
  imageSize: 84,
  patchSize: 12,
  embedDim: 30,
  depth: 3,
  numHeads: 3,
  mlpRatio: 3,
  globalAttnIndexes: [0],
  windowSize: 5,
  outChans: 24,
  maskInChans: 12,
  decoderDepth: 3,
  decoderMlpDim: 20,
  decoderNumHeads: 3,
  iouHeadHiddenDim: 10,
  iouHeadDepth: 2,
  numMultimaskOutputs: 2,
};

/** Hashed weights in double precision, for the plain SAM. */
export function plainWeights(config: SamConfig, seed: string): Lookup {
  const values = new Map<string, Float64Array>();
  for (const { name, shape } of samTensors(config))
    values.set(name, Float64Array.from(hashedTensor(seed, name, shape)));
  return (name) => values.get(name)!;
}

/** Rows become columns: maps are `[cells][channels]` in the plain SAM, `[channels, cells]` in files. */
export const turn = (rows: Rows): Rows =>
  Array.from(rows[0] ?? [], (_, column) => Float64Array.from(rows, (row) => row[column]!));

export const flat = (rows: readonly Float64Array[]) => rows.flatMap((row) => [...row]);
