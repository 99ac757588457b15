/**
 * Makes the small SAM that 07-fine-tune.mjs starts from: hashed first weights, then training of
 * every parameter on drawn scenes whose shapes stand out. It never sees a camouflaged one. On a
 * software device it takes about a quarter of an hour:
 *   node examples/fine-tune/pretrain.mjs [--steps 800] [--seed 1] [--rate 0.0015]
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adapt, input } from "inarch";
import { defineAdapter } from "inarch/adapters";
import { hashedWeights, parseSamConfig, semanticSam } from "inarch/models";
import { openDevice, saveTo } from "inarch/node";
import { writeSafetensors } from "inarch/runtime";
import { adamW, createTrainer, structureLoss } from "inarch/training";
import { batchOf, drawScenes, ious, mean, segment } from "./batches.mjs";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "800" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "0.0015" },
  },
});
const [steps, seed, rate] = [Number(values.steps), Number(values.seed), Number(values.rate)];
const batch = 4;
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const config = parseSamConfig(readFileSync(path("small-sam.config.json"), "utf8"));

// An adapter that grafts nothing, and trains all there is but the fixed code of positions.
const everything = defineAdapter({ name: "everything", train: ["**"] });
const fixed = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
const model = adapt(semanticSam(config, { classes: 1 }), everything, { train: [`!${fixed}`] });

const { device } = await openDevice();
const weights = hashedWeights(config, String(seed));
const session = await createTrainer(model, {
  device,
  weights,
  dims: { batch },
  programs: { segment: { batch } },
  loss: ({ logits }) => ({
    structure: structureLoss(logits, input("target", "f32", logits.shape)),
  }),
  optimiser: adamW({ decay: 0.01 }),
  clip: 1,
  rate,
  schedule: { kind: "cosine", steps, warmup: Math.min(100, steps >> 2), floor: 0.02 },
});

const heldOut = drawScenes("plain", 2 ** 24, 32);
const started = performance.now();
let losses = [];
for (let step = 0; step < steps; step++) {
  // Every step sees scenes that none before it has seen.
  const scenes = drawScenes("plain", seed * 2 ** 20 + step * batch, batch);
  losses.push((await session.step(batchOf(scenes))).loss);
  if ((step + 1) % 50 !== 0 && step + 1 !== steps) continue;
  const loss = mean(losses);
  losses = [];
  const iou = mean(ious(await segment(session, heldOut, batch), heldOut));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `step ${step + 1}: loss ${loss.toFixed(4)}, held out IoU ${iou.toFixed(3)}, ${seconds} s`,
  );
  await save();
}
session.close();
device.destroy();

async function save() {
  const { tensors: trained, frozen } = session.plan;
  const tensors = new Map();
  const put = (name, shape, floats) => {
    const data = new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
    tensors.set(name, { dtype: "f32", shape, data });
  };
  for (const { name, shape } of trained) put(name, shape, await session.parameter(name));
  for (const { name, shape } of frozen) put(name, shape, await weights.readF32(name));
  const made = { made: `examples/fine-tune/pretrain.mjs --steps ${steps} --seed ${seed}` };
  await saveTo(path("small-sam.safetensors"), writeSafetensors(tensors, made));
}
