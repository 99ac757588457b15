/**
 * Random calls that overlap, on sessions that share a buffer: each result is that of the calls made one by
 * one. What is expected comes from arithmetic on plain numbers.
 */
import { afterAll, describe, expect, test } from "vitest";
import { compile, graphOf, input, state } from "../../compiler/index.ts";
import { InarchError } from "../../diagnostics/index.ts";
import { add, mul } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createSession, type Session } from "../../runtime/session.ts";
import { describeOnDevice } from "../support/device.ts";
import { randomNumbers } from "../support/weights-files.ts";

/** y = a * x + sum, and sum grows by x; z = y * c. */
async function open(device: Device) {
  const [a, x] = [input("a", "f32", [1]), input("x", "f32", [2])];
  const sum = state("sum", "f32", [2]);
  const first = graphOf([
    { name: "y", tensor: add(mul(a, x), sum) },
    { name: "sum", tensor: add(sum, x) },
  ]);
  const second = graphOf([
    { name: "z", tensor: mul(input("y", "f32", [2]), input("c", "f32", [1])) },
  ]);
  const { target } = device;
  const one = await createSession(compile(first, { target }), device);
  const bind = { y: one.output("y") };
  return { one, two: await createSession(compile(second, { target }), device, { bind }) };
}

/** What the sessions hold, as numbers. */
interface Held {
  readonly a?: number;
  readonly x?: readonly [number, number];
  readonly c?: number;
  readonly sum: readonly [number, number];
  readonly y?: readonly [number, number];
}

/** A call: makes it, says what it returns, and what is held after it. */
interface Call {
  readonly words: string;
  readonly make: (signal: AbortSignal | undefined) => Promise<unknown>;
  readonly model: (held: Held) => { readonly held: Held; readonly result: unknown };
  readonly abort: boolean;
}

const refused = (held: Held, code: string) => ({ held, result: code });

/** A random call. Small whole numbers, so that sums are exact. */
function randomCall({ one, two }: { one: Session; two: Session }, below: (n: number) => number) {
  const [p, q, k] = [below(9), below(9), below(5)];
  const lists = [[p, q], Float32Array.of(p, q), Float64Array.of(p, q), Int32Array.of(p, q)];
  const x = lists[below(4)] as number[];
  const options = (signal: AbortSignal | undefined) => (signal ? { signal } : undefined);
  const kinds: readonly Omit<Call, "abort">[] = [
    {
      words: `run({ a: ${k}, x: ${p},${q} })`,
      make: async (signal) => {
        const run = one.run({ a: [k], x }, undefined, options(signal));
        if (Array.isArray(x)) x.fill(-1000);
        return [...(await run).y!];
      },
      model: (held) => {
        const y = [k * p + held.sum[0], k * q + held.sum[1]] as const;
        const sum = [held.sum[0] + p, held.sum[1] + q] as const;
        return { held: { ...held, a: k, x: [p, q], sum, y }, result: [...y] };
      },
    },
    {
      words: "run()",
      make: async (signal) => [...(await one.run({}, ["y"], options(signal))).y!],
      model(held) {
        const { a, x, sum } = held;
        if (a === undefined || !x) return refused(held, "E420");
        const y = [a * x[0] + sum[0], a * x[1] + sum[1]] as const;
        return { held: { ...held, sum: [sum[0] + x[0], sum[1] + x[1]], y }, result: [...y] };
      },
    },
    {
      words: "run with a wrong input",
      make: async (signal) => one.run({ a: [77], x: [1, Number.NaN, 3] }, [], options(signal)),
      model: (held) => refused(held, "E420"),
    },
    {
      words: `second run({ c: ${k} })`,
      make: async (signal) => [...(await two.run({ c: [k] }, undefined, options(signal))).z!],
      model: (held) =>
        held.y
          ? { held: { ...held, c: k }, result: held.y.map((v) => v * k) }
          : { held, result: "anything" },
    },
    {
      words: 'read(["y"])',
      make: async (signal) => [...(await one.read(["y"], options(signal))).y!],
      model: (held) => (held.y ? { held, result: [...held.y] } : refused(held, "E444")),
    },
    {
      words: 'read(["sum"])',
      make: async (signal) => [...(await one.read(["sum"], options(signal))).sum!],
      model: (held) => ({ held, result: [...held.sum] }),
    },
    {
      words: `write({ sum: ${p},${q} })`,
      make: (signal) => one.write({ sum: [p, q] }, options(signal)),
      model: (held) => ({ held: { ...held, sum: [p, q] }, result: undefined }),
    },
    {
      words: "reset()",
      make: (signal) => one.reset(undefined, options(signal)),
      model: (held) => ({ held: { ...held, sum: [0, 0] }, result: undefined }),
    },
  ];
  return { ...kinds[below(kinds.length)]!, abort: below(4) === 0 };
}

/** Makes calls without awaiting them, some of them aborted at a random moment; then compares. */
async function sequence(device: Device, seed: number): Promise<void> {
  const below = randomNumbers(seed);
  const sessions = await open(device);
  const made: { call: Call; outcome: Promise<unknown> }[] = [];
  // A first run, so that the bound buffer holds something.
  const begin: Call = {
    words: "run({ a: 1, x: 1,2 })",
    make: async () => [...(await sessions.one.run({ a: [1], x: [1, 2] })).y!],
    model: () => ({ held: { a: 1, x: [1, 2], sum: [1, 2], y: [1, 2] }, result: [1, 2] }),
    abort: false,
  };
  const count = 3 + below(12);
  for (let i = 0; i < count; i++) {
    const call = i === 0 ? begin : randomCall(sessions, below);
    const controller = call.abort ? new AbortController() : undefined;
    const outcome = call
      .make(controller?.signal)
      .catch((error) => (error instanceof InarchError ? error.code : error.name));
    made.push({ call, outcome });
    const moment = below(4);
    const abort = () => controller?.abort();
    if (moment === 0) abort();
    else if (moment === 1) setTimeout(abort, 0);
    else if (moment === 2) setTimeout(abort, 3);
    else queueMicrotask(abort);
    if (below(5) === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const closed = below(3) === 0 ? sessions.one.close() : undefined;
  let held: Held = { sum: [0, 0] };
  const log: string[] = [];
  for (const { call, outcome } of made) {
    const actual = await outcome;
    log.push(`${call.words}${call.abort ? " aborted" : ""} -> ${JSON.stringify(actual)}`);
    if (call.abort && actual === "AbortError") continue;
    const after = call.model(held);
    if (after.result !== "anything")
      expect(actual, `seed ${seed}\n${log.join("\n")}`).toEqual(after.result);
    held = after.held;
  }
  await closed;
  if (!closed) expect([...(await sessions.one.read(["sum"])).sum!]).toEqual([...held.sum]);
  await Promise.all([sessions.two.close(), sessions.one.close()]);
}

describe("calls in random order, some refused and some aborted, give what they give one by one", () => {
  test("on the reference device", async () => {
    for (let seed = 0; seed < 150; seed++) await sequence(referenceDevice(), seed);
  });
});

describeOnDevice(
  "calls in random order, some refused and some aborted, give what they give",
  () => {
    const opened = openDevice({ kind: "webgpu" });
    afterAll(async () => (await opened).device.destroy());

    test("one by one on the device", async () => {
      const { device } = await opened;
      for (let seed = 0; seed < 40; seed++) await sequence(device, seed);
    });
  },
);
