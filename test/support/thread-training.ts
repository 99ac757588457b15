/** Training with one, two and seven threads, and gone on from a checkpoint with another number of them. */
import { createHash } from "node:crypto";
import { expect } from "vitest";
import { convLora } from "../../adapters/index.ts";
import { adapt, input } from "../../compiler/index.ts";
import { deviceProfile } from "../../compiler/profile.ts";
import { hashedImage, hashedWeights } from "../../models/sam/hashed.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { createTrainingSession, type TrainingSession } from "../../runtime/training/session.ts";
import type { Weights } from "../../runtime/weights/index.ts";
import { adamW, compileTraining, structureLoss } from "../../training/index.ts";
import { tinySam } from "./sam-small.ts";
import { openBytes } from "./weights-files.ts";

const digest = (bytes: NodeJS.ArrayBufferView) => createHash("sha256").update(bytes).digest("hex");

/** Two steps and four, whose checkpoints must have equal bytes whatever computed them. */
export async function expectEqualTraining(open: (threads: number) => Promise<Device>) {
  const devices = [await open(1), await open(2), await open(7)] as const;
  const [{ target, capabilities }] = devices;
  const config = { ...tinySam, numMultimaskOutputs: 0 };
  const model = adapt(semanticSam(config, { classes: 1 }), convLora({ rank: 2 }), {
    where: "image_encoder.blocks.*.attn.qkv",
    train: ["mask_decoder.**"],
  });
  const side = config.imageSize;
  const image = hashedImage("threads", side);
  const levels = hashedImage("target", side).slice(0, side ** 2);
  const mask = Float32Array.from(levels, (v) => Number(v > 0));
  const plan = compileTraining(model, {
    target,
    profile: deviceProfile(capabilities),
    optimiser: adamW(),
    loss: ({ logits }) => ({
      structure: structureLoss(logits!, input("target", "f32", logits!.shape)),
    }),
  });
  const weights = hashedWeights(config, "threads");
  const begin = (device: Device, resume?: Weights) =>
    createTrainingSession(plan, device, {
      ...{ weights, rate: 1e-3 },
      ...(resume && { resume }),
    });
  const steps = async (session: TrainingSession) => {
    for (let step = 0; step < 2; step++) await session.step({ image, target: mask });
    return session.save();
  };
  const one = await begin(devices[0]);
  const [half, whole] = [await steps(one), await steps(one)];
  const two = await begin(devices[1]);
  expect(digest(await steps(two))).toBe(digest(half));
  const seven = await begin(devices[2], await openBytes(half));
  expect(digest(await steps(seven))).toBe(digest(whole));
  expect(digest(half)).not.toBe(digest(whole));
  for (const session of [one, two, seven]) await session.close();
  for (const device of devices) device.destroy();
}
