/**
 * `npm run bench -- step [--model vit_b] [--size 1024] [--budget 1GiB] [--only budgeted|whole]`: one
 * training step of SAM with Conv-LoRA on every qkv and its decoder, planned without and with a memory
 * budget (base included). It states both peaks, takes the step with either plan, and compares losses
 * and gradients. Weights are hashed, so no file is needed. ViT-B at 1024 pixels takes many minutes on
 * a software device.
 */
import { parseArgs } from "node:util";
import { convLora } from "../adapters/index.ts";
import { adapt, input } from "../compiler/index.ts";
import { deviceProfile } from "../compiler/profile.ts";
import { parseBytes } from "../diagnostics/bytes.ts";
import {
  hashedImage,
  hashedWeights,
  type SamConfig,
  samPresets,
  semanticSam,
} from "../models/index.ts";
import { createTrainingSession, type Numbers, type TrainingPlan } from "../runtime/index.ts";
import { openDevice } from "../runtime/node/index.ts";
import { trainingBytes } from "../runtime/training/memory.ts";
import { plansOf } from "../runtime/training/plan.ts";
import { adamW, compileTraining, structureLoss } from "../training/index.ts";

const { values: flags } = parseArgs({
  options: {
    model: { type: "string", default: "vit_b" },
    size: { type: "string", default: "1024" },
    budget: { type: "string", default: "1GiB" },
    only: { type: "string" },
  },
});

const small = { ...samPresets.vit_b, embedDim: 96, depth: 3, numHeads: 3, globalAttnIndexes: [2] };
const size = Number(flags.size);
const config: SamConfig = {
  ...(flags.model === "small" ? small : samPresets[flags.model as "vit_b"]),
  imageSize: size,
  numMultimaskOutputs: 0,
};
const { device } = await openDevice();
const model = adapt(semanticSam(config, { classes: 1 }), convLora(), {
  where: "image_encoder.blocks.*.attn.qkv",
  train: ["mask_decoder.**"],
});

function planned(budget: number | undefined): TrainingPlan {
  const start = performance.now();
  const plan = compileTraining(model, {
    target: device.target,
    profile: deviceProfile(device.capabilities),
    optimiser: adamW({ decay: 1e-4 }),
    clip: 1,
    loss: ({ logits }) => ({
      structure: structureLoss(logits!, input("target", "f32", [1, 1, size, size])),
    }),
    ...(budget === undefined ? {} : { budget }),
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const { total, activations, frozen } = trainingBytes(plansOf(plan));
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const words = budget === undefined ? "without a budget" : `with ${flags.budget}`;
  console.log(
    `${words.padEnd(18)}${mebibytes(total)} in all: base ${mebibytes(frozen)}, activations ${mebibytes(activations)}; ` +
      `${plan.backward.steps.length} + ${plan.update.steps.length} dispatches, ` +
      `${(100 * plan.recomputed).toFixed(0)} % computed again, planned in ${seconds} s`,
  );
  return plan;
}

interface Outcome {
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Numbers>;
}

async function step(plan: TrainingPlan, words: string): Promise<Outcome> {
  const start = performance.now();
  const session = await createTrainingSession(plan, device, {
    weights: hashedWeights(config, "bench"),
    rate: 1e-3,
    seed: 1,
  });
  const ready = performance.now();
  const target = Float32Array.from({ length: size * size }, (_, i) =>
    Number((i % size) * 2 < size),
  );
  const report = await session.step({ image: hashedImage("bench", size), target });
  const done = performance.now();
  const gradients = new Map<string, Numbers>();
  for (const { name } of plan.tensors) gradients.set(name, await session.gradient(name));
  session.close();
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  console.log(
    `${words.padEnd(18)}loss ${report.loss}, norm of gradients ${report.norm}, ` +
      `${report.vetoed === undefined ? "finite" : `not finite: ${report.vetoed}`}; ` +
      `kernels ${seconds(ready - start)}, step ${seconds(done - ready)}`,
  );
  return { loss: report.loss, gradients };
}

const norm = (x: Iterable<number>) => {
  let sum = 0;
  for (const v of x) sum += v * v;
  return Math.sqrt(sum);
};

/** Largest relative difference of a tensor's gradient, with a floor for what is all rounding. */
function compare(a: Outcome, b: Outcome): void {
  const all = norm([...b.gradients.values()].map((g) => norm(g)));
  let [worst, where] = [0, ""];
  for (const [name, g] of b.gradients) {
    if (name.endsWith("k_proj.bias")) continue;
    const other = a.gradients.get(name)!;
    const difference = norm(Array.from(g, (v, i) => v - other[i]!));
    const relative = difference / (norm(g) + 1e-4 * all);
    if (relative > worst) [worst, where] = [relative, name];
  }
  console.log(`losses differ by ${Math.abs(a.loss - b.loss).toExponential(1)}`);
  const words =
    worst === 0 ? "are equal to the bit" : `differ by at most ${worst.toExponential(1)} (${where})`;
  console.log(`gradients of ${b.gradients.size} tensors ${words}`);
}

console.log(
  `${device.capabilities.name}; ${flags.model}, ${size} px, ${model.name} with Conv-LoRA`,
);
const whole = planned(undefined);
const budgeted = planned(parseBytes(flags.budget));
const outcomes: Outcome[] = [];
if (flags.only !== "whole") outcomes.push(await step(budgeted, `with ${flags.budget}`));
if (flags.only !== "budgeted") outcomes.push(await step(whole, "without a budget"));
if (outcomes.length === 2) compare(outcomes[0]!, outcomes[1]!);
device.destroy();
