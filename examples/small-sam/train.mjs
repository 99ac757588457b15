/**
 * Makes the small SAM of this folder: hashed first weights, then training of every parameter, with prompts and
 * without, on scenes that it draws. It ends when its time is up; what is interrupted goes on where it was:
 *   node examples/small-sam/train.mjs [--minutes 30] [--device KIND] [--batch 16] [--seed 1] [--rate 0.001]
 *     [--workers N] [--checkpoint FILE] [--out FILE]
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { adapt, deviceProfile, input } from "inarch";
import { defineAdapter } from "inarch/adapters";
import { hashedWeights, parseSamConfig, promptedSam } from "inarch/models";
import { openDevice, openWeightsFile, saveTo } from "inarch/node";
import * as ops from "inarch/ops";
import { bytesSource, createTrainingSession, openWeights, writeSafetensors } from "inarch/runtime";
import { adamW, compileTrainingAsync } from "inarch/training";
import { drawAhead, seedOf } from "./batches.mjs";
import { ask, correct, inputsOf, lowSide, prompts, slots } from "./prompts.mjs";
import { drawScene } from "./scenes.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    device: { type: "string" },
    batch: { type: "string", default: "16" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "0.001" },
    workers: { type: "string", default: String(Math.max(1, availableParallelism() - 1)) },
    out: { type: "string" },
    checkpoint: { type: "string", default: join("out", "small-sam", "checkpoint.safetensors") },
  },
});
const [minutes, batch, seed, rate, workers] = ["minutes", "batch", "seed", "rate", "workers"].map(
  (name) => Number(values[name]),
);
/** Seconds between lines, and between scores and checkpoints. */
const [spoken, kept] = [10, 60];
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const out = values.out ?? path("small-sam.safetensors");
const config = parseSamConfig(readFileSync(path("small-sam.config.json"), "utf8"));

// An adapter that grafts nothing, and trains all there is but the fixed code of positions.
const everything = defineAdapter({ name: "everything", train: ["**"] });
const fixed = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
const model = adapt(promptedSam(config, { prompts, slots }), everything, { train: [`!${fixed}`] });

const { device, kind } = await openDevice(values.device ? { kind: values.device } : undefined);
console.log(`on ${kind} (${device.name})`);
const clock = `${values.checkpoint}.json`;
const resumed = existsSync(values.checkpoint)
  ? await openWeightsFile(values.checkpoint)
  : undefined;
/** Seconds of training in processes before this one. */
const before = resumed ? JSON.parse(readFileSync(clock, "utf8")).seconds : 0;
/** Seconds of training, what precedes the first step counted: the process began at 0. */
const seconds = () => before + performance.now() / 1000;
/** The share of the training that is done, 0 to 1. */
const progress = () => Math.min(1, seconds() / (60 * minutes));

const plan = await compileTrainingAsync(model, {
  ...{ target: device.target, profile: deviceProfile(device.capabilities) },
  dims: { batch },
  programs: { segment: { batch } },
  loss: ({ logits, iou }) => losses(logits, iou),
  optimiser: adamW({ decay: 0.02 }),
  clip: 1,
});
const session = await createTrainingSession(plan, device, {
  weights: await firstWeights(),
  rate: rateAt,
  ...(resumed ? { resume: resumed } : {}),
});
await resumed?.close();
console.log(`ready after ${(performance.now() / 1000).toFixed(1)} s, at step ${session.steps}`);

const heldOut = Array.from({ length: 2 * batch }, (_, i) => drawScene(2 ** 24 + i));
const source = drawAhead({ seed, batch, workers, first: session.steps });
let sums = {};
let [last, waited] = [session.steps, 0];
let [told, saved] = [seconds(), seconds()];
while (progress() < 1) {
  const asked = performance.now();
  const drawn = await source.next();
  waited += performance.now() - asked;
  const { terms } = await session.step({ ...(await inputsFrom(drawn)), ...balance() });
  for (const [name, value] of Object.entries(terms)) sums[name] = (sums[name] ?? 0) + value;
  if (seconds() - told < spoken && progress() < 1) continue;
  const steps = session.steps - last;
  const means = Object.entries(sums).map(([name, sum]) => `${name} ${(sum / steps).toFixed(4)}`);
  const each = ((seconds() - told) / steps) * 1000;
  console.log(
    `step ${session.steps}, ${(100 * progress()).toFixed(0)} %: ${means.join(", ")}; ${each.toFixed(1)} ms each, ${(waited / steps).toFixed(1)} of them for pictures`,
  );
  [sums, last, waited, told] = [{}, session.steps, 0, seconds()];
  if (seconds() - saved < kept && progress() < 1) continue;
  await keep();
  const scores = [];
  for (const how of ["point", "box", "nothing"]) scores.push(`${how} ${await score(how)}`);
  console.log(`  held out, mean IoU: ${scores.join(", ")}`);
  told = saved = seconds();
}
await source.close();
session.close();
device.destroy();

/**
 * Hashed weights, but that where the picture and the prompts look at each other queries and keys begin as the same
 * projection: then a place attends to the prompts that are near it from the first step on. From unlike ones, and with
 * pixels that all count the same, a run had found nothing after 400 steps.
 */
async function firstWeights() {
  const hashed = hashedWeights(config, String(seed));
  const tensors = new Map();
  for (const [name, { shape }] of hashed.tensors) {
    const isLooking = /cross_attn|final_attn/.test(name) && /\.[qk]_proj\.weight$/.test(name);
    const own = await hashed.readF32(isLooking ? name.replace(".k_proj", ".q_proj") : name);
    const floats = isLooking ? own.map((value) => 2 * value) : own;
    tensors.set(name, { dtype: "f32", shape, data: new Uint8Array(floats.slice().buffer) });
  }
  return openWeights(bytesSource("first weights", writeSafetensors(tensors)));
}

