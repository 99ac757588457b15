/**
 * Segmenting with a compiled SAM: one picture is encoded once, then every prompt runs the decoder
 * alone. What reads the picture and the prompts happens here on the host; the two plans do the rest,
 * and it does not matter whether they were compiled just now or ahead of time.
 */
import type { Plan } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { checkOptions, type OptionNames } from "../diagnostics/options.ts";
import {
  abortable,
  type CallOptions,
  createCalls,
  createOrder,
  type Turn,
} from "../runtime/calls.ts";
import { asDevice } from "../runtime/devices/any.ts";
import type { Device, Progress } from "../runtime/devices/device.ts";
import { type CheckedInput, checkInputs } from "../runtime/inputs.ts";
import {
  type DeviceTensor,
  type Placement,
  placePlan,
  type SessionOptions,
} from "../runtime/placement.ts";
import { keep, prepareRun, submit } from "../runtime/runs.ts";
import { type DecoderTokens, decoderTokens, type PointPrompts } from "./tokens.ts";
import type { Mask, Picture } from "./vision/image.ts";
import { splitMasks } from "./vision/image.ts";
import { type Logits, threshold, upsampleMasks } from "./vision/postprocess.ts";
import { type Frame, preprocess } from "./vision/preprocess.ts";
import { type Box, checkPrompts, type Prompts } from "./vision/prompts.ts";

/** A SAM, compiled: the image encoder, and the decoder for several numbers of tokens. */
export interface SamPlans {
  readonly encode: Plan;
  /** The token counts that the decoder exists for, in ascending order. */
  readonly buckets: readonly number[];
  /**
   * The decoder for one of them. Asked for once each, the first when the predictor is made; an abort of
   * `signal` rejects while it is compiled.
   */
  readonly decode: (
    bucket: number,
    options?: { readonly signal?: AbortSignal | undefined },
  ) => Plan | Promise<Plan>;
}

export interface SamPredictorOptions {
  readonly plans: SamPlans;
  /** The checkpoint, under Meta's names. It must stay open as long as the predictor. */
  readonly weights: NonNullable<SessionOptions["weights"]>;
  /** The file of the adapters that the plans were compiled with; `weights` are those of its base. */
  readonly adapter?: SessionOptions["adapter"];
  readonly device: Device;
  readonly onProgress?: Progress;
  /** Stops loading. */
  readonly signal?: AbortSignal;
}

export interface PredictOptions extends Prompts, CallOptions {
  /**
   * Three masks of different extent (the whole, a part, a part of it) instead of one: better where
   * a single click could mean several things.
   * @default false
   */
  readonly multimask?: boolean | undefined;
}

export interface Prediction {
  /** One, or three with `multimask`, in the picture's own size. */
  readonly masks: readonly Mask[];
  /** How well the model thinks that each mask fits: an estimate of the IoU. */
  readonly scores: readonly number[];
  /** The masks before enlargement: give one back as `mask` to refine it (`pickLogits`). */
  readonly lowResLogits: Logits;
}

/**
 * Every call waits for those before it, so calls need not be awaited one by one. Prompts and pictures are
 * copied when a call is made. A call that is aborted leaves the picture as it was.
 */
export interface SamPredictor {
  /**
   * Encodes a picture; prompts then refer to it. Returns how it lies in the model's input.
   * @throws E300, E301, E365 for a picture that is none, E351 after `close`, E422 if the device is lost.
   */
  setImage(picture: Picture, options?: CallOptions): Promise<Frame>;
  /**
   * Predicts from prompts in pixels of the picture; without any, what stands out. With `boxes`
   * there is one prediction for each box (points and mask then go with every one of them).
   * @throws E310 to E316 for the prompts, E350 before `setImage`, E351 after `close`, E352 for more
   * prompts than the decoder takes, E422 if the device is lost.
   */
  predict(
    options: PredictOptions & { readonly boxes: NonNullable<Prompts["boxes"]> },
  ): Promise<Prediction[]>;
  predict(options?: PredictOptions & { readonly boxes?: undefined }): Promise<Prediction>;
  /** How the current picture lies in the model's input; undefined before `setImage`. */
  frame(): Frame | undefined;
  /** The side of the model's low-resolution masks. */
  readonly lowSize: number;
  /** Resolves when the device is lost, with the reason. */
  readonly lost: Promise<string>;
  /** Frees the predictor's memory, after what was asked for before. The device stays. */
  close(): Promise<void>;
}

