/** Training steps: forward, backward, clipping and AdamW, of the encoders with an adapter on every qkv. */
import { hashedImage } from "../../../models/index.ts";
import { createTrainingSession } from "../../../runtime/index.ts";
import { trainingBytes } from "../../../runtime/training/memory.ts";
import { plansOf } from "../../../runtime/training/plan.ts";
import { numbers, product } from "../../problems/numbers.ts";
import { embeddingShape, planDistance } from "../../problems/step.ts";
import { type Adapted, withConvLora, withLora, withTaLora } from "../adapted.ts";
import { firstOf, type Part, type Setting } from "../part.ts";
import { quickWeights } from "../programs.ts";
import { type Model, sizes } from "../sizes.ts";
import { timeRuns } from "../timing.ts";
import {
  cuda,
  cudaBfloat,
  f32,
  fragments,
  openVariant,
  stored,
  type Variant,
} from "../variants.ts";

export const steps: Part = {
  name: "training steps",
  about: "whole training steps of the encoders with adapters",
  seconds: { full: [120, 45], small: [1800, 600] },
  items: async (setting) => {
    const items = sizes[setting.scale].trained.flatMap((model, i) =>
      measured
        .filter((_, j) => i === 0 || j < 2)
        .map(([variant, adapted]) => ({
          name: `${nameOf(model, adapted)}, ${variant.name}`,
          run: () => timeStep(model, adapted, variant, setting),
        })),
    );
    return firstOf(items, 3, setting);
  },
};

/** What tells most comes first; of models behind the first the first two alone. */
const measured: readonly (readonly [Variant, Adapted])[] = [
  [f32, withLora],
  [fragments, withLora],
  [f32, withConvLora],
  [fragments, withConvLora],
  [cuda, withLora],
  [cuda, withConvLora],
  [cudaBfloat, withLora],
  [cudaBfloat, withConvLora],
  [f32, withTaLora],
  [stored, withLora],
];

const nameOf = ({ name, config }: Model, adapted: Adapted) =>
  `${name} training step at ${config.imageSize} pixels, ${adapted.name}`;

async function timeStep(
  model: Model,
  adapted: Adapted,
  variant: Variant,
  { tell }: Setting,
): Promise<void> {
  const what = nameOf(model, adapted);
  const opened = await openVariant(variant);
  if (typeof opened === "string")
    return tell({ type: "left out", what: `${what}, ${variant.name}`, reason: opened });
  const { device, profile, precision } = opened;
  const { config } = model;
  const begun = performance.now();
  const plan = planDistance(config, adapted.adapter!, {
    target: device.target,
    profile,
    precision,
  });
  const session = await createTrainingSession(plan, device, {
    weights: quickWeights([...plan.frozen, ...plan.tensors]),
    ...{ rate: 1e-4, seed: 1 },
  });
  try {
    const inputs = {
      image: hashedImage("bench", config.imageSize),
      target: numbers(30, product(embeddingShape(config))),
    };
    const first = await session.step(inputs);
    const ready = ((performance.now() - begun) / 1000).toFixed(1);
    let last: Promise<{ readonly loss: number }> = Promise.resolve(first);
    const timing = await timeRuns({
      capabilities: device.capabilities,
      submit: () => {
        last = session.step(inputs);
      },
      wait: () => last,
    });
    const { loss, vetoed } = await session.step(inputs);
    tell({
      ...{ type: "check", what: `${what}, ${variant.name}` },
      // Halves may overflow in the first steps, until the scale of the loss has come down.
      passed: vetoed === undefined && Number.isFinite(loss) && loss < first.loss,
      found: `the loss went from ${first.loss.toPrecision(6)} to ${loss.toPrecision(6)}${vetoed === undefined ? "" : `, not finite: ${vetoed}`}`,
    });
    const { total } = trainingBytes(plansOf(plan));
    const dispatches = plan.backward.steps.length + plan.update.steps.length;
    const note = `${dispatches} dispatches, ${(total / 2 ** 20).toFixed(0)} MiB, ready in ${ready} s`;
    tell({ type: "time", what, system: "inarch", how: variant.name, ...timing, note });
  } finally {
    session.close();
  }
}
