/**
 * mSAM: one SAM for several dense tasks at once (TA-LoRA's model, in the form of its successor's code,
 * MTSAM). Every task has a mask decoder of its own; every output channel of a task has an embedding
 * that takes the place of "no mask", and is the decoder's first mask of the image seen with it.
 */
import { defineModel, input, type Model, type Parameters, type Tensor } from "../compiler/index.ts";
import { diagnose } from "../diagnostics/index.ts";
import { checkOptions } from "../diagnostics/options.ts";
import { add, pad, resample, reshape, slice } from "../ops/index.ts";
import { type CrossStitchOptions, checkCrossStitch, encodeStitched } from "./cross-stitch.ts";
import type { SamConfig } from "./sam/config.ts";
import { encodeImage } from "./sam/image-encoder.ts";
import { cellsOf, decodeMasks } from "./sam/mask-decoder.ts";
import { encodeGrid } from "./sam/prompt-encoder.ts";
import { type NamedShape, samTensors } from "./sam/tensors.ts";

export interface DenseTask {
  /** Of letters, digits and _, beginning with a lower-case letter: the name of an output. */
  readonly name: string;
  /** 13 classes, 1 depth, 3 coordinates of a normal. */
  readonly channels: number;
}

export interface MSamTasks {
  readonly tasks: readonly DenseTask[];
}

/** Where the picture lies in the model's square input, and how large the outputs are to be. */
export interface DenseFrame {
  /** Height and width of the input image: the upper left of the square, zero is put around it. */
  readonly image: readonly [number, number];
  /** Height and width of the outputs: of the picture before it was resized, say. */
  readonly output: readonly [number, number];
}

export interface MSamOptions {
  readonly name?: string;
  /** The whole square, unless given. */
  readonly frame?: DenseFrame;
  /** Rows of tables of relative positions that are to be interpolated, by path. */
  readonly tableRows?: ReadonlyMap<string, number>;
  /** Every task has an encoder of its own, and cross-stitch units between their stages. */
  readonly crossStitch?: CrossStitchOptions;
}

/**
 * All programs have the dim `batch` and the input `image`, f32 `[batch, 3, height, width]` as the frame
 * says, or the model's square input. An output is `[batch, channels, height, width]`: the decoder's
 * map, resized bilinearly to the square, cropped to the image, and resized again to the frame's output.
 * - `segment` -> one output for each task, of its name
 * - `segment_NAME` -> the output of one task, and `NAME_iou` `[batch, channels]`: what the decoder's
 *   quality head says of each channel's mask (it is SAM's: no loss of an mSAM trains it)
 *
 * The encoder runs once for each task, and its sites know which (`p.forTask`): adapters make the
 * passes different, or `crossStitch`. Parameters are those of `mSamTensors`; decoders begin as copies of SAM's own, the
 * channels' embeddings as copies of its "no mask".
 *
 * Only the first mask of a decoder is returned. The others are sliced away, not left out: the
 * published training decays their perceptrons, whose gradient is zero and not absent.
 *
 * @throws E331 for no tasks or a number of channels that cannot be, E332 for a name that cannot be or
 * that two tasks have, E333 for a frame that does not fit the model's input, E134 for stages that cannot be.
 */
export function mSam(config: SamConfig, head: MSamTasks, options: MSamOptions = {}): Model {
  checkOptions<MSamTasks>("mSam", head, { tasks: true });
  checkOptions<MSamOptions>("mSam", options, {
    ...{ name: true, frame: true, tableRows: true, crossStitch: true },
  });
  const { tasks } = head;
  checkTasks(tasks);
  const { imageSize } = config;
  const square = [imageSize, imageSize] as const;
  const { name = "msam", tableRows, crossStitch } = options;
  const { frame = { image: square, output: square } } = options;
  checkFrame(frame, imageSize);
  if (crossStitch) checkCrossStitch(crossStitch);
  const encode = (p: Parameters, image: Tensor<"f32">) => {
    if (!crossStitch)
      return (index: number) =>
        encodeImage(p.forTask(index).at("image_encoder"), image, config, tableRows).embedding;
    const all = encodeStitched(p, image, config, {
      ...crossStitch,
      tasks: tasks.length,
      tableRows,
    });
    return (index: number) => all[index]!;
  };
  const run = (p: Parameters, indexes: readonly number[]) => {
    const picture = input("image", "f32", ["batch", 3, ...frame.image], {
      doc: "The image, as the encoder was trained with it.",
    });
    const around = frame.image.map((size) => [0, imageSize - size] as const);
    const image = pad(picture, [[], [], ...around]);
    const embedding = encode(p, image);
    return indexes.map((index) => {
      const { logits, iou } = decodeTask(p, embedding(index), config, tasks, index);
      return { name: tasks[index]!.name, map: fitToFrame(logits, frame, imageSize), iou };
    });
  };
  const segment = (p: Parameters) =>
    Object.fromEntries(run(p, [...tasks.keys()]).map((task) => [task.name, task.map]));
  const single = tasks.map(({ name: task }, index) => {
    const program = (p: Parameters) => {
      const { map, iou } = run(p, [index])[0]!;
      return { [task]: map, [`${task}_iou`]: iou };
    };
    return [`segment_${task}`, program] as const;
  });
  return defineModel({
    name,
    doc: "Segment Anything for several dense tasks: a map of each from one image.",
    dims: { batch: 1 },
    programs: { segment, ...Object.fromEntries(single) },
  });
}