const predictOptions: OptionNames<PredictOptions> = {
  points: true,
  labels: true,
  box: true,
  boxes: true,
  mask: true,
  multimask: true,
  signal: true,
};

/**
 * Places a compiled SAM on a device: the encoder, and the decoder of the smallest bucket.
 * @throws E353 for plans that are not those of one SAM, and what `createSession` throws.
 */
export async function createSamPredictor(options: SamPredictorOptions): Promise<SamPredictor> {
  checkOptions<SamPredictorOptions>("createSamPredictor", options, {
    plans: true,
    weights: true,
    adapter: true,
    device: true,
    onProgress: true,
    signal: true,
  });
  const { plans, weights, adapter, onProgress, signal } = options;
  const device = asDevice(options.device);
  const loading: SessionOptions = {
    weights,
    ...(adapter ? { adapter } : {}),
    ...(onProgress ? { onProgress } : {}),
  };
  checkPlans(plans);
  const encoder = await placePlan(plans.encode, device, {
    ...loading,
    ...(signal ? { signal } : {}),
  });
  const tensor = plans.encode.outputs.find((t) => t.name === "embedding")!;
  const embedding = { tensor, device, buffer: encoder.buffers[tensor.buffer]! };
  const decoders = new Map<number, Promise<Placement>>();
  const ending = new AbortController();
  const decoder = (bucket: number): Promise<Placement> => {
    const known = decoders.get(bucket);
    if (known) return known;
    const more = { ...loading, bind: { embedding }, signal: ending.signal };
    const place = async () =>
      placePlan(await plans.decode(bucket, { signal: ending.signal }), device, more);
    const made = place();
    decoders.set(bucket, made);
    // A bucket that failed to load may be tried again.
    made.catch(() => decoders.delete(bucket));
    return made;
  };
  const free = async () => {
    ending.abort();
    const placed = await Promise.allSettled(decoders.values());
    for (const one of placed) if (one.status === "fulfilled") one.value.free();
    encoder.free();
  };
  try {
    const first = await abortable(decoder(plans.buckets[0]!), signal);
    const lowSize = lowSizeOf(first.plan);
    return openPredictor({ plans, encoder, embedding, decoder, lowSize, free });
  } catch (error) {
    void free();
    throw error;
  }
}

interface Parts {
  readonly plans: SamPlans;
  readonly encoder: Placement;
  readonly embedding: DeviceTensor;
  readonly decoder: (bucket: number) => Promise<Placement>;
  readonly lowSize: number;
  readonly free: () => Promise<void>;
}

function openPredictor({ plans, encoder, embedding, decoder, lowSize, free }: Parts): SamPredictor {
  const { device } = encoder;
  const modelSize = plans.encode.inputs.find((t) => t.name === "image")!.shape[3]!;
  const calls = createCalls(createOrder(), device.checkAlive, isClosed);
  let frame: Frame | undefined;

  /** Encodes a picture; an abort leaves the embedding and the frame as they were. */
  async function encode(inputs: readonly CheckedInput[], next: Frame, turn: Turn): Promise<Frame> {
    const before = frame;
    await keep([encoder], encoder.plan.inputs, turn, () => {
      frame = before;
    });
    try {
      const { accepted } = await submit(encoder, inputs, turn.signal);
      // Reading one number waits for the encoder: its failure is this call's, not the next one's.
      const encoded = device.read(embedding.buffer, embedding.tensor.offset, 1, "f32");
      await turn.wait(Promise.all([encoded, accepted]));
    } catch (error) {
      // There is none to predict on, unless the one before is put back.
      if (!turn.signal) frame = undefined;
      throw error;
    }
    frame = next;
    return next;
  }

  async function predictOne(
    { mask, multimask = false }: PredictOptions,
    prompts: PointPrompts,
    on: Frame,
    turn: Turn,
  ) {
    const tokens = decoderTokens(prompts, on, plans.buckets);
    const placement = await turn.wait(decoder(tokens.bucket));
    // Other calls wait until all boxes are done.
    const logits = await runDecoder(placement, tokens, mask, lowSize, { ...turn, leave() {} });
    return finish(logits, multimask, on, lowSize);
  }

  async function predictIn(options: PredictOptions, turn: Turn) {
    if (!frame) throw noImage();
    const on = frame;
    const { boxes, ...clicks } = checkPrompts(options, on.originalSize, lowSize);
    const predict = (box: Box | undefined) => predictOne(options, { ...clicks, box }, on, turn);
    if (!options.boxes) return predict(boxes[0]);
    const results: Prediction[] = [];
    for (const box of boxes) results.push(await predict(box));
    return results;
  }

  return {
    setImage: (picture, options) =>
      calls.call(options, () => {
        const { input, frame: next } = preprocess(picture, modelSize);
        const image = input as Float32Array<ArrayBuffer>;
        const inputs = checkInputs(encoder.plan, { image }, false);
        return (turn) => encode(inputs, next, turn);
      }),
    predict: ((options: PredictOptions = {}) => {
      const { signal, ...prompts } = options;
      return calls.call({ signal }, () => {
        checkOptions("predict", options, predictOptions);
        const own = copyOf(prompts);
        return (turn) => predictIn(own, turn);
      });
    }) as SamPredictor["predict"],
    frame: () => frame,
    lowSize,
    lost: device.lost,
    close: () => calls.close(free),
  };
}

