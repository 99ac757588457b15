/** `createTrainer`: a model, a loss and an optimiser, in one call. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/adapter.ts";
import { adapt, defineModel, input } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { reshape } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import {
  bce,
  createTrainer,
  crossEntropy,
  sgd,
  type TrainerOptions,
} from "../../training/index.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const whole = defineAdapter({ name: "whole", train: ["**"] });

const classifier = adapt(
  defineModel({
    name: "classifier",
    build: (p) => ({ y: linear(p, input("x", "f32", [2, 4]), 4, 3) }),
  }),
  whole,
);

const weights = await openBytes(
  writeSafetensors(
    new Map([
      ["weight", { dtype: "f32", shape: [3, 4], data: new Uint8Array(48) }],
      ["bias", { dtype: "f32", shape: [3], data: new Uint8Array(12) }],
    ]),
    {},
  ),
);

const options: TrainerOptions = {
  device: referenceDevice(),
  weights,
  rate: 0.5,
  schedule: { kind: "linear", steps: 10 },
  optimiser: sgd({}),
  loss: ({ y }) => ({ classes: crossEntropy(y!, input("labels", "i32", [2])) }),
  targets: { labels: { kind: "labels", classes: 3 } },
};

const x = [1, 0, 2, -1, 0, 1, 1, 1];

describe("a trainer", () => {
  test("takes steps at the schedule's rates", async () => {
    const trainer = await createTrainer(classifier, options);
    const reports = [];
    for (let i = 0; i < 4; i++) reports.push(await trainer.step({ x, labels: [2, 0] }));
    expect(reports.map((r) => r.rate)).toEqual([0.5, 0.45, 0.4, 0.35]);
    expect(reports[0]!.loss).toBeCloseTo(Math.log(3), 6);
    expect(reports[3]!.loss).toBeLessThan(0.5);
    expect(trainer.steps).toBe(4);
    trainer.close();
  });

  test("E340 for a label outside the classes, before anything runs", async () => {
    const trainer = await createTrainer(classifier, options);
    const { code, details } = await refusal(() => trainer.step({ x, labels: [2, 3] }));
    expect([code, details.message]).toEqual([
      "E340",
      "labels[1] is 3, but classes are 0 to 2, and -1 is ignored",
    ]);
    expect(trainer.steps).toBe(0);
  });

  test("E341 for a mask beyond 1", async () => {
    const trainer = await createTrainer(classifier, {
      ...options,
      loss: ({ y }) => ({
        mask: bce(reshape(y!, [1, 1, 2, 3]), input("mask", "f32", [1, 1, 2, 3])),
      }),
      targets: { mask: { kind: "mask" } },
    });
    const mask = [0, 1, 255, 0, 1, 1];
    expect((await refusal(() => trainer.step({ x, mask }))).code).toBe("E341");
  });
});
