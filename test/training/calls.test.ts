/** Calls on a training session: what a step reads is its own, and one that is refused or aborted never was. */
import { afterAll, describe, expect, test } from "vitest";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { webgpuDevice } from "../../runtime/devices/webgpu.ts";
import type { Inputs } from "../../runtime/inputs.ts";
import { openDevice, requestGpu } from "../../runtime/node/index.ts";
import type { TrainingSession } from "../../runtime/training/session.ts";
import { describeOnDevice } from "../support/device.ts";
import { batch, begin, everything, weights } from "../support/layer-training.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

/** That a session has made the step of batches 8 and 9 and nothing else: its next one is that of a twin. */
async function expectOneStep(session: TrainingSession, twin: TrainingSession) {
  await twin.step(batch(8), batch(9));
  const next = [batch(3), batch(4)] as const;
  expect(await session.step(...next)).toEqual(await twin.step(...next));
  expect(await everything(session)).toEqual(await everything(twin));
  await Promise.all([session.close(), twin.close()]);
}

/** Of two micro-steps: wrong in the second, without a target, too few, too many, none. */
const refusedSteps = [
  [batch(1), { ...batch(2), x: [1, 2] }],
  [batch(1), { ...batch(2), target: ["1", 2, 3, 4, 5, 6] }],
  [batch(1), { ...batch(2), labels: [1] }],
  [batch(1), { x: batch(2).x }],
  [batch(1), {}],
  [batch(1)],
  [batch(1), batch(2), batch(3)],
  [null, undefined],
];

