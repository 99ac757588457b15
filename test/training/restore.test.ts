/** A training whose device is lost goes on on another, from its last step, as if nothing had happened. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, defineModel, input } from "../../compiler/index.ts";
import { linear } from "../../models/index.ts";
import { mean, mul, sub } from "../../ops/index.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { adamW, createTrainer } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const layer = defineModel({
  name: "layer",
  build: (p) => ({ y: linear(p.at("a"), input("x", "f32", [3, 4]), 4, 2) }),
});
const model = adapt(layer, lora({ rank: 2 }));
const weights = await openBytes(
  writeSafetensors(
    new Map([
      ["a.weight", floats(randomNumbers(8, 1), [2, 4])],
      ["a.bias", floats(randomNumbers(2, 2), [2])],
    ]),
    {},
  ),
);

const create = (device: Device, more: object = {}) =>
  createTrainer(model, {
    loss: ({ y }) => {
      const error = sub(y!, input("target", "f32", y!.shape));
      return { squares: mean(mul(error, error)) };
    },
    optimiser: adamW(),
    ...{ weights, device, rate: 0.01, seed: 3, ...more },
  });

const given = (step: number) => ({ x: randomNumbers(12, step), target: randomNumbers(6, -step) });

/** What five steps give on one device. */
async function undisturbed(open: () => Device) {
  const trainer = await create(open());
  const losses = [];
  for (let step = 0; step < 5; step++) losses.push((await trainer.step(given(step))).loss);
  const file = await trainer.save();
  await trainer.close();
  return { losses, file };
}

describe.each([
  ["the processor", () => cpuDevice({ threads: 1 })],
  ["the reference device", () => referenceDevice()],
] as const)("on %s, a training whose device is lost", (_, open) => {
  test("goes on from its last step: the losses and the checkpoint are those of one that was not", async () => {
    const wanted = await undisturbed(open);
    let device = open();
    const trainer = await create(device, { recoverable: true });
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      // Before the first step, and before every other.
      if (step % 2 === 0) {
        device.destroy();
        expect((await refusal(() => trainer.step(given(step)))).code).toBe("E422");
        device = open();
        await trainer.restore(device);
        expect(trainer.steps).toBe(step);
      }
      losses.push((await trainer.step(given(step))).loss);
    }
    expect(losses).toEqual(wanted.losses);
    expect(await trainer.save()).toEqual(wanted.file);
    await trainer.close();
  });

  test("goes on from the checkpoint that it began with, before any step", async () => {
    const first = await create(open());
    await first.step(given(0));
    const resume = await openBytes(await first.save());
    const next = await first.step(given(1));
    const device = open();
    const trainer = await create(device, { recoverable: true, resume });
    device.destroy();
    await trainer.restore(open());
    expect(trainer.steps).toBe(1);
    expect(await trainer.step(given(1))).toEqual(next);
  });

  test("may be restored again where that failed, and moved while its device is well", async () => {
    const wanted = await undisturbed(open);
    const trainer = await create(open(), { recoverable: true });
    await trainer.step(given(0));
    const gone = open();
    gone.destroy();
    expect((await refusal(() => trainer.restore(gone))).code).toBe("E422");
    const losses = [(await trainer.step(given(1))).loss];
    await trainer.restore(open());
    losses.push((await trainer.step(given(2))).loss);
    expect(losses).toEqual(wanted.losses.slice(1, 3));
  });

  test("keeps what an adapter's file put in place", async () => {
    const other = await create(open(), { seed: 4 });
    const file = await openBytes(await other.saveAdapter());
    const device = open();
    const trainer = await create(device, { recoverable: true });
    await trainer.loadAdapter(file);
    device.destroy();
    await trainer.restore(open());
    expect(await trainer.saveAdapter()).toEqual(await other.saveAdapter());
  });

  test("E438: without copies of its steps it cannot; E427: nor when it is closed", async () => {
    const trainer = await create(open());
    expect((await refusal(() => trainer.restore(open()))).code).toBe("E438");
    await trainer.close();
    expect((await refusal(() => trainer.restore(open()))).code).toBe("E427");
  });
});
