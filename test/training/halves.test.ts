/** A step in two halves, with gradients that are read and written between them, and the loss without a step. */
import { afterAll, describe, expect, test } from "vitest";
import { defineAdapter } from "../../adapters/adapter.ts";
import { adapt, defineModel, input, type Tensor } from "../../compiler/index.ts";
import { defaultProfile } from "../../compiler/profile.ts";
import { cast, gt, mean, mul, sum } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import type { TrainingSession } from "../../runtime/training/session.ts";
import { createTrainer } from "../../training/index.ts";
import { describeOnDevice } from "../support/device.ts";
import { batch, begin, everything } from "../support/layer-training.ts";
import { batches, centred, rows, trainingOn } from "../support/running-mean.ts";
import { refusal } from "../support/weights-files.ts";
import { weightsOf } from "../support/weights-of.ts";

/** What is between the halves of a step when several processes train: their mean, for all of them. */
async function averaged(sessions: readonly TrainingSession[]) {
  const all = await Promise.all(sessions.map((session) => session.readGradients()));
  const mean = all[0]!.map((_, i) => all.reduce((sum, one) => sum + one[i]!, 0) / all.length);
  for (const session of sessions) await session.writeGradients(mean);
}

const codeOf = async (call: () => unknown) => (await refusal(call)).code;

/** The default limits, and some with which what trains is in several buffers. */
const profiles = [defaultProfile, { ...defaultProfile, maxBindingBytes: 256, maxBufferBytes: 256 }];

function halvesOn(device: () => Promise<Device>) {
  test.each([1, 2])("of %i micro-steps are a step, bit for bit", async (micro) => {
    const [whole, halves] = [
      await begin(await device(), micro),
      await begin(await device(), micro),
    ];
    for (let i = 0; i < 3; i++) {
      const inputs = Array.from({ length: micro }, (_, j) => batch(10 * i + j));
      const { loss, terms, ...updated } = await whole.step(...inputs);
      expect(await halves.gradients(...inputs)).toEqual({ loss, terms });
      if (i > 0) await halves.writeGradients(await halves.readGradients());
      expect(await halves.update()).toEqual(updated);
      expect(await everything(halves)).toEqual(await everything(whole));
    }
    await Promise.all([whole.close(), halves.close()]);
  });

  test.each([1, 2])("are the gradients of %i micro-steps, of every tensor", async (micro) => {
    const session = await begin(await device(), micro);
    const inputs = Array.from({ length: micro }, () => batch(4));
    const { loss } = await session.gradients(...inputs);
    const packed = await session.readGradients();
    const { tensors } = session.plan;
    const own = [];
    for (const { name } of tensors) own.push(...(await session.gradient(name)));
    const expected = [...own, ...tensors.map(() => 1), loss];
    // The mean of two equal batches is either of them; 0 added to -0 is 0.
    const unsigned = (values: Iterable<number>) => Array.from(values, (v) => v + 0);
    expect(unsigned(packed)).toEqual(unsigned(expected));
    await session.close();
  });

  test("averaged over two sessions train both as one of two micro-steps", async () => {
    const one = await begin(await device(), 2);
    const ranks = [await begin(await device()), await begin(await device())];
    for (let i = 0; i < 3; i++) {
      const { norm } = await one.step(batch(2 * i), batch(2 * i + 1));
      await Promise.all(ranks.map((rank, j) => rank.gradients(batch(2 * i + j))));
      await averaged(ranks);
      const [first, second] = await Promise.all(ranks.map((rank) => rank.update()));
      expect(first).toEqual(second);
      expect(first!.norm).toBeCloseTo(norm, 5);
    }
    for (const { name } of one.plan.tensors) {
      const [expected, ...others] = await Promise.all(
        [one, ...ranks].map((session) => session.parameter(name)),
      );
      expect([...others[0]!]).toEqual([...others[1]!]);
      for (const [i, v] of expected!.entries()) expect(others[0]![i]).toBeCloseTo(v, 6);
    }
    await Promise.all([one, ...ranks].map((session) => session.close()));
  });

  test("leave a tensor alone whose flag is zero, and veto what is not finite", async () => {
    const session = await begin(await device());
    const { tensors } = session.plan;
    await session.gradients(batch(1));
    const packed = await session.readGradients();
    const last = tensors.length - 1;
    packed[packed.length - 2] = 0;
    await session.writeGradients(packed);
    const size = tensors[last]!.bytes / 4;
    const zeros = (await session.readGradients()).slice(-2 - last - size, -2 - last);
    expect([...zeros]).toEqual(Array(size).fill(0));
    const before = await Promise.all(tensors.map(({ name }) => session.parameter(name)));
    await session.update();
    const after = await Promise.all(tensors.map(({ name }) => session.parameter(name)));
    expect(tensors.map((_, i) => String(after[i]) === String(before[i]))).toEqual(
      tensors.map((_, i) => i === last),
    );
    await session.gradients(batch(2));
    const broken = await session.readGradients();
    broken[0] = Number.NaN;
    await session.writeGradients(broken);
    expect((await session.update()).vetoed).toBe(tensors[0]!.name);
    await session.close();
  });

  test("come in turn: E445 says which is due, and what is refused has changed nothing", async () => {
    const session = await begin(await device(), 2);
    const twin = await begin(await device(), 2);
    for (const call of [
      () => session.update(),
      () => session.readGradients(),
      () => session.writeGradients(new Float32Array(22)),
    ])
      expect(await codeOf(call)).toMatch(/^E(445|420)$/);
    await session.gradients(batch(1), batch(2));
    expect(await codeOf(() => session.gradients(batch(3), batch(4)))).toBe("E445");
    expect(await codeOf(() => session.step(batch(3), batch(4)))).toBe("E445");
    expect(await codeOf(() => session.save())).toBe("E445");
    const { length } = await session.readGradients();
    expect(await codeOf(() => session.writeGradients(new Float32Array(length + 1)))).toBe("E420");
    expect(await codeOf(() => session.writeGradients([1] as never))).toBe("E420");
    const { loss: _, terms: __, ...updated } = await twin.step(batch(1), batch(2));
    expect(await session.update()).toEqual(updated);
    expect(await everything(session)).toEqual(await everything(twin));
    await Promise.all([session.close(), twin.close()]);
  });

  test("that are aborted never were", async () => {
    const [session, twin] = [await begin(await device(), 2), await begin(await device(), 2)];
    const aborted = (call: (options: { signal: AbortSignal }) => Promise<unknown>) => {
      const controller = new AbortController();
      const outcome = call({ signal: controller.signal });
      controller.abort(new RangeError("enough"));
      return expect(outcome).rejects.toThrow("enough");
    };
    await aborted((options) => session.gradients(batch(1), batch(2), options));
    await session.gradients(batch(8), batch(9));
    const packed = await session.readGradients();
    await aborted((options) =>
      session.writeGradients(
        packed.map(() => 5),
        options,
      ),
    );
    await aborted((options) => session.update(options));
    expect(await session.readGradients()).toEqual(packed);
    await session.update();
    await twin.step(batch(8), batch(9));
    expect(await everything(session)).toEqual(await everything(twin));
    await Promise.all([session.close(), twin.close()]);
  });

  test("need no step for the loss, and metrics beside it", async () => {
    const outputs = { large: [] as number[] };
    const evaluate = {
      metrics: ({ y }: Readonly<Record<string, Tensor<"f32">>>) => ({
        large: sum(cast(gt(y!, input("least", "f32", [1])), "f32"), 0),
      }),
    };
    const session = await begin(await device(), 1, {}, { evaluate });
    const twin = await begin(await device());
    await Promise.all([session.step(batch(1)), twin.step(batch(1))]);
    const found = await session.evaluate({ ...batch(2), least: [0] });
    const { y } = await session.run("forward", { x: batch(2).x });
    for (let j = 0; j < 3; j++) outputs.large.push(Number(y![j]! > 0) + Number(y![3 + j]! > 0));
    const { loss, terms } = await twin.gradients(batch(2));
    expect({ ...found, metrics: [...found.metrics.large!] }).toEqual({
      ...{ loss: expect.closeTo(loss, 5), terms: { square: expect.closeTo(terms.square!, 5) } },
      metrics: outputs.large,
    });
    await twin.update();
    await session.step(batch(2));
    const [a, b] = [await everything(session), await everything(twin)];
    expect(a).toEqual(b);
    expect(await codeOf(() => session.evaluate(batch(2)))).toBe("E420");
    expect(await codeOf(() => twin.evaluate(batch(2)))).toBe("E433");
    await Promise.all([session.close(), twin.close()]);
  });
}

