/**
 * What training costs: one step of the 224-pixel encoder with Conv-LoRA on every qkv (forward, backward,
 * AdamW with clipping), against the bare encoder's forward pass. On a processor also against that of ONNX Runtime,
 * and against the published formulation in PyTorch.
 */

import { convLora } from "../../adapters/index.ts";
import { type Adapter, adapt, InarchError, input } from "../../compiler/index.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import type { SamConfig } from "../../models/index.ts";
import { hashedImage } from "../../models/sam/hashed.ts";
import { mean, mul, sub } from "../../ops/index.ts";
import { createTrainingSession, type Device, type TrainingPlan } from "../../runtime/index.ts";
import { trainingBytes } from "../../runtime/training/memory.ts";
import { plansOf } from "../../runtime/training/plan.ts";
import { adamW, compileTraining, type TrainingOptions } from "../../training/index.ts";
import { type Comparison, type Contestant, ours, type Runner } from "../measure/comparison.ts";
import { isProcessor, type Place, wordsFor } from "../measure/place.ts";
import { openExported } from "../systems/exported.ts";
import { type OurProgram, openOurs, ourDevice } from "../systems/inarch.ts";
import { openTorch } from "../systems/torch.ts";
import { numbers, product, weightsFor } from "./numbers.ts";
import { encoderGraph, encoderModel, everyQkv, smallSam } from "./small-sam.ts";

const config = smallSam(224);
const image = () => hashedImage("bench", config.imageSize);
const bare = (): OurProgram => ({
  ...{ graph: encoderGraph(config), inputs: { image: image() }, weights: weightsFor },
});

export function trainingSteps(place: Place): Comparison[] {
  const forward: Contestant = {
    name: "bare encoder, forward",
    process: ours,
    open: () => openOurs(bare(), place),
  };
  const whole: Contestant = {
    name: "training step",
    process: ours,
    open: () => openStep("nothing", place),
  };
  const again: Contestant = {
    name: "training step, blocks computed again",
    process: ours,
    open: () => openStep("blocks", place),
  };
  const name = `training step with Conv-LoRA, encoder at 224 pixels${wordsFor(place)}`;
  const alone: Comparison = {
    name,
    group: "step",
    contestants: [forward, whole, again],
    pairs: [whole, again].map((one) => ({ of: one.name, to: forward.name })),
    // The loss of the first step, which no rounding of an earlier step has reached.
    note: "The difference is that of the two first losses.",
    agreements: [{ of: again.name, to: whole.name, tolerance: 1e-5 }],
  };
  return isProcessor(place)
    ? [alone, besideOthers(place, `${name}, beside others`, whole)]
    : [alone];
}

/** The step beside the published formulation in PyTorch, and beside a bare forward pass of ONNX Runtime. */
function besideOthers(place: Place, name: string, step: Contestant): Comparison {
  const { threads = 1 } = place;
  const onnx: Contestant = {
    name: "ONNX Runtime CPU, bare forward pass",
    process: "ort-cpu",
    open: () => openExported(bare(), { provider: "cpu", threads }),
  };
  const torch: Contestant = {
    name: "PyTorch, step as published",
    process: "torch",
    open: () => openTorch({ config, adapter: "conv-lora", threads }),
  };
  const pairs = [onnx, torch].map((peer) => ({ of: peer.name, to: step.name }));
  const note = "ONNX Runtime takes no step: the ratio is of its forward pass and our step.";
  return {
    ...{ name, group: "step", note, pairs },
    contestants: [step, onnx, torch],
    agreements: [],
  };
}

/** Parts of the scratch memory to plan with: the first that suffices has most computed again. */
const shares = [0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7];

type Recompute = "nothing" | "blocks";

async function openStep(recompute: Recompute, place: Place): Promise<Runner> {
  const { device } = await ourDevice(place);
  const whole = planStep(device);
  const plan = recompute === "nothing" ? whole : planInLittle(whole, device);
  const session = await createTrainingSession(plan, device, {
    weights: weightsFor([...plan.frozen, ...plan.tensors]),
    rate: 1e-4,
    seed: 1,
  });
  const inputs = { image: image(), target: numbers(30, product(embeddingShape(config))) };
  const { activations: kept } = trainingBytes(plansOf(plan));
  const mebibytes = (kept / 2 ** 20).toFixed(0);
  const { steps } = plan.backward;
  return {
    facts: `${mebibytes} MiB of scratch memory, ${(100 * plan.recomputed).toFixed(0)} % computed again, ${steps.length} + ${plan.update.steps.length} dispatches`,
    run: async () => Float32Array.of((await session.step(inputs)).loss),
    close: () => session.close(),
  };
}

/** The step with as little memory as recomputation can do with, to a twentieth. */
function planInLittle(whole: TrainingPlan, device: Device): TrainingPlan {
  const { total, activations } = trainingBytes(plansOf(whole));
  for (const share of shares) {
    try {
      return planStep(device, Math.round(total - (1 - share) * activations));
    } catch (cause) {
      if (!(cause instanceof InarchError && cause.code === "E140")) throw cause;
    }
  }
  return whole;
}

function planStep(device: Device, budget?: number): TrainingPlan {
  return planDistance(config, convLora(), {
    target: device.target,
    profile: deviceProfile(device.capabilities),
    ...(budget === undefined ? {} : { budget }),
  });
}

/** Shape of what the encoder returns for one image. */
export function embeddingShape({ imageSize, patchSize, outChans }: SamConfig) {
  const grid = imageSize / patchSize;
  return [1, outChans, grid, grid];
}

/** An encoder with an adapter on every qkv, which learns to give the embeddings named "target". */
export function planDistance(
  of: SamConfig,
  adapter: Adapter,
  options: Pick<TrainingOptions, "target" | "profile" | "precision" | "budget">,
): TrainingPlan {
  return compileTraining(adapt(encoderModel(of), adapter, { where: everyQkv }), {
    optimiser: adamW({ decay: 1e-4 }),
    clip: 1,
    loss: ({ embedding }) => {
      const error = sub(embedding!, input("target", "f32", embeddingShape(of)));
      return { distance: mean(mul(error, error)) };
    },
    ...options,
  });
}
