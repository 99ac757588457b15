/** A model's states in training: steps move them, evaluation does not, files hold them. */
import { describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/adapter.ts";
import {
  adapt,
  defineModel,
  input,
  type Parameters,
  state,
  type Tensor,
} from "../../compiler/index.ts";
import { add, cast, div, gelu, gt, matmul, mean, mul, reshape, sum } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { createTrainer } from "../../training/index.ts";
import { randomNumbers } from "../../verify/ops/evaluate.ts";
import { deviceTest } from "../support/device.ts";
import { batches, centred, rows, runningMean, trainingOn } from "../support/running-mean.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const whole = defineAdapter({ name: "whole", train: ["**"] });
const model = adapt(
  defineModel({ name: "centred", dims: { rows }, programs: { forward: (p) => centred(p) } }),
  whole,
);

const weights = await openBytes(
  writeSafetensors(
    new Map([
      ["w", floats([0.5, -0.25, 1], [3, 1])],
      ["old", floats([1, 2, 3], [3])],
    ]),
  ),
);

function expectNear(actual: ArrayLike<number>, expected: readonly number[]) {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
}

async function movesInSteps(device: Device) {
  const trainer = await createTrainer(model, trainingOn(device, weights));
  for (const x of batches.slice(0, 5)) await trainer.step({ x });
  const expected = runningMean([0, 0, 0], batches.slice(0, 5));
  expectNear(await trainer.state("mean"), expected);
  expect([...(await trainer.state("batches"))]).toEqual([5]);
  const [x, w] = [batches[7]!, await trainer.parameter("w")];
  for (let i = 0; i < 2; i++) {
    const { y, ...others } = await trainer.run("forward", { x });
    expect(others).toEqual({});
    const centre = (row: number, j: number) => (x[row * 3 + j]! - expected[j]!) * w[j]!;
    expectNear(
      y!,
      [0, 1, 2, 3].map((row) => [0, 1, 2].reduce((s, j) => s + centre(row, j), 0)),
    );
  }
  expectNear(await trainer.state("mean"), expected);
  expect([...(await trainer.state("batches"))]).toEqual([5]);
  await trainer.reset("batches");
  expectNear(await trainer.state("mean"), expected);
  expect([...(await trainer.state("batches"))]).toEqual([0]);
  await trainer.step({ x: batches[5]! });
  expectNear(await trainer.state("mean"), runningMean(expected, [batches[5]!]));
  await trainer.reset();
  expect([...(await trainer.state("mean"))]).toEqual([0, 0, 0]);
  trainer.close();
}

describe("a running mean", () => {
  test("moves in steps as plain arithmetic says, and not in evaluation", () =>
    movesInSteps(referenceDevice()));
  deviceTest("moves on the device", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    await movesInSteps(device);
    device.destroy();
  });

  test("moves once in each micro-step, in order, and costs what the forecast of memory says", async () => {
    const trainer = await createTrainer(
      model,
      trainingOn(referenceDevice(), weights, { micro: 2 }),
    );
    for (let i = 0; i < 6; i += 2) await trainer.step({ x: batches[i]! }, { x: batches[i + 1]! });
    expectNear(await trainer.state("mean"), runningMean([0, 0, 0], batches.slice(0, 6)));
    expect([...(await trainer.state("batches"))]).toEqual([6]);
    // Three numbers and one, and what they were before the step.
    expect(trainer.memory().states).toBe(2 * 4 * (3 + 1));
    trainer.close();
  });

  test("is as before a step that does not count, whichever of its micro-steps is to blame", async () => {
    for (const blame of [0, 1]) {
      const trainer = await createTrainer(
        model,
        trainingOn(referenceDevice(), weights, { micro: 2 }),
      );
      await trainer.step({ x: batches[0]! }, { x: batches[1]! });
      const before = [...(await trainer.state("mean"))];
      const bad = batches[2]!.map((v, i) => (i === 4 ? 3e38 : v));
      const inputs = [{ x: batches[3]! }, { x: batches[4]! }];
      inputs[blame] = { x: bad };
      const { vetoed } = await trainer.step(...inputs);
      expect(vetoed).toBeDefined();
      expect([...(await trainer.state("mean"))]).toEqual(before);
      expect([...(await trainer.state("batches"))]).toEqual([2]);
      await trainer.step({ x: batches[5]! }, { x: batches[6]! });
      expectNear(await trainer.state("mean"), runningMean(before, [batches[5]!, batches[6]!]));
      trainer.close();
    }
  });

  test("is in a checkpoint, with whole numbers bit for bit, and training goes on from there", async () => {
    const marked = adapt(
      defineModel({
        name: "marked",
        dims: { rows },
        build: (p) => ({
          ...centred(p, { init: { kind: "copy", from: "old" } }),
          // As a float this is NaN.
          mark: add(state("mark", "i32", [2]), -1),
          bits: add(
            state("bits", "u32", [1], { init: { kind: "constant", value: 4294967288 } }),
            1,
          ),
          flag: gt(add(cast(state("flag", "bool", [1]), "f32"), 1), 0),
        }),
      }),
      whole,
    );
    const names = ["mean", "batches", "mark", "bits", "flag"];
    const contents = async (of: Awaited<ReturnType<typeof createTrainer>>) =>
      Object.fromEntries(
        await Promise.all(names.map(async (n) => [n, [...(await of.state(n))]] as const)),
      );
    const options = trainingOn(referenceDevice(), weights);
    const first = await createTrainer(marked, options);
    expect([...(await first.state("mean"))]).toEqual([1, 2, 3]);
    for (const x of batches.slice(0, 2)) await first.step({ x });
    const file = await openBytes(await first.save());
    const saved = await contents(first);
    expectNear(saved.mean!, runningMean([1, 2, 3], batches.slice(0, 2)));
    expect(saved).toMatchObject({ mark: [-2, -2], bits: [4294967290], flag: [1] });
    for (const x of batches.slice(2, 5)) await first.step({ x });

    const second = await createTrainer(marked, { ...options, resume: file });
    expect(await contents(second)).toEqual(saved);
    for (const x of batches.slice(2, 5)) await second.step({ x });
    expect(await second.save()).toEqual(await first.save());
    expect(await contents(second)).toEqual(await contents(first));

    const { code, message } = await refusal(() =>
      createTrainer(model, { ...options, resume: file }),
    );
    expect([code, message]).toEqual(["E432", expect.stringContaining("it has the state bits")]);
    const without = await createTrainer(model, options);
    const lacking = await openBytes(await without.save());
    const refused = await refusal(() => createTrainer(marked, { ...options, resume: lacking }));
    expect([refused.code, refused.message]).toEqual([
      "E432",
      expect.stringContaining("it lacks the state mark"),
    ]);
  });
});

