/**
 * How good a small SAM is on scenes that it was not trained on: mean IoU of its single mask by one point and by a box,
 * and after fine-tuning with LoRA on camouflaged shapes.
 *   node examples/small-sam/score.mjs [--weights FILE] [--config FILE] [--scenes 64] [--steps 60]
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adapt, input } from "inarch";
import { decoderOnly, lora } from "inarch/adapters";
import { parseSamConfig, Sam, semanticSam } from "inarch/models";
import { openDevice, openWeightsFile } from "inarch/node";
import { adamW, createTrainer, structureLoss } from "inarch/training";
import { batchOf, drawScenes, ious, mean, segment } from "../fine-tune/batches.mjs";
import { ask } from "./prompts.mjs";
import { drawScene, side } from "./scenes.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { values } = parseArgs({
  options: {
    weights: { type: "string", default: path("small-sam.safetensors") },
    config: { type: "string", default: path("small-sam.config.json") },
    scenes: { type: "string", default: "64" },
    steps: { type: "string", default: "60" },
  },
});
const [scenes, steps] = [values.scenes, values.steps].map(Number);
const { device } = await openDevice();
const weights = await openWeightsFile(values.weights);
const config = parseSamConfig(readFileSync(values.config, "utf8"), values.config);

const heldOut = Array.from({ length: scenes }, (_, i) => drawScene(2 ** 25 + i));
for (const kind of ["point", "box"]) {
  const words = kind === "point" ? "one point" : "a box";
  console.log(`by ${words}: ${mean(await prompted(kind)).toFixed(3)}`);
}

const after = [];
for (const seed of [1, 2, 3]) after.push(await fineTuned(seed));
const [before] = after[0];
const scores = after.map(([, score]) => score);
const each = scores.map((score) => score.toFixed(3)).join(", ");
console.log(`without a prompt, before fine-tuning: ${before.toFixed(3)}`);
console.log(`after ${steps} steps with LoRA: ${mean(scores).toFixed(3)} (${each})`);
await weights.close();
device.destroy();

/** The IoU of each prompt's mask. */
async function prompted(kind) {
  const sam = await Sam.load(weights, { device, config });
  const found = [];
  for (const [i, scene] of heldOut.entries()) {
    await sam.setImage(scene.image);
    for (const { clicks, box, mask } of ask([scene], i, kind).items) {
      const points = clicks.map(([x, y]) => [x, y]);
      const { masks } = await sam.predict(box ? { box } : { points });
      found.push(iouOf(masks[0].data, mask));
    }
  }
  await sam.close();
  return found;
}

function iouOf(found, truth) {
  let [both, either] = [0, 0];
  for (let at = 0; at < side * side; at++) {
    both += truth[at] & found[at];
    either += truth[at] | found[at];
  }
  return either === 0 ? 1 : both / either;
}

/** Mean IoU on scenes that are held out, before and after. */
async function fineTuned(seed) {
  const bare = adapt(semanticSam(config, { classes: 1 }), decoderOnly());
  const model = adapt(bare, lora({ rank: 3 }), { where: "image_encoder.blocks.*.attn.qkv" });
  const batch = 4;
  const session = await createTrainer(model, {
    ...{ device, weights, seed, dims: { batch }, programs: { segment: { batch } } },
    loss: ({ logits }) => ({
      structure: structureLoss(logits, input("target", "f32", logits.shape)),
    }),
    ...{ optimiser: adamW({ decay: 0.01 }), clip: 1, rate: 2e-3 },
    schedule: { kind: "linear", steps },
  });
  const others = drawScenes(2 ** 24, 32);
  const score = async () => mean(ious(await segment(session, others, batch), others));
  const before = await score();
  const some = drawScenes(seed * 1000, 48);
  for (let step = 0; step < steps; step++) {
    const own = Array.from({ length: batch }, (_, i) => some[(step * batch + i) % some.length]);
    await session.step(batchOf(own));
  }
  const result = [before, await score()];
  session.close();
  return result;
}
