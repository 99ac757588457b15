/** Calls on a session: their order, what they copy, what a refused or an aborted one leaves behind. */
import { afterAll, describe, expect, test } from "vitest";
import { compile, graphOf, input, state } from "../../compiler/index.ts";
import { add, matmul, mul } from "../../ops/index.ts";
import type { Device, Numbers } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createSession } from "../../runtime/session.ts";
import { describeOnDevice } from "../support/device.ts";
import { refusal } from "../support/weights-files.ts";

/** y = a * x + b, and a state that adds up every x. */
function line() {
  const x = input("x", "f32", [4]);
  const sum = add(state("sum", "f32", [4]), x);
  return graphOf([
    { name: "y", tensor: add(mul(input("a", "f32", [1]), x), input("b", "f32", [1])) },
    { name: "sum", tensor: sum },
    { name: "seen", tensor: add(sum, 0) },
  ]);
}

const filled = (value: number) => new Float32Array(4).fill(value);
const open = (device: Device) => createSession(compile(line(), { target: device.target }), device);
const first = { a: [2], b: [1], x: filled(0) };

/** An abort that comes as soon as events are heard. */
function soon() {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new RangeError("enough")), 0);
  return controller.signal;
}

function callsOn(device: () => Promise<Device>) {
  test("calls that overlap give each its own numbers, in the order of the calls", async () => {
    const session = await open(await device());
    await session.run(first);
    const runs = Array.from({ length: 8 }, (_, i) => session.run({ x: filled(i) }));
    const reads = session.read(["y"]);
    const results = await Promise.all(runs);
    expect(results.map(({ y }) => y![0])).toEqual([1, 3, 5, 7, 9, 11, 13, 15]);
    expect(results.map(({ seen }) => seen![3])).toEqual([0, 1, 3, 6, 10, 15, 21, 28]);
    expect((await reads).y![0]).toBe(15);
    await session.close();
  });

  test("inputs are copied when the call is made", async () => {
    const session = await open(await device());
    const x = filled(1);
    const runs = [session.run({ ...first, x })];
    for (const value of [2, 3]) {
      x.fill(value);
      runs.push(session.run({ x }));
    }
    x.fill(100);
    expect((await Promise.all(runs)).map(({ y }) => y![2])).toEqual([3, 5, 7]);
    await session.close();
  });

  test("inputs are copied by the device alone where nobody is before the call", async () => {
    const real = await device();
    const written: ArrayBufferView[] = [];
    const write: Device["write"] = (to, offset, data) => {
      written.push(data);
      return real.write(to, offset, data);
    };
    const session = await open({ ...real, write });
    const [x, y] = [filled(1), filled(2)];
    const runs = [session.run({ ...first, x }), session.run({ x: y })];
    expect(written).toContain(x);
    x.fill(100);
    expect((await Promise.all(runs)).map((r) => r.y![2])).toEqual([3, 5]);
    expect(written).not.toContain(y);
    const { signal } = new AbortController();
    await session.run({ x: y }, ["y"], { signal });
    expect(written).not.toContain(y);
    await session.run({ x: y });
    expect(written).toContain(y);
    await session.close();
  });

  test("sessions that share a buffer have one order", async () => {
    const on = await device();
    const one = await open(on);
    const twice = graphOf([{ name: "z", tensor: mul(input("y", "f32", [4]), 10) }]);
    const bind = { y: one.output("y") };
    const two = await createSession(compile(twice, { target: on.target }), on, { bind });
    const calls = [1, 2, 3].flatMap((x) => [one.run({ ...first, x: filled(x) }, []), two.run()]);
    const results = await Promise.all(calls);
    expect(results.flatMap(({ z }) => (z ? [z[0]] : []))).toEqual([30, 50, 70]);
    await Promise.all([two.close(), one.close()]);
  });

  test("a refused call has changed nothing: no input, no state, no output", async () => {
    const session = await open(await device());
    await session.run({ ...first, x: filled(1) });
    const bad = { a: [100], b: [100], x: [1, 2, 3, 4, 5] };
    expect((await refusal(() => session.run(bad))).code).toBe("E420");
    expect((await refusal(() => session.run({ a: [100] }, ["w"]))).code).toBe("E420");
    expect((await refusal(() => session.profile(bad))).code).toBe("E420");
    expect((await session.read(["y"])).y![0]).toBe(3);
    expect(await session.run()).toEqual({ y: filled(3), seen: filled(2) });
    await session.close();
  });

  test("close waits for the calls before it, and later ones are refused (E427)", async () => {
    const session = await open(await device());
    const runs = [1, 2].map((x) => session.run({ ...first, x: filled(x) }));
    const closed = session.close();
    for (const late of [
      () => session.run({ x: filled(3) }),
      () => session.run({ unknown: [1] }),
      () => session.read(["y"]),
      () => session.profile(),
    ])
      expect((await refusal(late)).code).toBe("E427");
    await closed;
    expect((await Promise.all(runs)).map(({ y }) => y![0])).toEqual([3, 5]);
    await session.close();
  });

  test("memory of a closed session is not read by another one (E427)", async () => {
    const on = await device();
    const one = await open(on);
    const twice = graphOf([{ name: "z", tensor: mul(input("y", "f32", [4]), 10) }]);
    const bind = { y: one.output("y") };
    const two = await createSession(compile(twice, { target: on.target }), on, { bind });
    await one.run({ ...first, x: filled(1) }, []);
    await one.close();
    expect((await refusal(() => two.run())).code).toBe("E427");
    await two.close();
  });

  test("states are set and reset in the order of the calls, or not at all", async () => {
    const session = await open(await device());
    const calls = [
      session.run({ ...first, x: filled(1) }, ["seen"]),
      session.write({ sum: [10, 20, 30, 40] }),
      session.run({}, ["seen"]),
      session.reset("sum"),
      session.read(["sum"]),
      session.run({}, ["seen"]),
    ];
    const values = (await Promise.all(calls)) as Record<string, Numbers>[];
    const [one, , two, , zero, three] = values;
    expect([one!.seen, two!.seen, zero!.sum, three!.seen].map((v) => [...v!])).toEqual([
      [1, 1, 1, 1],
      [11, 21, 31, 41],
      [0, 0, 0, 0],
      [1, 1, 1, 1],
    ]);
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const aborted = [session.write({ sum: filled(7) }, options), session.reset("sum", options)];
    const after = session.read(["sum"]);
    controller.abort(new RangeError("enough"));
    for (const call of aborted) await expect(call).rejects.toThrow("enough");
    expect((await after).sum).toEqual(filled(1));
    const bad = { sum: [1, 2, Number.NaN, "4"] as number[] };
    expect((await refusal(() => session.write(bad))).message).toContain("element 3 of state sum");
    await session.close();
    expect((await refusal(() => session.reset())).code).toBe("E427");
  });

  test("E444 for an output that no run has made", async () => {
    const session = await open(await device());
    expect((await refusal(() => session.read(["y"]))).code).toBe("E444");
    await session.close();
  });

  test("an aborted call leaves inputs, outputs and states as they were", async () => {
    const session = await open(await device());
    await session.run({ ...first, x: filled(1) });
    const controller = new AbortController();
    const options = { signal: controller.signal };
    const aborted = [
      session.run({ a: [7], x: filled(5) }, undefined, options),
      session.read(["y"], options),
    ];
    const after = session.run();
    controller.abort(new RangeError("enough"));
    for (const one of aborted) await expect(one).rejects.toThrow("enough");
    expect(await after).toEqual({ y: filled(3), seen: filled(2) });
    await expect(session.run({ x: filled(9) }, undefined, options)).rejects.toThrow("enough");
    expect((await session.read(["y"])).y![0]).toBe(3);
    await session.close();
  });

  test("a run that is aborted while the device works is undone", async () => {
    const session = await open(await device());
    await session.run({ ...first, x: filled(1) });
    const values: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++)
      values.push(session.run({ a: [i], x: filled(i) }, ["y"], { signal: soon() }));
    const results = await Promise.allSettled(values);
    // Those that came through count, each exactly once; the others never were.
    const done = results.flatMap(({ status }, i) => (status === "fulfilled" ? [i] : []));
    const sum = done.reduce((a, b) => a + b, 1);
    const last = done.at(-1);
    const { seen, y } = await session.run({ x: filled(0) });
    expect(seen).toEqual(filled(sum));
    expect(y).toEqual(filled(1));
    expect((await session.run({ x: filled(1) })).y![0]).toBe((last ?? 2) + 1);
    await session.close();
  });

  test("a first run that is aborted has given nothing and made nothing", async () => {
    const session = await open(await device());
    const controller = new AbortController();
    const run = session.run(first, undefined, { signal: controller.signal });
    const [second, read] = [session.run({ x: filled(1) }), session.read(["y"])];
    controller.abort();
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect((await refusal(() => second)).message).toContain("never given: a, b");
    expect((await refusal(() => read)).code).toBe("E444");
    await session.close();
  });

  test.each([
    ["E460", "a misspelt option", { singal: new AbortController().signal }, /no option "singal"/],
    ["E443", "a controller as the signal", { signal: new AbortController() }, /no AbortSignal/],
    ["E443", "null as the signal", { signal: null }, /no AbortSignal/],
    ["E460", "a word", "now", /takes its options as one object/],
    ["E460", "null", null, /takes its options as one object/],
  ])("%s for %s", async (code, _, options, words) => {
    const session = await open(await device());
    const error = await refusal(() => session.run(first, undefined, options as object));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(words)]);
    await session.close();
  });
}