function callsOn(device: () => Promise<Device>) {
  test("a batch that is used again trains on what it held when the step was asked for", async () => {
    const [careful, hasty] = [await begin(await device()), await begin(await device())];
    const reused = { x: new Float32Array(8), target: new Float32Array(6) };
    const steps = [];
    for (let i = 0; i < 4; i++) {
      await careful.step(batch(i));
      reused.x.set(batch(i).x);
      reused.target.set(batch(i).target);
      steps.push(hasty.step(reused));
    }
    reused.x.fill(Number.NaN);
    expect((await Promise.all(steps)).map((r) => r.step)).toEqual([0, 1, 2, 3]);
    expect(await everything(hasty)).toEqual(await everything(careful));
    await Promise.all([careful.close(), hasty.close()]);
  });

  test("a step that is refused (E420) has changed nothing", async () => {
    const session = await begin(await device(), 2);
    await session.step(batch(8), batch(9));
    const before = await everything(session);
    for (const inputs of refusedSteps) {
      const refused = () => session.step(...(inputs as unknown as [Inputs, Inputs]));
      expect((await refusal(refused)).code).toBe("E420");
      expect(await everything(session)).toEqual(before);
    }
    await expectOneStep(session, await begin(await device(), 2));
  });

  test("an evaluation takes no input of another one (E420)", async () => {
    const session = await begin(await device());
    await session.run("forward", { x: batch(1).x });
    const error = await refusal(() => session.run("forward", {}));
    expect(error.message).toContain("missing: x");
    await session.close();
  });

  test("a rate that cannot be had refuses the step before anything is done", async () => {
    const rate = (step: number) => {
      if (step === 1) throw new RangeError("no rate");
      return 0.1;
    };
    const session = await begin(await device(), 2, { rate });
    await session.step(batch(1), batch(2));
    const before = await everything(session);
    await expect(session.step(batch(3), batch(4))).rejects.toThrow("no rate");
    expect(await everything(session)).toEqual(before);
    await session.close();
  });

  test("after close every call is refused (E427), and no file is made of zeros", async () => {
    const session = await begin(await device());
    const asked = [
      session.step(batch(1)),
      session.save(),
      session.parameter("layer.bias"),
    ] as const;
    const closed = session.close();
    const [report, file, bias] = await Promise.all(asked);
    expect(report.norm).toBeGreaterThan(0);
    expect((await openBytes(file)).metadata.step).toBe("1");
    expect(bias.some((v) => v !== 0)).toBe(true);
    const adapter = await openBytes(file);
    for (const late of [
      () => session.step(batch(2)),
      () => session.step({}),
      () => session.run("forward", { x: batch(0).x }),
      () => session.run("none", {}),
      () => session.save(),
      () => session.saveAdapter(),
      () => session.loadAdapter(adapter),
      () => session.parameter("layer.bias"),
      () => session.gradient("layer.bias"),
      () => session.present(),
      () => session.profile(),
    ])
      expect((await refusal(late)).code).toBe("E427");
    await closed;
    await session.close();
  });

  test("an aborted step leaves states, gradients and what they added up to as they were", async () => {
    const session = await begin(await device(), 2);
    await session.step(batch(8), batch(9));
    const before = await everything(session);
    for (const wait of [undefined, 0, 1, 2, 4]) {
      const controller = new AbortController();
      const { signal } = controller;
      const step = session.step(batch(1), batch(2), { signal });
      const outcome = step.then(
        () => "done",
        (error) => error.message,
      );
      if (wait !== undefined) await new Promise((resolve) => setTimeout(resolve, wait));
      controller.abort(new RangeError("enough"));
      if ((await outcome) === "done") return session.close();
      expect(await outcome).toBe("enough");
      expect(await everything(session)).toEqual(before);
    }
    await expectOneStep(session, await begin(await device(), 2));
  });

  test("calls after an aborted step go on from before it", async () => {
    const session = await begin(await device());
    const twin = await begin(await device());
    const controller = new AbortController();
    const first = session.step(batch(1));
    const aborted = session.step(batch(2), { signal: controller.signal });
    const last = session.step(batch(3));
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    expect([await first, await last]).toEqual([
      await twin.step(batch(1)),
      await twin.step(batch(3)),
    ]);
    expect(await everything(session)).toEqual(await everything(twin));
    await Promise.all([session.close(), twin.close()]);
  });

  test("every other call can be aborted too", async () => {
    const session = await begin(await device());
    await session.step(batch(1));
    const before = await everything(session);
    const file = await openBytes(await session.saveAdapter());
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const calls = [
      session.run("forward", { x: batch(5).x }, undefined, options),
      session.save(options),
      session.saveAdapter(options),
      session.loadAdapter(file, options),
      session.parameter("layer.bias", options),
      session.gradient("layer.bias", options),
      session.present(options),
      session.profile(options),
    ];
    controller.abort(new RangeError("enough"));
    for (const call of calls) await expect(call).rejects.toThrow("enough");
    expect(await everything(session)).toEqual(before);
    await session.close();
  });

  test("an adapter's file that ends half-way has changed nothing", async () => {
    const session = await begin(await device());
    await session.step(batch(1));
    const file = await openBytes(await session.saveAdapter());
    await session.step(batch(2));
    const before = await everything(session);
    let reads = 0;
    const torn = {
      ...file,
      readF32(name: string) {
        if (reads++ > 0) throw new RangeError("the disk is gone");
        return file.readF32(name);
      },
    };
    await expect(session.loadAdapter(torn)).rejects.toThrow("the disk is gone");
    expect(await everything(session)).toEqual(before);
    await session.loadAdapter(file);
    await session.close();
  });

  test("E444 for a profile before the first step", async () => {
    const session = await begin(await device());
    expect((await refusal(() => session.profile())).code).toBe("E444");
    await session.close();
  });

  test("placing it can be aborted, whatever the weights are doing", async () => {
    const hung = { ...(await weights()), chunks: () => ({ [Symbol.asyncIterator]: never }) };
    const controller = new AbortController();
    const signal = controller.signal;
    const begun = begin(await device(), 1, { weights: hung, signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new RangeError("enough"));
    await expect(begun).rejects.toThrow("enough");
  });
}

/** Bytes that never come. */
const never = () => ({ next: () => new Promise<never>(() => {}) });

describe("on the reference device,", () => {
  callsOn(async () => referenceDevice());
});

describeOnDevice("on the device,", () => {
  const opened = openDevice({ kind: "webgpu" });
  callsOn(async () => (await opened).device);
  afterAll(async () => (await opened).device.destroy());

  test("a lost device says so (E422), and the session tells who holds it", async () => {
    const gpu = await requestGpu();
    const session = await begin(webgpuDevice(gpu.device));
    await session.step(batch(1));
    const steps = [session.step(batch(2)), session.save(), session.step(batch(3))];
    gpu.device.destroy();
    const outcomes = await Promise.allSettled(steps);
    for (const one of outcomes) if (one.status === "rejected") expect(one.reason.code).toBe("E422");
    expect(await session.lost).toContain("destroyed");
    for (const late of [() => session.save(), () => session.step(batch(4)), () => session.step({})])
      expect((await refusal(late)).code).toBe("E422");
    await session.close();
    gpu.destroy();
  });
});
