/**
 * Fine-tunes a small SAM with LoRA and with Conv-LoRA on scenes that are drawn on the spot: thin,
 * small and camouflaged shapes.
 *   node examples/07-fine-tune.mjs [--steps 40] [--scenes 48] [--seed 1]
 *     [--method LoRA] [--out out/fine-tune]
 */
import { mkdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adapt, input, report } from "inarch";
import { convLora, decoderOnly, lora } from "inarch/adapters";
import { parseSamConfig, semanticSam } from "inarch/models";
import { openDevice, openWeightsFile } from "inarch/node";
import { adamW, createTrainer, structureLoss } from "inarch/training";
import { batchOf, drawScenes, ious, mean, segment } from "./fine-tune/batches.mjs";
import { writePictures } from "./fine-tune/pictures.mjs";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "40" },
    scenes: { type: "string", default: "48" },
    seed: { type: "string", default: "1" },
    method: { type: "string", multiple: true, default: ["LoRA", "Conv-LoRA"] },
    out: { type: "string", default: join("out", "fine-tune") },
  },
});
const [steps, count, seed] = [values.steps, values.scenes, values.seed].map(Number);
if (![steps, count, seed].every((value) => Number.isSafeInteger(value) && value > 0)) {
  console.error("--steps, --scenes and --seed are whole numbers from 1 up");
  process.exit(2);
}
const unknown = values.method.find((name) => name !== "LoRA" && name !== "Conv-LoRA");
if (unknown) {
  console.error(`--method is LoRA or Conv-LoRA, not ${unknown}`);
  process.exit(2);
}
const batch = 4;
const path = (name) => fileURLToPath(new URL(`small-sam/${name}`, import.meta.url));

const { device, kind, why } = await openDevice();
const weights = await openWeightsFile(path("small-sam.safetensors"));
const config = parseSamConfig(readFileSync(path("small-sam.config.json"), "utf8"));
console.log(`on ${kind} (${device.name}): ${why}`);
const { depth, imageSize } = config;
console.log(
  `the base: a SAM of ${depth} blocks for ${imageSize} x ${imageSize} pixels, trained on`,
);
console.log("other drawn scenes (by examples/small-sam/train.mjs); it has seen none of these");

// Seeds far apart: no scene that is looked at afterwards is among those that are trained on.
const scenes = drawScenes(seed * 1000, count);
const heldOut = drawScenes(2 ** 24, 16);
console.log(
  `the task: camouflaged, thin and small shapes; ${count} scenes to train on, ${heldOut.length} others`,
);

// Both train the mask decoder, as the methods' authors do; the image encoder's own weights stay.
const base = adapt(semanticSam(config, { classes: 1 }), decoderOnly());
const where = "image_encoder.blocks.*.attn.qkv";
const methods = [
  { name: "LoRA", model: adapt(base, lora({ rank: 3 }), { where }) },
  { name: "Conv-LoRA", model: adapt(base, convLora({ rank: 3, experts: 3 }), { where }) },
].filter(({ name }) => values.method.includes(name));
const results = [];
for (const method of methods) results.push(await fineTune(method));

console.log("\nmean IoU on the scenes that nothing was trained on:");
for (const { name, before, after } of results) {
  const [from, to] = [before, after].map((masks) => mean(ious(masks, heldOut)).toFixed(3));
  console.log(`${name.padEnd(9)} before ${from}, after ${to}`);
}
if (results.length === 2) compare(results[0], results[1]);
mkdirSync(values.out, { recursive: true });
for (const written of await writePictures(values.out, heldOut, results))
  console.log(`wrote ${relative("", written.file)}: ${written.shows}`);

await weights.close();
device.destroy();

/** Trains one method; the same seed and the same batches for each. */
async function fineTune({ name, model }) {
  const { trainable, total } = report(model);
  const share = ((100 * trainable) / total).toFixed(1);
  console.log(`\n${name}: ${trainable} of ${total} parameters train (${share} %)`);
  const session = await createTrainer(model, {
    device,
    weights,
    seed,
    dims: { batch },
    programs: { segment: { batch } },
    loss: ({ logits }) => ({
      structure: structureLoss(logits, input("target", "f32", logits.shape)),
    }),
    targets: { target: { kind: "mask" } },
    optimiser: adamW({ decay: 0.01 }),
    clip: 1,
    rate: 2e-3,
    schedule: { kind: "linear", steps },
  });
  const { backward, programs, update } = session.plan;
  const kernels = [backward, update, programs.segment].flatMap((plan) => plan.kernels).length;
  console.log(`${name}: its ${kernels} kernels are compiled now`);
  const before = await segment(session, heldOut, batch);
  const losses = [];
  const times = [performance.now()];
  for (let step = 1; step <= steps; step++) {
    const { terms, vetoed } = await session.step(batchOf(batchAt(step - 1)));
    if (vetoed) console.log(`${name}: step ${step} was not finite (${vetoed}): nothing changed`);
    // Conv-LoRA minimises a term of its gates too, which would not compare.
    losses.push(terms.structure);
    times.push(performance.now());
    if (step % 5 === 0 || step === steps) sayProgress(name, losses, times);
  }
  const after = await segment(session, heldOut, batch);
  session.close();
  return { name, before, after, losses };
}

/** Batches differ by more than a step improves on: the mean of five says whether a loss falls. */
function sayProgress(name, losses, times) {
  const last = losses.slice(-5);
  const seconds = (times.at(-1) - times.at(-1 - last.length)) / 1000 / last.length;
  const done = `step ${String(losses.length).padStart(String(steps).length)} of ${steps}`;
  console.log(`${name}: ${done}, loss ${mean(last).toFixed(3)}, ${seconds.toFixed(2)} s each`);
}

/** Says on how many scenes the second did better, so that nobody reads too much into means. */
function compare(first, second) {
  const [these, those] = [first, second].map(({ after }) => ious(after, heldOut));
  const better = those.filter((iou, i) => iou > these[i]).length;
  const scenes = `${better} of ${heldOut.length} scenes`;
  console.log(`${second.name} did better on ${scenes}; one short run ranks neither`);
}

/** The scenes of a step: all of them in turn. */
function batchAt(step) {
  return Array.from({ length: batch }, (_, i) => scenes[(step * batch + i) % scenes.length]);
}