test("a budget of memory changes nothing of what states become", async () => {
  const [many, width, wide] = [96, 4, 32];
  const deep = adapt(
    defineModel({
      name: "deep",
      build: (p) => {
        let x = input("x", "f32", [many, width]) as Tensor<"f32">;
        const seen = state("seen", "f32", [width]) as Tensor<"f32">;
        state("last", "f32", [width]);
        // What is wide between is made again from what is narrow.
        for (let i = 0; i < 6; i += 2) {
          const between = gelu(matmul(x, p.f32(`w${i}`, [width, wide])));
          x = add(x, matmul(between, p.f32(`w${i + 1}`, [wide, width])));
        }
        const own = mean(x, 0) as Tensor<"f32">;
        return { y: x, seen: add(seen, own), last: own };
      },
    }),
    whole,
  );
  const given = await openBytes(
    writeSafetensors(
      new Map(
        Array.from({ length: 6 }, (_, i) => {
          const values = randomNumbers(width * wide, i + 30);
          return [`w${i}`, floats(values, i % 2 ? [wide, width] : [width, wide])] as const;
        }),
      ),
    ),
  );
  const options = trainingOn(referenceDevice(), given);
  const roomy = await createTrainer(deep, options);
  const budget = Math.floor(roomy.memory().total * 0.99);
  const tight = await createTrainer(deep, { ...options, budget });
  expect(tight.plan.recomputed).toBeGreaterThan(0);
  for (let i = 0; i < 2; i++) {
    const x = randomNumbers(many * width, i + 50);
    await roomy.step({ x });
    await tight.step({ x });
  }
  for (const name of ["seen", "last"])
    expectNear(await tight.state(name), [...(await roomy.state(name))]);
  expect((await tight.state("seen")).some((v) => v !== 0)).toBe(true);
});

