/**
 * Segmenting with a compiled SAM: one picture is encoded once, then every prompt runs the decoder
 * alone. What reads the picture and the prompts happens here on the host; the two plans do the rest,
 * and it does not matter whether they were compiled just now or ahead of time.
 */
import { diagnose, InarchError } from "../diagnostics/index.ts";
import { checkOptions, type OptionNames } from "../diagnostics/options.ts";
import { type CallOptions, createOrder, type Turn } from "../runtime/calls.ts";
import { asDevice } from "../runtime/devices/any.ts";
import type { Device } from "../runtime/devices/device.ts";
import { checkInputs } from "../runtime/inputs.ts";
import type { Change, Placement } from "../runtime/placement.ts";
import { createRestorableCalls } from "../runtime/restoring.ts";
import { keep, prepareRun } from "../runtime/runs.ts";
import {
  checkPlans,
  encodePicture,
  type GivenPicture,
  type PlacedSam,
  placeSam,
  type SamPredictorOptions,
} from "./place.ts";
import { type DecoderTokens, decoderTokens, type PointPrompts } from "./tokens.ts";
import { copyPicture, type Mask, type Picture } from "./vision/image.ts";
import { enlarging, type Logits } from "./vision/postprocess.ts";
import { type Frame, preprocessing } from "./vision/preprocess.ts";
import { type Box, checkPrompts, type Prompts } from "./vision/prompts.ts";
import { inSlices } from "./vision/slices.ts";

export type { SamPlans, SamPredictorOptions } from "./place.ts";

export interface PredictOptions extends Prompts, CallOptions {
  /**
   * Three masks of different extent (the whole, a part, a part of it) instead of one: better where
   * a single click could mean several things.
   * @default false
   */
  readonly multimask?: boolean | undefined;
}

export interface SmallLogits {
  /** How well the model thinks that each mask fits: an estimate of the IoU. */
  readonly scores: readonly number[];
  /** The masks before enlargement: give one back as `mask` to refine it (`pickLogits`). */
  readonly lowResLogits: Logits;
}

export interface Prediction extends SmallLogits {
  /** One, or three with `multimask`, in the picture's own size. */
  readonly masks: readonly Mask[];
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
  /** As `predict` for one prompt, without masks: small logits and scores, for whoever needs few of them larger. */
  predictLogits(options?: PredictOptions & { readonly boxes?: undefined }): Promise<SmallLogits>;
  /** Changes what lies on the device, and encodes the picture again: `useAdapter` stands on it. */
  change(change: Change, options?: CallOptions): Promise<void>;
  /** How the current picture lies in the model's input; undefined before `setImage`. */
  frame(): Frame | undefined;
  /** The side of the model's low-resolution masks. */
  readonly lowSize: number;
  /** Resolves when the device is lost, with the reason: the device that it is on now. */
  readonly lost: Promise<string>;
  /**
   * Goes on on another device, after one was lost: weights, adapter and kernels are placed there, and the current
   * picture is encoded again. Calls made before it resolves are those of the device before. If it rejects
   * nothing has changed, and it may be tried again.
   * @throws E351 after `close`, and what `createSamPredictor` throws.
   */
  restore(device: Device | GPUDevice, options?: CallOptions): Promise<void>;
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
  checkPlans(options.plans);
  return openPredictor(options, await placeSam(options, asDevice(options.device)));
}

