/** Training sessions: plans that share memory, steps that repeat, files that go on. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/adapter.ts";
import { adapt, defineModel, input, kaiming, type Tensor, zeros } from "../../compiler/index.ts";
import { linear } from "../../models/layers.ts";
import { add, matmul, mean, mul, relu, sub } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createTrainingSession, type TrainingSession } from "../../runtime/training/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { compileTraining } from "../../training/compile.ts";
import { adamW, sgd } from "../../training/optimisers/index.ts";
import type { TrainingOptions } from "../../training/options.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { deviceTest } from "../support/device.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const model = defineModel({
  name: "two-layers",
  dims: { batch: 4 },
  build(p) {
    const x = input("x", "f32", ["batch", 8]);
    const h = relu(linear(p.at("layers", 0), x, 8, 16));
    return { y: linear(p.at("layers", 1), h, 16, 3) };
  },
});

const low = defineAdapter({
  name: "low",
  linear({ own, inputs, outputs, random, training }, x, base) {
    const down = own.f32("down", [inputs!, 2], { init: kaiming(inputs!) });
    const up = own.f32("up", [2, outputs!], { init: zeros });
    // Noise, so that a resumed run shows whether it goes on with the same numbers.
    const z = matmul(x, down);
    const noisy = training ? mul(z, add(mul(random("normal", "z", z.shape), 0.1), 1)) : z;
    return add(base(x), matmul(noisy, up));
  },
});

const adapted = adapt(model, low, { train: ["layers.1.bias"] });

const meanSquare = (outputs: Readonly<Record<string, Tensor<"f32">>>) => {
  const difference = sub(outputs.y!, input("target", "f32", ["batch", 3]));
  return { square: mean(mul(difference, difference)) };
};

const compiled = (target: Device["target"], more: Partial<TrainingOptions> = {}) =>
  compileTraining(adapted, {
    target,
    loss: meanSquare,
    optimiser: adamW({ decay: 0.01 }),
    clip: 1,
    programs: { forward: { batch: 2 } },
    ...more,
  });

const shapes = {
  "layers.0.weight": [16, 8],
  "layers.0.bias": [16],
  "layers.1.weight": [3, 16],
  "layers.1.bias": [3],
} as const;

const weights = (seed = 1) =>
  openBytes(
    writeSafetensors(
      new Map(
        Object.entries(shapes).map(([name, shape], i) => {
          const count = shape.reduce((a, b) => a * b, 1);
          const data = Float32Array.from(randomNumbers(count, seed + i, [-0.5, 0.5]));
          return [name, { dtype: "f32", shape, data: new Uint8Array(data.buffer) }] as const;
        }),
      ),
      {},
    ),
  );

const batch = (step: number) => ({
  x: randomNumbers(32, 100 + step),
  target: randomNumbers(12, 200),
});

const begin = async (device: Device, more: object = {}, options: Partial<TrainingOptions> = {}) =>
  createTrainingSession(compiled(device.target, options), device, {
    weights: await weights(),
    rate: 0.02,
    seed: 7,
    ...more,
  });

async function steps(session: TrainingSession, from: number, to: number) {
  const reports = [];
  for (let i = from; i < to; i++) reports.push(session.step(batch(i)));
  return Promise.all(reports);
}

async function everything(session: TrainingSession) {
  const values: number[][] = [];
  for (const { name } of session.plan.tensors) values.push([...(await session.parameter(name))]);
  return values;
}

async function trainsAndResumes(device: Device) {
  const whole = await begin(device);
  const reports = await steps(whole, 0, 12);
  expect(reports.map((r) => r.step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(reports.every((r) => r.vetoed === undefined && r.norm > 0)).toBe(true);
  expect(reports.at(-1)!.loss).toBeLessThan(0.8 * reports[0]!.loss);
  expect(reports[0]!.terms.square).toBe(reports[0]!.loss);

  const first = await begin(device);
  await steps(first, 0, 5);
  const saved = await openBytes(await first.save());
  const second = await begin(device, { resume: saved });
  expect(second.steps).toBe(5);
  const rest = await steps(second, 5, 12);
  expect(rest).toEqual(reports.slice(5));
  expect(await everything(second)).toEqual(await everything(whole));
  expect(await second.save()).toEqual(await whole.save());

  const forward = await whole.run("forward", { x: batch(0).x.slice(0, 16) });
  const fresh = await begin(device, { seed: 8 });
  await fresh.loadAdapter(await openBytes(await whole.saveAdapter()));
  expect(await fresh.run("forward", { x: batch(0).x.slice(0, 16) })).toEqual(forward);
  for (const s of [whole, first, second, fresh]) s.close();
}

describe("a training session", () => {
  test("trains, and resumes bit for bit, on the reference device", () =>
    trainsAndResumes(referenceDevice()));

  deviceTest("trains, and resumes bit for bit, on the device", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    await trainsAndResumes(device);
    device.destroy();
  });

  test("keeps frozen tensors out of the gradients", () => {
    const plan = compiled("reference");
    expect(plan.tensors.map((t) => t.name).sort()).toEqual([
      "layers.0.down",
      "layers.0.up",
      "layers.1.bias",
      "layers.1.down",
      "layers.1.up",
    ]);
    expect(plan.frozen.map((t) => t.name)).toEqual([
      "layers.0.weight",
      "layers.0.bias",
      "layers.1.weight",
    ]);
  });

  test("vetoes a step that is not finite, and says where", async () => {
    const session = await begin(referenceDevice());
    await steps(session, 0, 2);
    const before = await everything(session);
    const bad = batch(2);
    bad.target[3] = Number.POSITIVE_INFINITY;
    const report = await session.step(bad);
    expect(report.vetoed).toBeDefined();
    expect(await everything(session)).toEqual(before);
    const after = await session.step(batch(3));
    expect(after.vetoed).toBe(undefined);
    expect(await everything(session)).not.toEqual(before);
  });

  test("averages the gradients of micro-steps", async () => {
    const one = await begin(referenceDevice(), {}, { noise: "given" });
    const two = await begin(referenceDevice(), {}, { noise: "given", micro: 2 });
    const [a, b] = [batch(0), batch(1)];
    const quiet = (n: number) => ({
      "noise.layers.0.z": Array<number>(n * 2).fill(0),
      "noise.layers.1.z": Array<number>(n * 2).fill(0),
    });
    await two.step({ ...a, ...quiet(4) }, { ...b, ...quiet(4) });
    const wide = compiled("reference", { noise: "given", dims: { batch: 8 } });
    const both = await createTrainingSession(wide, referenceDevice(), {
      weights: await weights(),
      rate: 0.02,
      seed: 7,
    });
    await both.step({
      x: [...a.x, ...b.x],
      target: [...a.target, ...b.target],
      ...quiet(8),
    });
    const [sum, mean] = [await everything(two), await everything(both)];
    sum.flat().forEach((v, i) => {
      expect(v).toBeCloseTo(mean.flat()[i]!, 5);
    });
    const { code } = await refusal(() => two.step({ ...a, ...quiet(4) }));
    expect(code).toBe("E420");
    one.close();
  });
});

describe("refused", () => {
  test("E133: nothing trains", async () => {
    const idle = () =>
      compileTraining(model, { loss: meanSquare, optimiser: adamW({}), target: "reference" });
    expect((await refusal(idle)).code).toBe("E133");
  });

  test("E120: a loss of several numbers", async () => {
    const wide = () => compiled("reference", { loss: ({ y }) => ({ y: y! }) });
    expect((await refusal(wide)).code).toBe("E120");
  });

  test("E430: weights without a tensor of the model", async () => {
    const empty = await openBytes(writeSafetensors(new Map(), {}));
    const { code } = await refusal(() => begin(referenceDevice(), { weights: empty }));
    expect(code).toBe("E430");
  });

  test("E431: an adapter of another base", async () => {
    const trained = await begin(referenceDevice());
    const other = await begin(referenceDevice(), { weights: await weights(50) });
    const file = await openBytes(await trained.saveAdapter());
    const { code, details } = await refusal(() => other.loadAdapter(file));
    expect([code, details.message]).toEqual([
      "E431",
      "the file was trained on another base: 3 of 3 frozen tensors differ, layers.0.weight first",
    ]);
  });

  test("E432: a checkpoint of another training", async () => {
    const session = await begin(referenceDevice());
    const saved = await session.save();
    const resume = async (more: object, options: Partial<TrainingOptions> = {}) =>
      (
        await refusal(async () =>
          begin(referenceDevice(), { resume: await openBytes(saved), ...more }, options),
        )
      ).details.message;
    expect(await resume({ seed: 8 })).toBe("the checkpoint was trained with seed 7, not 8");
    expect(await resume({}, { optimiser: adamW({ betas: [0.8, 0.99] }) })).toMatch(
      /^the checkpoint was trained otherwise: optimiser was .*0.9,0.999.* and is .*0.8,0.99/,
    );
    expect(await resume({ accept: ["optimiser"] }, { optimiser: sgd() })).toContain(
      "an optimiser that remembers something else",
    );
    const adapter = await openBytes(await session.saveAdapter());
    const { code } = await refusal(() => begin(referenceDevice(), { resume: adapter }));
    expect(code).toBe("E432");
  });

  test("E433 and E434: names that nothing has", async () => {
    const session = await begin(referenceDevice());
    expect((await refusal(() => session.parameter("layers.0.weight"))).code).toBe("E433");
    expect((await refusal(() => session.run("backward", {}))).code).toBe("E433");
    const file = await openBytes(await session.saveAdapter());
    const fewer = new Map([...file.tensors].filter(([name]) => name !== "layers.1.up"));
    const { code, details } = await refusal(() => session.loadAdapter({ ...file, tensors: fewer }));
    expect([code, details.message]).toEqual(["E434", "the adapter file has no tensor layers.1.up"]);
  });
});