/** Rises for 200 steps, and falls as half a wave does while the time passes. */
function rateAt(step) {
  return (
    rate * Math.min(1, (step + 1) / 200) * (0.01 + 0.495 * (1 + Math.cos(Math.PI * progress())))
  );
}

/** How much it counts that half of the pixels' weight lies inside, which the last two thirds do without. */
function balance() {
  return { balance: [Math.max(0, 1 - 3 * progress())] };
}

/** The inputs of a step: as they were drawn, or those by which the model's own answers are corrected. */
async function inputsFrom({ inputs, asked, corrections }) {
  let next = { asked, before: undefined };
  for (let round = 1; round <= corrections; round++) {
    const answers = await session.run("segment", withoutTarget(inputs));
    next = correct(next.asked, seedOf(seed, session.steps) + round, answers);
    inputs = inputsOf(next.asked, next.before);
  }
  return inputs;
}

function withoutTarget({ target: _, ...inputs }) {
  return inputs;
}

/**
 * The single mask, and of the others the one that fits best, by cross entropy and dice as SAM's authors weigh the
 * cases; and the quality that the model says of each, against what it is.
 */
function losses(logits, iou) {
  const [items, masks] = iou.shape;
  const target = input("target", "f32", [items, 1, lowSide, lowSide]);
  const inside = ops.sigmoid(logits);
  const entropy = ops.sub(ops.softplus(logits), ops.mul(logits, target));
  // Half of the pixels' weight lies inside, however small the thing: or else nothing is a good answer for long. Later
  // that would make masks too large.
  const area = ops.sum(target, [2, 3], "keep");
  const share = ops.add(
    ops.div(target, ops.maximum(area, 1)),
    ops.div(ops.sub(1, target), ops.maximum(ops.sub(lowSide * lowSide, area), 1)),
  );
  const balanced = ops.mul(
    ops.sum(ops.mul(entropy, share), [2, 3]),
    ops.mul(input("balance", "f32", [1]), 0.5),
  );
  const crossEntropy = ops.add(ops.mean(entropy, [2, 3]), balanced);
  const both = ops.sum(ops.mul(inside, target), [2, 3]);
  const sizes = ops.add(ops.sum(inside, [2, 3]), ops.sum(target, [2, 3]));
  const dice = ops.sub(1, ops.div(ops.add(ops.mul(both, 2), 1), ops.add(sizes, 1)));
  const misfit = ops.add(crossEntropy, dice);
  const of = (mask) => ops.slice(misfit, [[], [mask, mask + 1]]);
  const least = Array.from({ length: masks - 1 }, (_, i) => of(1 + i)).reduce((a, b) =>
    ops.minimum(a, b),
  );
  const found = ops.stopGradient(ops.cast(ops.gt(logits, 0), "f32"));
  const wanted = ops.cast(ops.gt(target, 0.5), "f32");
  const common = ops.sum(ops.mul(found, wanted), [2, 3]);
  const union = ops.sub(ops.add(ops.sum(found, [2, 3]), ops.sum(wanted, [2, 3])), common);
  const off = ops.sub(iou, ops.div(common, ops.maximum(union, 1)));
  return {
    single: ops.mean(of(0)),
    best: ops.mean(least),
    quality: ops.mean(ops.mul(off, off)),
  };
}

/** Mean IoU of the single mask over the prompts of scenes that nothing was trained on. */
async function score(kind) {
  let [sum, count] = [0, 0];
  for (let i = 0; i < heldOut.length; i += batch) {
    const asked = ask(heldOut.slice(i, i + batch), i, kind);
    const inputs = inputsOf(asked);
    const { logits, iou } = await session.run("segment", withoutTarget(inputs));
    const [area, masks] = [lowSide * lowSide, iou.length / asked.items.length];
    asked.items.forEach((_, item) => {
      let [both, either] = [0, 0];
      for (let at = 0; at < area; at++) {
        const [found, wanted] = [
          logits[item * masks * area + at] > 0,
          inputs.target[item * area + at] >= 0.5,
        ];
        both += found && wanted;
        either += found || wanted;
      }
      sum += either === 0 ? 1 : both / either;
      count++;
    });
  }
  return (sum / count).toFixed(3);
}

/** The checkpoint to go on from, and the model as it is. */
async function keep() {
  mkdirSync(dirname(values.checkpoint), { recursive: true });
  await saveTo(values.checkpoint, await session.save());
  await saveTo(clock, new TextEncoder().encode(JSON.stringify({ seconds: seconds() })));
  const { tensors: trained, frozen } = session.plan;
  const weights = await firstWeights();
  const tensors = new Map();
  const put = (name, shape, floats) =>
    tensors.set(name, {
      dtype: "f32",
      shape,
      data: new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength),
    });
  for (const { name, shape } of trained) put(name, shape, await session.parameter(name));
  for (const { name, shape } of frozen) put(name, shape, await weights.readF32(name));
  const metadata = {
    made: `examples/small-sam/train.mjs --minutes ${minutes} --batch ${batch} --seed ${seed}, after step ${session.steps} on ${kind}`,
    decoder_num_heads: String(config.decoderNumHeads),
  };
  await saveTo(out, writeSafetensors(tensors, metadata));
}
