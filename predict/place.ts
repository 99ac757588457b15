/** A compiled SAM on a device: the encoder, the decoders that are needed, and the picture that it was given. */
import type { Plan } from "../compiler/plan.ts";
import { diagnose } from "../diagnostics/index.ts";
import { abortable, type Turn } from "../runtime/calls.ts";
import type { Device, Progress } from "../runtime/devices/device.ts";
import type { CheckedInput } from "../runtime/inputs.ts";
import {
  type DeviceTensor,
  type Placement,
  placePlan,
  type SessionOptions,
} from "../runtime/placement.ts";
import { submit } from "../runtime/runs.ts";
import type { Frame } from "./vision/preprocess.ts";

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
  readonly adapter?: SessionOptions["adapter"] | undefined;
  readonly device: Device;
  readonly onProgress?: Progress | undefined;
  /** Stops loading. */
  readonly signal?: AbortSignal | undefined;
}

/** A SAM on a device. */
export interface PlacedSam {
  readonly device: Device;
  readonly encoder: Placement;
  readonly embedding: DeviceTensor;
  readonly decoder: (bucket: number) => Promise<Placement>;
  /** The encoder and the decoders that are there. */
  readonly placed: () => Promise<readonly Placement[]>;
  readonly lowSize: number;
  readonly free: () => Promise<void>;
}

/** @throws what `createSession` throws. */
export async function placeSam(
  { plans, weights, adapter, onProgress, signal }: SamPredictorOptions,
  device: Device,
): Promise<PlacedSam> {
  const loading: SessionOptions = {
    weights,
    adapter,
    onProgress,
  };
  const encoder = await placePlan(plans.encode, device, {
    ...loading,
    signal,
  });
  const tensor = plans.encode.outputs.find((t) => t.name === "embedding")!;
  const embedding = { tensor, device, buffer: encoder.buffers[tensor.buffer]! };
  const decoders = new Map<number, Promise<Placement>>();
  const ending = new AbortController();
  const decoder = (bucket: number): Promise<Placement> => {
    const known = decoders.get(bucket);
    if (known) return known;
    // The adapter in use: it may be another than the SAM was loaded with.
    const own = encoder.adapter && { adapter: encoder.adapter };
    const more = { ...loading, ...own, bind: { embedding }, signal: ending.signal };
    const place = async () =>
      placePlan(await plans.decode(bucket, { signal: ending.signal }), device, more);
    const made = place();
    decoders.set(bucket, made);
    // A bucket that failed to load may be tried again.
    made.catch(() => decoders.delete(bucket));
    return made;
  };
  const placed = async () => {
    const all = await Promise.allSettled(decoders.values());
    return [encoder, ...all.flatMap((one) => (one.status === "fulfilled" ? one.value : []))];
  };
  const free = async () => {
    ending.abort();
    for (const one of await placed()) one.free();
  };
  try {
    const first = await abortable(decoder(plans.buckets[0]!), signal);
    const lowSize = lowSizeOf(first.plan);
    return { device, encoder, embedding, decoder, placed, lowSize, free };
  } catch (error) {
    void free();
    throw error;
  }
}

/** A picture as it was given to the encoder, which another device may be given again. */
export interface GivenPicture {
  readonly inputs: readonly CheckedInput[];
  readonly frame: Frame;
}

/** Encodes a picture; resolves once the device has done it. */
export async function encodePicture(
  { encoder, embedding, device }: PlacedSam,
  { inputs }: GivenPicture,
  turn: Turn,
): Promise<void> {
  const { accepted } = await submit(encoder, inputs, turn.signal);
  // Reading one number waits for the encoder: its failure is this call's, not the next one's.
  const encoded = device.read(embedding.buffer, embedding.tensor.offset, 1, "f32");
  await turn.wait(Promise.all([encoded, accepted]));
}

const lowSizeOf = (decode: Plan): number =>
  decode.outputs.find((t) => t.name === "low_res_logits")?.shape[2] ?? 0;

/** @throws E353 for plans that are not those of one SAM. */
export function checkPlans({ encode, buckets }: SamPlans): void {
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
    help: "compile both plans from one SAM: compileSam(config)",
  });
}

const names = (tensors: readonly { readonly name: string }[]) =>
  tensors.map((t) => t.name).join(", ") || "none";