function openPredictor(options: SamPredictorOptions, first: PlacedSam): SamPredictor {
  const { plans } = options;
  const { lowSize } = first;
  const modelSize = plans.encode.inputs.find((t) => t.name === "image")!.shape[3]!;
  let on = first;
  const { calls, restoring } = createRestorableCalls(
    createOrder(),
    () => on.device.checkAlive(),
    isClosed,
  );
  let current: GivenPicture | undefined;

  /** Encodes a picture; an abort leaves the embedding and the frame as they were. */
  async function encode(next: GivenPicture, turn: Turn): Promise<Frame> {
    const before = current;
    await keep([on.encoder], on.encoder.plan.inputs, turn, () => {
      current = before;
    });
    try {
      await encodePicture(on, next, turn);
    } catch (error) {
      // There is none to predict on, unless the one before is put back, or the device is to be.
      if (!turn.signal && !isLost(error)) current = undefined;
      throw error;
    }
    current = next;
    return next.frame;
  }

  async function predictOne(
    { mask, multimask = false }: PredictOptions,
    prompts: PointPrompts,
    frame: Frame,
    turn: Turn,
  ) {
    const tokens = decoderTokens(prompts, frame, plans.buckets);
    const placement = await turn.wait(on.decoder(tokens.bucket));
    // Other calls wait until all boxes are done.
    const result = await runDecoder(placement, tokens, mask, lowSize, { ...turn, leave() {} });
    return answerOf(result, multimask, lowSize);
  }

  async function predictIn<T>(options: PredictOptions, turn: Turn, finish: Finish<T>) {
    if (!current) throw noImage();
    const { frame } = current;
    const { boxes, ...clicks } = checkPrompts(options, frame.originalSize, lowSize);
    const predict = async (box: Box | undefined) =>
      finish(await predictOne(options, { ...clicks, box }, frame, turn), frame, turn);
    if (!options.boxes) return predict(boxes[0]);
    const results: T[] = [];
    for (const box of boxes) results.push(await predict(box));
    return results;
  }

  const predicting =
    <T>(name: string, finish: Finish<T>) =>
    (options: PredictOptions = {}) => {
      const { signal, ...prompts } = options;
      return calls.call({ signal }, () => {
        checkOptions(name, options, predictOptions);
        const own = copyOf(prompts);
        return (turn) => predictIn(own, turn, finish);
      });
    };

  async function restore(device: Device, turn: Turn): Promise<void> {
    const { signal: _, ...given } = options;
    const { adapter } = on.encoder;
    const loading = { ...given, adapter };
    const next = await placeSam(
      turn.signal ? { ...loading, signal: turn.signal } : loading,
      device,
    );
    try {
      if (current) await encodePicture(next, current, turn);
      turn.signal?.throwIfAborted();
    } catch (error) {
      void next.free();
      throw error;
    }
    void on.free();
    on = next;
  }

  return {
    setImage: (picture, options) =>
      calls.call(options, () => {
        const own = copyPicture(picture);
        return async (turn) => {
          const { input, frame } = await inSlices(preprocessing(own, modelSize), turn.signal);
          const image = input as Float32Array<ArrayBuffer>;
          const inputs = checkInputs(plans.encode, { image }, false, true);
          return encode({ inputs, frame }, turn);
        };
      }),
    predict: predicting("predict", enlarged) as SamPredictor["predict"],
    predictLogits: predicting(
      "predictLogits",
      async (answer) => answer,
    ) as SamPredictor["predictLogits"],
    change: (change, options) =>
      calls.call(options, () => async (turn) => {
        await change(await on.placed(), turn);
        if (current) await encode(current, turn);
      }),
    frame: () => current?.frame,
    lowSize,
    get lost() {
      return on.device.lost;
    },
    restore: (device, options) =>
      restoring.call(options, () => {
        const next = asDevice(device);
        return (turn) => restore(next, turn);
      }),
    close: () => calls.close(() => on.free()),
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

function answerOf(
  { logits, iou }: DecoderResult,
  multimask: boolean,
  lowSize: number,
): SmallLogits {
  // The first mask is the answer to a prompt that is clear; the others are its readings.
  const [from, to] = multimask ? [1, iou.length] : [0, 1];
  const area = lowSize * lowSize;
  return {
    scores: [...iou.subarray(from, to)],
    lowResLogits: {
      shape: [to - from, lowSize, lowSize],
      data: logits.slice(from * area, to * area),
    },
  };
}

const isLost = (error: unknown) => error instanceof InarchError && error.code === "E422";

/** What a call makes of the decoder's answer. */
type Finish<T> = (answer: SmallLogits, frame: Frame, turn: Turn) => Promise<T>;

const enlarged: Finish<Prediction> = async (answer, frame, { signal }) => ({
  masks: await inSlices(enlarging(answer.lowResLogits, frame), signal),
  ...answer,
});

const noImage = () =>
  diagnose("E350", {
    message: "there is no picture to predict on",
    help: "call await sam.setImage(image) first",
  });

const isClosed = () =>
  diagnose("E351", {
    message: "the SAM is closed",
    help: "load it again",
  });
