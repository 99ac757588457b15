/** Batches: what a step takes, as arrays that a model's inputs are made of. */
import { pixelDeviation, pixelMean } from "../../predict/vision/preprocess.ts";
import type { Filter } from "../../predict/vision/resize.ts";
import { see } from "./apply.ts";
import { checkBatchOptions } from "./options.ts";
import { plainOrder, positionsOf, type Share, shuffledOrder } from "./order.ts";
import { channelsOf, ignored, type Samples, type TargetKind, type Viewed } from "./sample.ts";
import type { Augmentation, Fit, ViewRequest } from "./view.ts";

export { pixelDeviation, pixelMean };

export interface BatchTarget {
  readonly kind: TargetKind;
  /** `[batch]`: 1 where the task is known for the picture. */
  readonly known: Uint8Array;
  /**
   * Labels i32 `[batch, side, side]`, -1 does not count; depth f32 `[batch, 1, side, side]` and normals f32
   * `[batch, 3, side, side]`, 0 is not known. Of a picture without the task nothing counts.
   */
  readonly data: Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
}

export interface Batch {
  readonly size: number;
  readonly side: number;
  /** `[batch]`: numbers of the items, and how many positions of the training came before each. */
  readonly items: readonly number[];
  readonly positions: readonly number[];
  /** `[batch, 3, side, side]`, as decoded; 0 in the padding. */
  readonly image: Uint8Array<ArrayBuffer>;
  /** `[batch, side, side]`: 1 where there is a picture, 0 in the padding. */
  readonly valid: Uint8Array<ArrayBuffer>;
  readonly targets: Readonly<Record<string, BatchTarget>>;
}

export interface BatchOptions {
  /** The side of the model's square input, in pixels. */
  readonly side: number;
  /** "square" unless given. */
  readonly fit?: Fit | undefined;
  /** "bilinear" unless given, as SAM was trained; Conv-LoRA's experiments resize with "bicubic". */
  readonly filter?: Filter | undefined;
  readonly augment?: Augmentation | undefined;
  /** Of the order and of augmentation; 0 unless given. */
  readonly seed?: number | undefined;
  /** "shuffled" unless given; "plain" takes the items as they come. */
  readonly order?: "shuffled" | "plain" | undefined;
}

export interface Batches {
  /**
   * The batch of a step, a pure function of (seed, step, rank): of `ranks` ranks of one batch, or as many micro-steps,
   * each takes its part of what one rank of the whole batch takes, byte for byte.
   * @throws E1010 for a share that is none, and what reading an item throws.
   */
  take(share: Share): Promise<Batch>;
}

/** @throws E1010 for a set of no items, E460 and E465 for options that cannot be. */
export function batchesOf(samples: Samples, options: BatchOptions): Batches {
  checkBatchOptions(options);
  const { side, fit = "square", filter = "bilinear", augment, seed = 0, order } = options;
  const view = (item: number, request: ViewRequest) =>
    samples.view?.(item, request) ?? samples.read(item).then((sample) => see(sample, request));
  const items = order === "plain" ? plainOrder(samples.size) : shuffledOrder(samples.size, seed);
  return {
    async take(share) {
      const positions = positionsOf(share);
      const batch = emptyBatch(samples, side, positions, positions.map(items.itemAt));
      await Promise.all(
        batch.items.map(async (item, i) => {
          const position = positions[i]!;
          put(batch, i, await view(item, { side, fit, filter, augment, seed, position }));
        }),
      );
      return batch;
    },
  };
}

function emptyBatch(
  { tasks }: Samples,
  side: number,
  positions: readonly number[],
  items: readonly number[],
): Batch {
  const [size, pixels] = [positions.length, positions.length * side ** 2];
  const targets = Object.entries(tasks).map(([name, { kind }]): [string, BatchTarget] => {
    const data =
      kind === "labels"
        ? new Int32Array(pixels).fill(ignored)
        : new Float32Array(pixels * channelsOf(kind));
    return [name, { kind, known: new Uint8Array(size), data }];
  });
  return {
    ...{ size, side, items, positions },
    image: new Uint8Array(pixels * 3),
    valid: new Uint8Array(pixels),
    targets: Object.fromEntries(targets),
  };
}

function put(batch: Batch, i: number, viewed: Viewed): void {
  batch.image.set(viewed.image, i * viewed.image.length);
  batch.valid.set(viewed.valid, i * viewed.valid.length);
  for (const [task, { data }] of Object.entries(viewed.targets)) {
    const target = batch.targets[task]!;
    target.known[i] = 1;
    target.data.set(data, i * data.length);
  }
}

/**
 * The model's input: `(value - mean) / deviation` by channel, and 0 in the padding, as SAM's `preprocess`.
 * @returns f32 `[batch, 3, side, side]`.
 */
export function normalizedImages({ image, valid, side }: Batch): Float32Array<ArrayBuffer> {
  const plane = side ** 2;
  const tables = pixelMean.map((mean, c) =>
    Float32Array.from(
      { length: 256 },
      (_, byte) => Math.fround(byte - Math.fround(mean)) / Math.fround(pixelDeviation[c]!),
    ),
  );
  const out = new Float32Array(image.length);
  for (let at = 0; at < image.length; at += plane) {
    const table = tables[(at / plane) % 3]!;
    const first = Math.floor(at / (3 * plane)) * plane;
    for (let i = 0; i < plane; i++) if (valid[first + i]) out[at + i] = table[image[at + i]!]!;
  }
  return out;
}

/**
 * Labels as the target of a loss over masks of one class: f32 `[batch, 1, side, side]`, 1 where the label is `label`,
 * and weights of the same shape, 0 where a pixel does not count.
 */
export function maskTargets(
  { data }: BatchTarget,
  label: number,
): { readonly target: Float32Array<ArrayBuffer>; readonly weight: Float32Array<ArrayBuffer> } {
  const [target, weight] = [new Float32Array(data.length), new Float32Array(data.length)];
  for (let i = 0; i < data.length; i++) {
    if (data[i] === label) target[i] = 1;
    if (data[i] !== ignored) weight[i] = 1;
  }
  return { target, weight };
}
