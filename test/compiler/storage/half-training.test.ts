/** Training in mixed precision follows training in single precision, and survives overflows. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lora } from "../../../adapters/index.ts";
import { adapt, defineModel, input, type Tensor } from "../../../compiler/index.ts";
import { linear, norm } from "../../../models/layers.ts";
import { hashedTensor } from "../../../models/sam/hashed.ts";
import { add, gelu, mean, mul, sub } from "../../../ops/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { floatToHalf, halfToFloat, writeSafetensors } from "../../../runtime/weights/index.ts";
import { compileTraining } from "../../../training/compile.ts";
import { createTrainer, type TrainerOptions } from "../../../training/index.ts";
import { adamW } from "../../../training/optimisers/index.ts";
import { usualScaling } from "../../../training/update.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";
import { describeOnDevice } from "../../support/device.ts";
import { openBytes, refusal } from "../../support/weights-files.ts";

const [tokens, width, hidden] = [192, 32, 128];

const perceptron = defineModel({
  name: "perceptron",
  build(p) {
    const x = input("x", "f32", [tokens, width]);
    const wide = gelu(linear(p.at("lin1"), norm(p.at("norm"), x, 1e-6), width, hidden));
    return { y: add(x, linear(p.at("lin2"), wide, hidden, width)) as Tensor<"f32"> };
  },
});

const adapted = adapt(perceptron, lora({ rank: 4, alpha: 4 }), {
  where: "lin1",
  train: ["lin2.weight"],
});

const loss: TrainerOptions["loss"] = ({ y }) => {
  const difference = sub(y!, input("target", "f32", [tokens, width]));
  return { square: mean(mul(difference, difference)) };
};

const shapes: Readonly<Record<string, readonly number[]>> = {
  ...{ "norm.weight": [width], "norm.bias": [width] },
  ...{ "lin1.weight": [hidden, width], "lin1.bias": [hidden] },
  ...{ "lin2.weight": [width, hidden], "lin2.bias": [width] },
};

const weights = (change: (name: string, values: Float32Array) => void = () => {}) =>
  openBytes(
    writeSafetensors(
      new Map(
        Object.entries(shapes).map(([name, shape]) => {
          const data = hashedTensor("half", name, shape);
          change(name, data);
          return [name, { dtype: "f32", shape, data: new Uint8Array(data.buffer) }] as const;
        }),
      ),
      {},
    ),
  );

const options = (device: Device) => ({
  ...{ device, loss, rate: 0.01, seed: 3 },
  optimiser: adamW({ decay: 0.01 }),
});

const x = randomNumbers(tokens * width, 1, [-2, 2]);
const target = randomNumbers(tokens * width, 2, [-1, 1]);

async function run(device: Device, steps: number, more: Partial<TrainerOptions>) {
  const trainer = await createTrainer(adapted, {
    ...options(device),
    weights: await weights(),
    ...more,
  });
  const reports = [];
  for (let i = 0; i < steps; i++) reports.push(await trainer.step({ x, target }));
  return { trainer, reports };
}

describeOnDevice("in mixed precision", () => {
  let device: Device;
  beforeAll(async () => {
    ({ device } = await openDevice({ kind: "webgpu" }));
  });
  afterAll(() => device?.destroy());

  test("the loss goes the way it goes in single precision, in half the memory", async () => {
    // Scaled by a power of two as well, which singles do not notice: the update is the same then.
    const single = await run(device, 25, { scaling: usualScaling });
    const mixed = await run(device, 25, { precision: "mixed" });
    const [first, last] = [single.reports[0]!.loss, single.reports.at(-1)!.loss];
    expect(last).toBeLessThan(0.8 * first);
    mixed.reports.forEach((report, i) => {
      expect(report.vetoed).toBe(undefined);
      expect(Math.abs(report.loss / single.reports[i]!.loss - 1)).toBeLessThan(1e-3);
    });
    expect(mixed.reports.at(-1)!.loss).not.toBe(last);
    const [more, less] = [single.trainer.memory(), mixed.trainer.memory()];
    expect(more.frozen! - less.frozen!).toBe(2 * hidden * width);
    expect(less.activations! / more.activations!).toBeLessThan(0.52);
    expect([less.trained, less.gradients, less.optimiser]).toEqual([
      ...[more.trained, more.gradients, more.optimiser],
    ]);
    for (const { trainer } of [single, mixed]) trainer.close();
  });

  test("a loss scale that overflows backs off until steps are taken", async () => {
    const scaling = { initial: 2 ** 40, growth: 2, backoff: 2 ** -4, interval: 2000 };
    const { reports, trainer } = await run(device, 12, { precision: "mixed", scaling });
    const vetoed = reports.filter((r) => r.vetoed !== undefined).length;
    expect(vetoed).toBeGreaterThan(1);
    expect(vetoed).toBeLessThan(10);
    reports.forEach(({ loss: now }, i) => {
      const before = reports[i - 1]?.loss ?? now;
      if (i <= vetoed) expect(now).toBe(before);
      else expect(now).toBeLessThan(before);
    });
    trainer.close();
  });

  test("updates that halves could not hold are kept", async () => {
    const { trainer } = await run(device, 0, { precision: "mixed", rate: 1e-6 });
    const before = Float32Array.from(await trainer.parameter("lin2.weight"));
    for (let i = 0; i < 3; i++) await trainer.step({ x, target });
    const after = Float32Array.from(await trainer.parameter("lin2.weight"));
    // What is not tiny would stay as it is if every step were rounded to halves.
    const half = (values: Float32Array) => halfToFloat(floatToHalf(values));
    const large = [...before.keys()].filter((i) => Math.abs(before[i]!) > 2 ** -8);
    expect(large.length).toBeGreaterThan(0.9 * before.length);
    const rounded = half(before);
    const stepped = half(rounded.map((v, i) => v + (after[i]! - before[i]!) / 3));
    expect(large.every((i) => stepped[i] === rounded[i])).toBe(true);
    expect(after.every((v, i) => Math.abs(v - before[i]!) > 2e-6)).toBe(true);
    trainer.close();
  });
});

describe("refused", () => {
  const begin = async (precision: "f32" | "mixed", value: number) =>
    createTrainer(adapted, {
      ...options(referenceDevice()),
      precision,
      weights: await weights((name, values) => {
        if (name === "lin1.weight") values[77] = value;
      }),
    });

  test("E151: a frozen weight that no half can hold", async () => {
    const { code, details } = await refusal(() => begin("mixed", -70000));
    expect([code, details.message]).toEqual([
      "E151",
      "element 77 of lin1.weight is -70000, the largest f16 is 65504",
    ]);
    (await begin("f32", -70000)).close();
    (await begin("mixed", 65504)).close();
  });

  test("E205: a frozen weight that is not finite, as in single precision", async () => {
    expect((await refusal(() => begin("mixed", Number.NaN))).code).toBe("E205");
  });

  test("E150: a device without halves", async () => {
    const { code } = await refusal(() =>
      compileTraining(adapted, {
        ...{ loss, precision: "mixed" },
        optimiser: adamW({}),
      }),
    );
    expect(code).toBe("E150");
  });
});
