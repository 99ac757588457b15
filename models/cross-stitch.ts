/** Cross-stitch networks: every task has an encoder of its own, which sees what the others have found. */

import { checkSettings, count } from "../adapters/refusals.ts";
import { endsOfStages } from "../adapters/stages.ts";
import type { Parameters, Tensor } from "../compiler/index.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { add, mul, reshape, slice } from "../ops/index.ts";
import type { SamConfig } from "./sam/config.ts";
import { partsOfEncoder } from "./sam/image-encoder.ts";
import { samTensors } from "./sam/tensors.ts";

export interface CrossStitchOptions {
  /** Even parts of the encoders, with a unit between one and the next: 4 unless given, or a block each where there are fewer. */
  readonly stages?: number;
}

/** @throws E134 for stages that cannot be, E460 for an option that there is not. */
export function checkCrossStitch(options: CrossStitchOptions): void {
  checkOptions<CrossStitchOptions>("cross-stitch", options, { stages: true });
  checkSettings("cross-stitch", { stages: [options.stages ?? 4, count] });
}

interface Stitching extends CrossStitchOptions {
  readonly tasks: number;
  readonly tableRows?: ReadonlyMap<string, number> | undefined;
}

type Rows = Tensor<"f32">;

/**
 * Embeddings `[batch, outChans, grid, grid]` of an image, one for each task: task t's encoder has the parameters
 * `image_encoder.T`, which begin as copies of `image_encoder`, and before each stage but the first
 * x_t = sum over s of a[t, s] h_s, where h_s is what task s found in the stage before and a `[tasks, tasks]` is the
 * unit's part of `image_encoder.cross_stitch` (Cross-stitch networks, Misra et al. 2016; LibMTL `Cross_stitch.py`).
 *
 * Units begin as 1 / tasks: all tasks count alike, as in LibMTL, whose units begin as 1. Their sum of 1 lets copies of a
 * trained encoder compute what it computes. Left open for transformers: a stage is an even part of the blocks.
 */
export function encodeStitched(
  p: Parameters,
  image: Rows,
  config: SamConfig,
  { tasks, stages = 4, tableRows = new Map() }: Stitching,
): Rows[] {
  const encoders = Array.from({ length: tasks }, (_, task) => {
    const own = p.forTask(task).at("image_encoder", task);
    // Named before the encoder asks for them, so that they begin as copies.
    for (const { name, shape } of encoderTensors(config)) {
      const rows = tableRows.get(`image_encoder.${name}`) ?? shape[0]!;
      const init = { kind: "copy", from: `image_encoder.${name}` } as const;
      own.f32(name, [rows, ...shape.slice(1)], { init });
    }
    const tables = [...tableRows].map(
      ([path, rows]) => [path.replace("image_encoder", own.path), rows] as const,
    );
    return partsOfEncoder(own, image, config, new Map(tables));
  });
  const ends = endsOfStages(config.depth, stages);
  const units = ends.length - 1;
  const init = { kind: "constant", value: 1 / tasks } as const;
  const all =
    units > 0 && p.at("image_encoder").f32("cross_stitch", [units, tasks, tasks], { init });
  const factor = (unit: number, to: number, from: number) => {
    const ranges = [unit, to, from].map((at) => [at, at + 1] as const);
    return reshape(slice(all as Rows, ranges), [1, 1]);
  };
  let rows = encoders.map(({ tokens }) => tokens);
  for (let i = 0; i < config.depth; i++) {
    const unit = ends.indexOf(i - 1);
    if (unit >= 0) {
      const before = rows;
      rows = before.map((_, to) =>
        before.map((found, from) => mul(found, factor(unit, to, from)) as Rows).reduce(plus),
      );
    }
    rows = rows.map((x, task) => encoders[task]!.oneBlock(x, i));
  }
  return rows.map((x, task) => encoders[task]!.embed(x));
}

const plus = (a: Rows, b: Rows): Rows => add(a, b);

/** Those of SAM's image encoder, by their names within it. */
const encoderTensors = (config: SamConfig) =>
  samTensors(config).flatMap(({ name, shape }) => {
    const own = /^image_encoder\.(.*)$/.exec(name)?.[1];
    return own === undefined ? [] : [{ name: own, shape }];
  });
