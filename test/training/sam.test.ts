/** A whole small SAM with an adapter: its gradients are the slopes of its loss. */
import { describe, expect, test } from "vitest";
import { convLora } from "../../adapters/conv-lora.ts";
import { type Adapter, adapt, input } from "../../compiler/index.ts";
import { hashedImage, hashedTensor } from "../../models/sam/hashed.ts";
import { bitFit } from "../../models/sam/presets/index.ts";
import { samTensors } from "../../models/sam/tensors.ts";
import { semanticSam } from "../../models/semantic-sam.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { type TensorData, type Weights, writeSafetensors } from "../../runtime/weights/index.ts";
import { compileTraining } from "../../training/compile.ts";
import { structureLoss } from "../../training/losses/index.ts";
import { sgd } from "../../training/optimisers/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { tinySam } from "../support/sam-small.ts";
import { openBytes } from "../support/weights-files.ts";

const config = { ...tinySam, numMultimaskOutputs: 0 };
const side = config.imageSize;
const qkv = "image_encoder.blocks.*.attn.qkv";
const decoder = ["mask_decoder.**"];

const floats = (values: ArrayLike<number>, shape: readonly number[]): TensorData => ({
  dtype: "f32",
  shape,
  data: new Uint8Array(Float32Array.from(values).buffer),
});

const base = await openBytes(
  writeSafetensors(
    new Map(
      samTensors(config).map(({ name, shape }) => [
        name,
        floats(hashedTensor("slopes", name, shape), shape),
      ]),
    ),
    {},
  ),
);

/** Losses and gradients at given parameters, which stay as they are: the rate is zero. */
async function slopes(adapter: Adapter, where: string) {
  const model = adapt(semanticSam(config, { classes: 1 }), adapter, { where, train: decoder });
  const plan = compileTraining(model, {
    target: "reference",
    loss: ({ logits }) => ({
      structure: structureLoss(logits!, input("target", "f32", [1, 1, side, side])),
    }),
    optimiser: sgd({}),
    noise: "given",
  });
  const session = await createTrainingSession(plan, referenceDevice({ precision: "double" }), {
    weights: base,
    rate: 0,
  });
  const noise = plan.backward.inputs.filter((t) => t.name.startsWith("noise."));
  const inputs = {
    image: hashedImage("slopes", side),
    target: randomNumbers(side * side, 1, [0, 1]).map((v) => Number(v > 0.6)),
    ...Object.fromEntries(
      noise.map((t, i) => [t.name, randomNumbers(t.bytes / 4, 50 + i, [-2, 2])]),
    ),
  };
  // The tensors in place of those of the adapter file that was saved before.
  const saved = await openBytes(await session.saveAdapter());
  const at = async (values: ReadonlyMap<string, Float32Array>): Promise<number> => {
    const tensors = plan.tensors.map(
      (t) => [t.name, floats(values.get(t.name)!, t.shape)] as const,
    );
    const file: Weights = await openBytes(
      writeSafetensors(new Map(tensors), { ...saved.metadata }),
    );
    await session.loadAdapter(file);
    return (await session.step(inputs)).loss;
  };
  return { plan, session, saved, at };
}

describe("the gradient of a whole small SAM", () => {
  test.each([
    ["Conv-LoRA", convLora({ rank: 2, experts: [1, 2, 3] }), qkv],
    ["BitFit", bitFit(), "**"],
  ])("with %s and its decoder is the slope of the loss", async (_, adapter, where) => {
    const { plan, session, saved, at } = await slopes(adapter, where);
    const start = new Map<string, Float32Array>();
    const [ahead, behind] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
    for (const [i, { name }] of plan.tensors.entries()) {
      const values = await saved.readF32(name);
      // What begins as zeros is moved first, so that every gradient is a real one.
      const off = randomNumbers(values.length, 1000 + i, [-0.1, 0.1]);
      const direction = randomNumbers(values.length, 2000 + i);
      start.set(
        name,
        values.map((v, j) => v + off[j]!),
      );
      ahead.set(
        name,
        start.get(name)!.map((v, j) => v + 1e-4 * direction[j]!),
      );
      behind.set(
        name,
        start.get(name)!.map((v, j) => v - 1e-4 * direction[j]!),
      );
    }
    const difference = (await at(ahead)) - (await at(behind));
    await at(start);
    let slope = 0;
    for (const { name } of plan.tensors) {
      const gradient = await session.gradient(name);
      gradient.forEach((g, j) => {
        slope += g * (ahead.get(name)![j]! - behind.get(name)![j]!);
      });
    }
    expect(Math.abs(slope)).toBeGreaterThan(1e-7);
    expect(Math.abs(difference / slope - 1)).toBeLessThan(1e-3);
  });
});
