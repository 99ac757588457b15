/** All parts, what tells most first. */
import type { Part } from "../part.ts";
import { type TorchPart, torchCompiled, torchEager, torchProducts } from "../torch.ts";
import { collectives, cuda, f32, fragments, packed, portable, stored } from "../variants.ts";
import { attentions } from "./attention.ts";
import { device } from "./device.ts";
import { encoders, tunedEncoders } from "./encoders.ts";
import { matmuls } from "./matmul.ts";
import { referencesOn } from "./references.ts";
import { samplesOf } from "./samples.ts";
import { steps } from "./steps.ts";
import { tuning } from "./tuning.ts";

export const parts: readonly (Part | TorchPart)[] = [
  device,
  samplesOf(f32),
  referencesOn(f32),
  samplesOf(cuda),
  referencesOn(cuda),
  samplesOf(stored),
  samplesOf(fragments),
  matmuls,
  attentions,
  encoders,
  steps,
  torchProducts,
  torchEager,
  tuning,
  tunedEncoders,
  samplesOf(portable),
  samplesOf(packed),
  samplesOf(collectives),
  torchCompiled,
];