test("states called as those of training are others", async () => {
  const names = ["loss", "present", "scale", "steps", "parameters", "gradients", "norm"];
  const own = adapt(
    defineModel({
      name: "own",
      build: (p) => {
        const x = input("x", "f32", [2]);
        const next = names.map((n) => [n, add(state(n, "f32", [2]), x)] as const);
        return { y: sum(mul(x, p.f32("w", [2]))), ...Object.fromEntries(next) };
      },
    }),
    whole,
  );
  const given = await openBytes(writeSafetensors(new Map([["w", floats([1, 2], [2])]])));
  const trainer = await createTrainer(own, {
    ...trainingOn(referenceDevice(), weights),
    weights: given,
    loss: ({ y }) => ({ y: y! }),
    scaling: { initial: 8, growth: 2, backoff: 0.5, interval: 10 },
  });
  const { loss } = await trainer.step({ x: [3, 4] });
  expect(loss).toBe(11);
  await trainer.step({ x: [3, 4] });
  for (const name of names) expect([...(await trainer.state(name))]).toEqual([6, 8]);
  expect((await refusal(() => trainer.state("moment"))).code).toBe("E253");
  expect((await refusal(() => trainer.reset("model.loss"))).code).toBe("E253");
  trainer.close();
});

test("states that programs between the steps alone have are theirs, and they move them", async () => {
  const both = adapt(
    defineModel({
      name: "both",
      dims: { rows },
      programs: {
        forward: (p) => centred(p),
        count: () => ({ runs: add(state("runs", "f32", [1]), 1), seen: state("mean", "f32", [3]) }),
      },
    }),
    whole,
  );
  const trainer = await createTrainer(both, {
    ...trainingOn(referenceDevice(), weights),
    program: "forward",
    programs: { forward: {}, count: {} },
  });
  await trainer.step({ x: batches[0]! });
  for (let i = 0; i < 3; i++) await trainer.run("count", {});
  expect([...(await trainer.state("runs"))]).toEqual([3]);
  const { seen } = await trainer.run("count", {});
  expectNear(seen!, runningMean([0, 0, 0], [batches[0]!]));
  trainer.close();
});

describe("what cannot be trained with states is refused", () => {
  type Second = (p: Parameters) => Record<string, Tensor>;
  const withSecond = (second: Second) =>
    adapt(
      defineModel({
        name: "two",
        dims: { rows },
        programs: { forward: (p) => centred(p), second },
      }),
      whole,
    );
  const refusedOn = (second: Second) =>
    refusal(() =>
      createTrainer(withSecond(second), {
        ...trainingOn(referenceDevice(), weights),
        program: "forward",
        programs: { second: {} },
      }),
    );

  test("E250: a program with another shape of a state", async () => {
    const { code, message } = await refusedOn(() => ({
      y: reshape(state("mean", "f32", [4]), [4]),
    }));
    expect(code).toBe("E250");
    expect(message).toContain(
      'the state "mean" is f32[3] in the program forward, but f32[4] in second',
    );
  });

  test("E254: a program that does nothing but move what steps move", async () => {
    const { code } = await refusedOn(() => ({ mean: div(state("mean", "f32", [3]), 2) }));
    expect(code).toBe("E254");
  });
});