/**
 * The state dict of an mSAM with one encoder: every tensor with its name and shape, those included that its programs
 * never read (points and mask prompts). `mask_decoder.N` is the decoder of task N.
 */
export function mSamTensors(config: SamConfig, { tasks }: MSamTasks): NamedShape[] {
  const channels = tasks.map((task) => task.channels).reduce(plus, 0);
  const all = samTensors(config).map(({ name, shape }) =>
    name === noMask ? { name, shape: [channels, config.outChans] } : { name, shape },
  );
  const decoder = decoderTensors(config);
  return [
    ...all.filter(({ name }) => !name.startsWith("mask_decoder.")),
    ...tasks.flatMap((_, i) =>
      decoder.map(({ name, shape }) => ({ name: `mask_decoder.${i}.${name}`, shape })),
    ),
  ];
}

const plus = (a: number, b: number) => a + b;

const noMask = "prompt_encoder.no_mask_embed.weight";

/** Those of SAM's mask decoder, by their names within it. */
const decoderTensors = (config: SamConfig): NamedShape[] =>
  samTensors(config).flatMap(({ name, shape }) => {
    const own = /^mask_decoder\.(.*)$/.exec(name)?.[1];
    return own === undefined ? [] : [{ name: own, shape }];
  });

interface DecodedTask {
  /** `[batch, channels, 4 grid, 4 grid]`. */
  readonly logits: Tensor<"f32">;
  /** `[batch, channels]`. */
  readonly iou: Tensor<"f32">;
}

/** Decodes an embedding `[batch, outChans, grid, grid]` for one task. */
function decodeTask(
  p: Parameters,
  embedding: Tensor<"f32">,
  config: SamConfig,
  tasks: readonly DenseTask[],
  index: number,
): DecodedTask {
  const { outChans } = config;
  const { channels } = tasks[index]!;
  const widths = tasks.map((task) => task.channels);
  const start = widths.slice(0, index).reduce(plus, 0);
  const all = widths.reduce(plus, 0);
  const table = p.f32(noMask, [all, outChans], { init: { kind: "copy", from: noMask } });
  const own = slice(table, [[start, start + channels]]);
  // Items are the channels of the first image, then those of the second: right for any batch.
  const [batch, , height, width] = embedding.shape as [number, number, number, number];
  const cells = height * width;
  const seen = add(
    reshape(cellsOf(embedding), [batch, 1, cells, outChans]),
    reshape(own, [channels, 1, outChans]),
  );
  const decoder = p.at("mask_decoder", index);
  // Named before the decoder asks for them, so that they begin as copies.
  for (const { name, shape } of decoderTensors(config))
    decoder.f32(name, shape, { init: { kind: "copy", from: `mask_decoder.${name}` } });
  const map = reshape(seen, [batch * channels * cells, outChans]);
  const position = encodeGrid(p.at("prompt_encoder"), config);
  const { logits, iou } = decodeMasks(decoder, { map, position }, config);
  const [, , rows, columns] = logits.shape as [number, number, number, number];
  return {
    logits: reshape(slice(logits, [[], [0, 1]]), [batch, channels, rows, columns]),
    iou: reshape(slice(iou, [[], [0, 1]]), [batch, channels]),
  };
}

/** Through the square of the model's input, as published: two resizings, not one. */
function fitToFrame(logits: Tensor<"f32">, frame: DenseFrame, imageSize: number): Tensor<"f32"> {
  const square = resample(logits, { size: [imageSize, imageSize], mode: "bilinear" });
  const cropped = slice(square, [[], [], ...frame.image.map((size) => [0, size] as const)]);
  if (`${frame.image}` === `${frame.output}`) return cropped;
  return resample(cropped, { size: frame.output, mode: "bilinear" });
}

/** More is a typing error, and would take all memory. */
const most = 4096;

function checkTasks(tasks: readonly DenseTask[]): void {
  if (tasks.length === 0)
    throw diagnose("E331", {
      message: "an mSAM of no tasks computes nothing",
      help: 'give tasks: [{ name: "depth", channels: 1 }]',
    });
  const seen = new Map<string, number>();
  for (const [i, { name, channels }] of tasks.entries()) {
    if (!/^[a-z]\w*$/.test(name))
      throw diagnose("E332", {
        message: `task ${i} is called "${name}", which cannot name an output`,
        help: "use letters, digits and _, beginning with a lower-case letter",
      });
    const before = seen.get(name);
    if (before !== undefined)
      throw diagnose("E332", {
        message: `tasks ${before} and ${i} are both called "${name}"`,
        help: "give each task a name of its own",
      });
    seen.set(name, i);
    if (!Number.isInteger(channels) || channels < 1 || channels > most)
      throw diagnose("E331", {
        message: `the task ${name} has ${channels} channels`,
        help: `give channels as a whole number from 1 to ${most}`,
      });
  }
}

function checkFrame({ image, output }: DenseFrame, imageSize: number): void {
  const sizes = { image, output };
  for (const [what, size] of Object.entries(sizes))
    if (!size.every((n) => Number.isInteger(n) && n >= 1))
      throw diagnose("E333", {
        message: `the frame's ${what} is ${size.join(" x ")}`,
        help: "height and width are whole numbers from 1 up",
      });
  if (Math.max(...image) > imageSize)
    throw diagnose("E333", {
      message: `an image of ${image.join(" x ")} does not fit the model's input of ${imageSize} x ${imageSize}`,
      help: `resize images so that the longer side is ${imageSize}`,
    });
}
