/** The image encoder of a SAM against its reference, block by block. */
import { compileAsync, traceProgram } from "../compiler/index.ts";
import { type SamConfig, samModel } from "../models/index.ts";
import { createSession } from "../runtime/session.ts";
import type { Weights } from "../runtime/weights/index.ts";
import { type Check, compare, type Tolerance } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import type { Reference } from "./reference.ts";

export interface EncoderSubject {
  readonly config: SamConfig;
  /** Under Meta's names. */
  readonly weights: Weights;
  /** Normalised images `[batch, 3, imageSize, imageSize]`. */
  readonly image: Float32Array<ArrayBuffer>;
  readonly tolerance: Tolerance;
}

/** Compares what `runEncoder` returned with `encoder.*` of the file. */
export async function* compareEncoder(
  reference: Reference,
  { config, tolerance }: EncoderSubject,
  outputs: ReadonlyMap<string, Float32Array>,
): AsyncIterable<Check> {
  const line = async (name: string, mine: ArrayLike<number>) =>
    compare(name, mine, (await reference.read(name)).data, tolerance);
  if (reference.has("encoder.patch_embed"))
    yield line("encoder.patch_embed", outputs.get("patch_embed")!);
  for (let i = 0; i < config.depth; i++) {
    const block = outputs.get(`block.${i}`)!;
    const name = `encoder.block.${i}`;
    if (reference.has(name)) yield line(name, block);
    if (reference.has(`${name}.sample`)) {
      const sample = everySixteenth(block, config);
      yield line(`${name}.sample`, sample);
    }
  }
  yield line("encoder.output", outputs.get("embedding")!);
}

/** All outputs of the encoder, by name, for all images. Few and small images go together, so that batches are checked too. */
export async function runEncoder(
  { device, profile, onProgress, signal }: Setting,
  subject: EncoderSubject,
) {
  const { config, weights, image } = subject;
  const each = 3 * config.imageSize ** 2;
  const count = image.length / each;
  const batch = image.length <= 3 * 1024 ** 2 ? count : 1;
  const graph = traceProgram(samModel(config, { taps: "all" }), "encode", { batch });
  const plan = await compileAsync(graph, {
    name: "encode",
    target: device.target,
    profile,
    signal,
  });
  const session = await createSession(plan, device, { weights, onProgress });
  const outputs = new Map<string, Float32Array>();
  for (let start = 0; start < count; start += batch) {
    const results = await session.run({ image: image.slice(start * each, (start + batch) * each) });
    for (const [name, values] of Object.entries(results)) {
      const whole = outputs.get(name) ?? new Float32Array((values.length / batch) * count);
      whole.set(values, (start / batch) * values.length);
      outputs.set(name, whole);
    }
  }
  session.close();
  return outputs;
}

/** Every 16th row and column of maps `[batch, grid, grid, embedDim]`. */
function everySixteenth(map: Float32Array, { imageSize, patchSize, embedDim }: SamConfig) {
  const grid = imageSize / patchSize;
  const rows: Float32Array[] = [];
  for (let cell = 0; cell * embedDim < map.length; cell++) {
    const [y, x] = [Math.floor(cell / grid) % grid, cell % grid];
    if (y % 16 === 0 && x % 16 === 0)
      rows.push(map.subarray(cell * embedDim, (cell + 1) * embedDim));
  }
  return rows.flatMap((row) => [...row]);
}