describe("on the reference device,", () => {
  callsOn(async () => referenceDevice());

  test("a call that waits for its turn is aborted at once", async () => {
    let finish = () => {};
    const device = referenceDevice();
    const slow: Device = {
      ...device,
      async load(...given) {
        const program = await device.load(...given);
        return {
          ...program,
          async run(signal) {
            await new Promise<void>((resolve) => {
              finish = resolve;
            });
            return program.run(signal);
          },
        };
      },
    };
    const session = await open(slow);
    const long = session.run(first);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = session.run({ x: filled(9) }, undefined, { signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new RangeError("enough"));
    await expect(waiting).rejects.toThrow("enough");
    finish();
    expect((await long).y).toEqual(filled(1));
    await session.close();
  });

  test("an abort is heard while the host computes", async () => {
    const large = matmul(input("x", "f32", [256, 256]), input("w", "f32", [256, 256]));
    const plan = compile(graphOf([{ name: "y", tensor: large }]), { target: "reference" });
    const session = await createSession(plan, referenceDevice());
    const controller = new AbortController();
    const numbers = new Float32Array(256 * 256);
    const { signal } = controller;
    let isDone = false;
    const run = session.run({ x: numbers, w: numbers }, undefined, { signal });
    const settled = run.finally(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(isDone).toBe(false);
    controller.abort();
    await expect(settled).rejects.toMatchObject({ name: "AbortError" });
    // The session waits for no more than the piece of work that was under way.
    const start = performance.now();
    expect((await refusal(() => session.run())).code).toBe("E420");
    expect(performance.now() - start).toBeLessThan(1000);
    await session.close();
  });
});

describeOnDevice("on the device,", () => {
  const opened = openDevice({ kind: "webgpu" });
  callsOn(async () => (await opened).device);
  afterAll(async () => (await opened).device.destroy());
});