/** A copy of what lists and arrays hold, as they are now. */
function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOf) as T;
  if (ArrayBuffer.isView(value) && "slice" in value) return (value.slice as () => T)();
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, copyOf(one)])) as T;
}

/** The decoder's answer to one prompt. `multi` is `[masks, lowSize, lowSize]`, the single one first. */
export interface DecoderResult {
  readonly logits: Float32Array;
  readonly iou: Float32Array;
}

/**
 * Runs a decoder on tokens and a mask prompt. The mask is written every time: another prompt may
 * have had one.
 */
async function runDecoder(
  placement: Placement,
  tokens: DecoderTokens,
  mask: Logits | undefined,
  lowSize: number,
  turn: Turn,
): Promise<DecoderResult> {
  const { points, labels, count } = tokens;
  const run = prepareRun(
    placement,
    {
      points,
      labels,
      count: [count],
      mask: (mask?.data ?? new Float32Array(lowSize * lowSize)) as Float32Array<ArrayBuffer>,
      has_mask: [mask ? 1 : 0],
    },
    ["low_res_logits", "iou"],
  );
  const result = await run(turn);
  return { logits: result.low_res_logits as Float32Array, iou: result.iou as Float32Array };
}

function finish(
  { logits, iou }: DecoderResult,
  multimask: boolean,
  frame: Frame,
  lowSize: number,
): Prediction {
  // The first mask is the answer to a prompt that is clear; the others are its readings.
  const [from, to] = multimask ? [1, iou.length] : [0, 1];
  const area = lowSize * lowSize;
  const data = logits.slice(from * area, to * area);
  const shape = [to - from, lowSize, lowSize] as const;
  const full = upsampleMasks(data, shape, frame);
  return {
    masks: splitMasks(threshold(full), frame.originalSize),
    scores: [...iou.subarray(from, to)],
    lowResLogits: { shape, data },
  };
}

const lowSizeOf = (decode: Plan): number =>
  decode.outputs.find((t) => t.name === "low_res_logits")?.shape[2] ?? 0;

function checkPlans({ encode, buckets }: SamPlans): void {
  const image = encode.inputs.find((t) => t.name === "image");
  const embedding = encode.outputs.find((t) => t.name === "embedding");
  const problem =
    image?.shape.length !== 4 || !embedding
      ? `plan ${encode.name} is not a SAM encoder: its inputs are ${names(encode.inputs)}, its outputs ${names(encode.outputs)}`
      : image.shape[0] !== 1
        ? `plan ${encode.name} takes ${image.shape[0]} images at once, a predictor gives it one`
        : buckets.length === 0
          ? "there is no decoder for any number of tokens"
          : undefined;
  if (problem === undefined) return;
  throw diagnose("E353", {
    message: problem,
    help: "compile both plans from one SAM: compileSam(config), or inarch build",
  });
}

const names = (tensors: readonly { readonly name: string }[]) =>
  tensors.map((t) => t.name).join(", ") || "none";

const noImage = () =>
  diagnose("E350", {
    message: "there is no picture to predict on",
    help: "call await sam.setImage(image) first; if it failed, the picture before it is gone too",
  });

const isClosed = () =>
  diagnose("E351", {
    message: "the SAM is closed",
    help: "load it again, or close it after the last call",
  });
