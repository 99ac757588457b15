/**
 * Checks of kinds `train_sam_lora` and `train_sam_conv_lora`: SAM for one class, as it is fine-tuned
 * by Conv-LoRA's authors. The mask decoder trains with the adapter; the quality head and the prompts do not.
 */

import { convLora, lora } from "../adapters/index.ts";
import { type Adapter, adapt, input } from "../compiler/index.ts";
import { semanticSam } from "../models/index.ts";
import { decoderOnly } from "../models/sam/presets/index.ts";
import { normalize } from "../predict/vision/index.ts";
import { structureLoss } from "../training/index.ts";
import { checkMask } from "../training/losses/index.ts";
import { type Check, joined } from "./compare.ts";
import type { Setting } from "./kinds.ts";
import { garbled, type Reference } from "./reference.ts";
import { readPictures } from "./sam.ts";
import { forward, type StepRecord, type TrainingRun, trained, verifyTraining } from "./training.ts";
import { configOf, numberOf, optimiserOf, rateOf, stepsOf } from "./training-facts.ts";
import { placesOf, tableRowsOf } from "./training-initial.ts";

export const verifySamLora = (reference: Reference, setting: Setting): AsyncIterable<Check> =>
  verifySam(reference, setting, lora({ ...scaled(reference) }));

export const verifySamConvLora = (reference: Reference, setting: Setting): AsyncIterable<Check> =>
  verifySam(
    reference,
    setting,
    convLora({ ...scaled(reference), experts: numberOf(reference, "experts") }),
  );

const scaled = (reference: Reference) => ({
  rank: numberOf(reference, "rank"),
  alpha: numberOf(reference, "alpha"),
});

async function* verifySam(
  reference: Reference,
  setting: Setting,
  adapter: Adapter,
): AsyncIterable<Check> {
  const config = configOf(reference);
  const { shape } = await reference.read("step.0.target", 4);
  const [batch, , height, width] = shape as [number, number, number, number];
  const side = config.imageSize;
  if (shape.join() !== [batch, 1, side, side].join())
    throw garbled(
      reference.path,
      `step.0.target is [${shape.join(", ")}], but the model's input is ${side} x ${side}`,
    );
  const model = semanticSam(config, { classes: 1 }, { tableRows: await tableRowsOf(reference) });
  const run: TrainingRun = {
    model: adapt(adapt(model, decoderOnly()), adapter, { where: placesOf(reference, "lora_A") }),
    batch,
    loss: ({ logits }) => ({
      structure: structureLoss(logits!, input("target", "f32", [batch, 1, height, width])),
    }),
    optimiser: optimiserOf(reference, "adamw"),
    ...(reference.metadata.clip_grad_norm === undefined
      ? {}
      : { clip: numberOf(reference, "clip_grad_norm") }),
    steps: stepsOf(reference),
    rate: rateOf(reference),
    inputs: (step) => inputsOf(reference, step, side),
    noise: (name, step) => noiseOf(reference, name, step),
    records: await recordsOf(reference),
  };
  yield* verifyTraining(reference, setting, run);
}

async function inputsOf(reference: Reference, step: number, side: number) {
  const pictures = await readPictures(reference, `step.${step}.image`);
  const image = joined(pictures.map((picture) => normalize(picture, side)));
  const name = `step.${step}.target`;
  const target = await reference.read(name, 4);
  checkMask({ name, ...target });
  return { image, target: target.data };
}

/** The gate of block N draws `gate_noise.N`. */
function noiseOf({ path }: Reference, name: string, step: number): string {
  const block = /\.blocks\.(\d+)\..*\.gate$/.exec(name)?.[1];
  if (block !== undefined) return `step.${step}.gate_noise.${block}`;
  throw garbled(path, `it holds no noise for ${name}`);
}

async function recordsOf(reference: Reference): Promise<StepRecord[]> {
  const record = async (name: string, relative: number, of: StepRecord["of"]) => {
    if (!reference.has(name)) return [];
    return [{ name, reference: (await reference.read(name, 1)).data, relative, of }];
  };
  return [
    ...(await record("loss", forward, ({ terms }) => terms.structure!)),
    // LoRA has no such term.
    ...(await record("moe_loss", forward, ({ terms }) => terms.moe_loss ?? 0)),
    ...(await record("grad_norm", trained, ({ norm }) => norm)),
  ];
}
