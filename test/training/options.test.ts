/** Options that there are not, and targets that losses cannot take. */
import { describe, expect, test } from "vitest";
import { lora } from "../../adapters/index.ts";
import { adapt, defineModel, input, type Tensor } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { cast, div, eq, mul, permute, reshape, sigmoid } from "../../ops/index.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { createTrainingSession } from "../../runtime/training/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import {
  adam,
  adamW,
  balancedBce,
  bce,
  compileTraining,
  createTrainer,
  crossEntropy,
  dice,
  focal,
  iou,
  rateAt,
  setLoss,
  sgd,
  structureLoss,
  type TrainerOptions,
} from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const model = adapt(
  defineModel({
    name: "layer",
    build: (p) => ({ y: linear(p.at("a"), input("x", "f32", [6, 4]), 4, 4) }),
  }),
  lora({ rank: 1 }),
);
const weights = await openBytes(
  writeSafetensors(
    new Map([
      ["a.weight", floats(randomNumbers(16, 1), [4, 4])],
      ["a.bias", floats(randomNumbers(4, 2), [4])],
    ]),
  ),
);

type Outputs = Readonly<Record<string, Tensor<"f32">>>;
/** The output as maps [1, 1, 6, 4], and as classes [6, 4]. */
const maps = ({ y }: Outputs) => reshape(y!, [1, 1, 6, 4]) as Tensor;
const mask = () => input("mask", "f32", [1, 1, 6, 4]) as Tensor;

const options: TrainerOptions = {
  device: referenceDevice(),
  weights,
  rate: 0.1,
  optimiser: sgd(),
  loss: (o) => ({ bce: bce(maps(o), mask()) }),
};
const begin = (more: object = {}) => createTrainer(model, { ...options, ...more });

describe("an unknown option is E460 with the nearest name", () => {
  const rate = 0.1;
  const cases: readonly (readonly [given: string, near: string, work: () => unknown])[] = [
    ["clipp", "clip", () => begin({ clipp: 1 })],
    ["scedule", "schedule", () => begin({ scedule: { kind: "constant" } })],
    ["target", "targets", () => begin({ target: "reference" })],
    ["micros", "micro", () => begin({ micros: 2 })],
    ["rates", "rate", () => begin({ groups: [{ match: ["**"], rates: 2 }] })],
    ["growht", "growth", () => begin({ scaling: { initial: 1, growht: 2 } })],
    ["step", "steps", () => begin({ schedule: { kind: "linear", steps: 3, step: 3 } })],
    ["warmUp", "warmup", () => rateAt({ kind: "constant", warmUp: 3 } as never, 0)],
    ["beta", "betas", () => adamW({ beta: [0, 0] } as never)],
    ["epsilom", "epsilon", () => adam({ epsilom: 1 } as never)],
    ["momentun", "momentum", () => sgd({ momentun: 1 } as never)],
    [
      "gama",
      "gamma",
      () => begin({ loss: (o: Outputs) => ({ f: focal(maps(o), mask(), { gama: 1 } as never) }) }),
    ],
    [
      "ignored",
      "ignore",
      () =>
        begin({
          loss: ({ y }: Outputs) => ({
            c: crossEntropy(y!, input("t", "i32", [6]), { ignored: 0 } as never),
          }),
        }),
    ],
    ["masks", "mask", () => begin({ targets: { masks: { kind: "mask" } } })],
  ];
  test.each(cases)("%s: %s", async (given, near, work) => {
    const { code, details } = await refusal(work);
    expect(code).toBe("E460");
    expect(details.message).toContain(`"${given}"`);
    expect(details.help).toContain(`write ${near};`);
  });

  test("in a session, too", async () => {
    const plan = compileTraining(model, {
      loss: options.loss,
      optimiser: sgd(),
      target: "reference",
    });
    const more = { weights, rate, schedule: {} } as never;
    const { code } = await refusal(() => createTrainingSession(plan, referenceDevice(), more));
    expect(code).toBe("E460");
  });
});

describe("a value that an option cannot have is E465, or E720 for numbers", () => {
  const cases: readonly (readonly [given: object, code: string])[] = [
    [{ optimiser: "adamw" }, "E465"],
    [{ optimiser: { kind: "adamw" } }, "E465"],
    [{ loss: "bce" }, "E465"],
    [{ precision: "half" }, "E465"],
    [{ noise: "none" }, "E465"],
    [{ groups: { match: ["**"] } }, "E465"],
    [{ programs: "forward" }, "E465"],
    [{ scaling: 1024 }, "E465"],
    [{ profile: { maxThreads: 4 } }, "E465"],
    [{ program: 3 }, "E465"],
    [{ micro: 1.5 }, "E720"],
    [{ micro: "2" }, "E720"],
    [{ clip: -1 }, "E720"],
    [{ seed: "a" }, "E720"],
    [{ scaling: { initial: -1 } }, "E720"],
    [{ budget: "1" }, "E465"],
  ];
  test.each(cases)("%j: %s", async (given, code) => {
    expect((await refusal(() => begin(given))).code).toBe(code);
  });
});

const x = randomNumbers(24, 3);
const grey = Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? 255 : 0));
const unit = grey.map((value) => value / 255);