describe("halves of a step on the reference device", () => {
  halvesOn(async () => referenceDevice());

  test("read and write what lies in several buffers", async () => {
    const [whole, parts] = await Promise.all(
      profiles.map((profile) => begin(referenceDevice(), 1, {}, { profile })),
    );
    const read = [];
    for (const session of [whole!, parts!]) {
      await session.gradients(batch(3));
      const packed = await session.readGradients();
      read.push(packed);
      await session.writeGradients(packed.map((v) => v / 2));
      await session.update();
    }
    expect(read[0]).toEqual(read[1]);
    for (const { name } of whole!.plan.tensors)
      expect(await whole!.parameter(name)).toEqual(await parts!.parameter(name));
    expect(new Set(parts!.plan.tensors.map((t) => t.state)).size).toBeGreaterThan(1);
  });

  test("an evaluation is that of the model as it is used, moves no state, and has its own sizes", async () => {
    const model = defineModel({ name: "centred", dims: { rows }, build: (p) => centred(p) });
    const trainer = await createTrainer(
      adapt(model, defineAdapter({ name: "whole", train: ["**"] })),
      {
        ...trainingOn(referenceDevice(), await weightsOf({ w: [3, 1] })),
        evaluate: { dims: { rows: 2 }, metrics: ({ y }) => ({ mean: mean(mul(y!, 1), 0) }) },
      },
    );
    await trainer.step({ x: batches[0]! });
    const before = [...(await trainer.state("mean"))];
    const x = [1, 2, 3, 4, 5, 6];
    const w = [...(await trainer.parameter("w"))];
    const y = [0, 1].map((i) =>
      w.reduce((sum, v, j) => sum + v * (x[3 * i + j]! - before[j]!), 0),
    ) as [number, number];
    const found = await trainer.evaluate({ x });
    expect(found.loss).toBeCloseTo((y[0] ** 2 + y[1] ** 2) / 2, 4);
    expect(found.metrics.mean![0]).toBeCloseTo((y[0] + y[1]) / 2, 5);
    expect([...(await trainer.state("mean"))]).toEqual(before);
    await trainer.close();
  });
});

describeOnDevice("halves of a step on the device", () => {
  const opened = openDevice({ kind: "webgpu" });
  halvesOn(async () => (await opened).device);
  afterAll(async () => (await opened).device.destroy());
});