describe("a binary loss checks its target at every step", () => {
  const losses = { bce, balancedBce, dice, focal, iou, structureLoss };
  test.each(Object.entries(losses))("%s", async (_, loss) => {
    const trainer = await begin({ loss: (o: Outputs) => ({ loss: loss(maps(o), mask()) }) });
    const { code, details } = await refusal(() => trainer.step({ x, mask: grey }));
    expect([code, details.message]).toEqual([
      "E341",
      "mask[0, 0, 0, 0] is 255, but a mask goes from 0 to 1",
    ]);
    expect(details.help).toBe("divide grey levels by 255");
    for (const value of [-1, Number.NaN, 1.01])
      expect((await refusal(() => trainer.step({ x, mask: [...unit.slice(1), value] }))).code).toBe(
        "E341",
      );
    expect(trainer.steps).toBe(0);
    expect((await trainer.step({ x, mask: unit })).vetoed).toBeUndefined();
  });

  test("through views and casts of the input", async () => {
    const seen = () =>
      permute(reshape(cast(input("mask", "i32", [4, 6]), "f32"), [1, 1, 4, 6]), [0, 1, 3, 2]);
    const trainer = await begin({ loss: (o: Outputs) => ({ b: bce(maps(o), seen() as Tensor) }) });
    const { message } = await refusal(() => trainer.step({ x, mask: grey }));
    expect(message).toContain("mask[0, 0] is 255");
    await trainer.step({ x, mask: unit });
  });

  test("that is computed from numbers that may be anything, or vetoes the step", async () => {
    const twice = await begin({
      loss: (o: Outputs) => ({ b: bce(maps(o), mul(mask(), 2) as Tensor) }),
    });
    expect((await twice.step({ x, mask: grey })).vetoed).toBeDefined();
    expect((await twice.step({ x, mask: unit })).vetoed).toBeDefined();
    expect((await twice.step({ x, mask: unit.map((v) => v / 2) })).vetoed).toBeUndefined();
    const levels = await begin({
      loss: (o: Outputs) => ({ b: bce(maps(o), div(mask(), 255) as Tensor) }),
    });
    expect((await levels.step({ x, mask: grey })).vetoed).toBeUndefined();
    const flags = await begin({
      loss: (o: Outputs) => ({ b: bce(maps(o), cast(eq(mask(), 255) as Tensor, "f32") as Tensor) }),
    });
    expect((await flags.step({ x, mask: grey })).vetoed).toBeUndefined();
    const taught = await begin({
      loss: (o: Outputs) => ({ b: bce(maps(o), sigmoid(maps(o)) as Tensor) }),
    });
    expect((await taught.step({ x })).vetoed).toBeUndefined();
  });

  test("and each of the micro-steps before any of them runs", async () => {
    const trainer = await begin({ micro: 2 });
    const before = await trainer.save();
    const both = () => trainer.step({ x, mask: unit }, { x, mask: grey });
    expect((await refusal(both)).code).toBe("E341");
    expect(await trainer.save()).toEqual(before);
  });
});

describe("labels are checked at every step", () => {
  const labels = () => input("labels", "i32", [6]) as Tensor;
  test("of cross entropy", async () => {
    const trainer = await begin({ loss: ({ y }: Outputs) => ({ c: crossEntropy(y!, labels()) }) });
    const { code, details } = await refusal(() =>
      trainer.step({ x, labels: [0, 1, 255, 0, 0, 0] }),
    );
    expect([code, details.message]).toEqual([
      "E340",
      "labels[2] is 255, but classes are 0 to 3, and -1 is ignored",
    ]);
    await trainer.step({ x, labels: [0, 1, -1, 3, 2, 0] });
    const other = await begin({
      loss: ({ y }: Outputs) => ({ c: crossEntropy(y!, labels(), { ignore: 255 }) }),
    });
    expect((await refusal(() => other.step({ x, labels: [0, 1, -1, 3, 2, 0] }))).code).toBe("E340");
    await other.step({ x, labels: [0, 1, 255, 3, 2, 0] });
  });

  test("that are computed veto the step", async () => {
    const trainer = await begin({
      loss: ({ y }: Outputs) => ({ c: crossEntropy(y!, mul(labels(), 2) as Tensor) }),
    });
    expect((await trainer.step({ x, labels: [0, 1, 1, 0, 0, 2] })).vetoed).toBeDefined();
    expect((await trainer.step({ x, labels: [0, 1, 1, 0, 0, 1] })).vetoed).toBeUndefined();
  });

  test("of the set loss, and its masks", async () => {
    const trainer = await begin({
      loss: (o: Outputs) => ({
        set: setLoss(
          {
            classes: reshape(o.y!, [1, 6, 4]) as Tensor,
            masks: reshape(o.y!, [1, 6, 2, 2]) as Tensor,
          },
          {
            labels: input("l", "i32", [1, 2]) as Tensor,
            masks: input("m", "f32", [1, 2, 2, 2]) as Tensor,
          },
        ),
      }),
    });
    const m = [0, 1, 1, 0, 0, 0, 1, 0];
    expect((await refusal(() => trainer.step({ x, l: [0, 3], m }))).code).toBe("E340");
    expect(
      (await refusal(() => trainer.step({ x, l: [0, 2], m: m.map((v) => 255 * v) }))).code,
    ).toBe("E341");
    await trainer.step({ x, l: [-1, 2], m });
  });
});
