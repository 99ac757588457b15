/** Programs of one model share their states: by name, in sessions and in bundles. */
import { describe, expect, test } from "vitest";
import { generateWrapper } from "../../build/wrapper.ts";
import {
  compile,
  defineModel,
  type Init,
  input,
  type Model,
  ones,
  type Parameters,
  state,
  traceProgram,
} from "../../compiler/index.ts";
import type { Plan } from "../../compiler/plan.ts";
import { add, matmul, mul } from "../../ops/index.ts";
import { loadBundle } from "../../runtime/bundle/model.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createSessions } from "../../runtime/programs.ts";
import { writeWithChecksums } from "../../runtime/weights/index.ts";
import { randomNumbers, relativeError } from "../../verify/ops/evaluate.ts";
import { bundleOf } from "../support/bundles.ts";
import { cachedAttention, plainAttention, sizes } from "../support/cached-attention.ts";
import { deviceTest } from "../support/device.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const plansOf = (model: Model, target = "reference"): Record<string, Plan> =>
  Object.fromEntries(
    Object.keys(model.programs).map((program) => {
      const name = `${model.name}.${program}`;
      return [program, compile(traceProgram(model, program), { name, target })] as const;
    }),
  );

const wrapperOf = (model: Model) =>
  generateWrapper({
    name: model.name,
    plans: new Map(Object.entries(plansOf(model))),
    weights: "given",
  });

const { prompt, width } = sizes;
const numbers = (["q", "k", "v"] as const).map(
  (name, i) => [name, randomNumbers(width * width, i + 1).map(Math.fround)] as const,
);
const matrices = Object.fromEntries(numbers) as Record<"q" | "k" | "v", number[]>;
const file = writeWithChecksums(
  new Map(numbers.map(([name, values]) => [name, floats(values, [width, width])])),
);
const tokens = Array.from({ length: 7 }, (_, i) => randomNumbers(width, i + 10).map(Math.fround));

interface Runner {
  run(
    program: string,
    inputs: Record<string, number[]>,
  ): Promise<Record<string, ArrayLike<number>>>;
}

/** Prefills, decodes until the cache is nearly full, and compares each with attention without a cache. */
async function checkDecoding({ run }: Runner) {
  const { y } = await run("prefill", { x: tokens.slice(0, prompt).flat() });
  const last = Array.from(y!).slice(-width);
  expect(relativeError(last, plainAttention(tokens.slice(0, prompt), matrices))).toBeLessThan(1e-5);
  for (let n = prompt; n < tokens.length; n++) {
    const decoded = await run("decode", { x: tokens[n]! });
    const expected = plainAttention(tokens.slice(0, n + 1), matrices);
    expect(relativeError(decoded.y!, expected), `token ${n}`).toBeLessThan(1e-5);
  }
}

const bundleFor = (target: string) =>
  bundleOf({
    name: "cached-attention",
    plans: new Map(Object.entries(plansOf(cachedAttention, target))),
    weights: file,
  });

async function decodesInSessions(device: Device) {
  const plans = plansOf(cachedAttention, device.target);
  const sessions = await createSessions(plans, device, { weights: await openBytes(file) });
  const run: Runner["run"] = (program, inputs) => sessions[program]!.run(inputs);
  await checkDecoding({ run });
  expect([...(await sessions.prefill!.read(["count"])).count!]).toEqual([tokens.length]);
  await sessions.decode!.reset();
  expect([...(await sessions.prefill!.read(["k"])).k!]).toEqual(Array(32).fill(0));
  await checkDecoding({ run });
  for (const session of Object.values(sessions)) session.close();
}

async function decodesInABundle(device: Device) {
  const model = await loadBundle(await bundleFor(device.target), device);
  // Each of k and v is 8 x 4 numbers, and count is one.
  expect(model.memory().state).toBe(4 * (32 + 32 + 1));
  await checkDecoding(model);
  await model.reset(["k", "v"]);
  const count = await model.session("decode").read(["count", "k"]);
  expect([[...count.count!], [...count.k!]]).toEqual([[tokens.length], Array(32).fill(0)]);
  await model.reset("count");
  expect([...(await model.session("decode").read(["count"])).count!]).toEqual([0]);
  await checkDecoding(model);
  await model.close();
}

describe("a cache of keys and values", () => {
  test("is shared by sessions of one model", () => decodesInSessions(referenceDevice()));
  test("is shared by the programs of a bundle", () => decodesInABundle(referenceDevice()));
  deviceTest("is shared on the device, in sessions and in a bundle", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    await decodesInSessions(device);
    await decodesInABundle(device);
    device.destroy();
  });

  test("has one order in a bundle: runs of several programs that are not awaited", async () => {
    const model = await loadBundle(await bundleFor("reference"), referenceDevice());
    const runs: Promise<Record<string, ArrayLike<number>>>[] = [];
    await checkDecoding(model);
    await model.reset();
    runs.push(model.run("prefill", { x: tokens.slice(0, prompt).flat() }));
    for (const x of tokens.slice(prompt)) runs.push(model.run("decode", { x }));
    const last = (await Promise.all(runs)).at(-1)!;
    expect(relativeError(last.y!, plainAttention(tokens, matrices))).toBeLessThan(1e-5);
    await model.close();
  });

  const open = () => cpuDevice({ threads: 1 });

  test("goes on on another device, empty, whichever session is restored", async () => {
    const weights = await openBytes(file);
    const device = open();
    const sessions = await createSessions(plansOf(cachedAttention, "wasm"), device, { weights });
    const run: Runner["run"] = (program, inputs) => sessions[program]!.run(inputs);
    await checkDecoding({ run });
    device.destroy();
    expect((await refusal(() => run("prefill", {}))).code).toBe("E422");
    expect((await refusal(() => sessions.decode!.restore(device))).code).toBe("E422");
    await sessions.decode!.restore(open());
    expect([...(await sessions.prefill!.read(["count"])).count!]).toEqual([0]);
    await checkDecoding({ run });
    expect([...(await sessions.decode!.read(["count"])).count!]).toEqual([tokens.length]);
    await sessions.decode!.close();
    expect((await refusal(() => sessions.decode!.restore(open()))).code).toBe("E427");
    await sessions.prefill!.restore(open());
    expect((await refusal(() => sessions.decode!.run({ x: tokens[0]! }))).code).toBe("E427");
    await sessions.prefill!.run({ x: tokens.slice(0, prompt).flat() });
    const other = { bind: {} } as never;
    expect((await refusal(() => sessions.prefill!.restore(open(), other))).code).toBe("E460");
    await sessions.prefill!.close();
  });

  test("is reset by the wrapper, by name", () => {
    const plans = new Map(Object.entries(plansOf(cachedAttention)));
    const wrapper = generateWrapper({ ...cachedAttention, plans, weights: "given" });
    const { declarations } = wrapper;
    expect(wrapper.module({ name: "cached-attention", profiles: [] })).toContain(
      "reset: (states, call) => model.reset(states, call),",
    );
    expect(declarations).toContain(
      'reset(states?: "k" | "v" | "count" | readonly ("k" | "v" | "count")[], options?: CallOptions): Promise<void>;',
    );
  });
});

/** Two programs that declare "s" in their own way. */
const apart = (
  first: readonly ["f32" | "i32", number[], Init?],
  second: readonly ["f32" | "i32", number[], Init?],
) =>
  defineModel({
    name: "apart",
    programs: Object.fromEntries(
      [first, second].map(([dtype, shape, init], i) => [
        `program-${i}`,
        () => ({ y: mul(state("s", dtype, shape, init ? { init } : {}), 2) }),
      ]),
    ),
  });

describe("programs that disagree about a state are refused", () => {
  const cases = [
    ["its shape", apart(["f32", [4]], ["f32", [2]]), "f32[4] in the program program-0, but f32[2]"],
    ["its dtype", apart(["f32", [4]], ["i32", [4]]), "f32[4] in the program program-0, but i32[4]"],
    ["its first value", apart(["f32", [4]], ["f32", [4], ones]), "that begins as"],
  ] as const;

  test.each(cases)("%s", async (_what, model, says) => {
    const plans = plansOf(model);
    for (const work of [() => createSessions(plans, referenceDevice()), () => wrapperOf(model)]) {
      const { code, message } = await refusal(work);
      expect(code).toBe("E250");
      expect(message).toContain(`the state "s" is`);
      expect(message).toContain(says);
    }
  });

  test("but zeros that are said are the zeros that are not", async () => {
    const plans = plansOf(apart(["f32", [4]], ["f32", [4], { kind: "constant", value: 0 }]));
    await createSessions(plans, referenceDevice());
  });
});

test("sessions that share states free them when the last is closed", async () => {
  const plans = plansOf(apart(["f32", [4]], ["f32", [4]]));
  const destroyed: string[] = [];
  const device = referenceDevice();
  const watched: Device = {
    ...device,
    allocate: async (buffers) =>
      (await device.allocate(buffers)).map((buffer, i) => ({
        ...buffer,
        destroy: () => destroyed.push(buffers[i]!.role),
      })),
  };
  const sessions = await createSessions(plans, watched);
  await Promise.all([sessions["program-0"]!.close(), sessions["program-0"]!.close()]);
  expect(destroyed).not.toContain("state");
  await sessions["program-1"]!.close();
  expect(destroyed.filter((role) => role === "state")).toEqual(["state"]);
});

test("a program named reset is refused where the wrapper has a method of that name", async () => {
  const programs = (named: string) =>
    defineModel({
      name: "own",
      programs: { [named]: () => ({ y: add(input("x", "f32", [2]), state("s", "f32", [2])) }) },
    });
  const { code } = await refusal(() => wrapperOf(programs("reset")));
  expect(code).toBe("E602");
});

test("what is told of loading counts bytes and kernels of all programs together", async () => {
  const programs = {
    one: (p: Parameters) => ({ y: matmul(input("x", "f32", [2, 3]), p.f32("w", [3, 2])) }),
    two: (p: Parameters) => ({ y: matmul(input("x", "f32", [2, 3]), p.f32("v", [3, 4])) }),
  };
  const plans = plansOf(defineModel({ name: "two", programs }));
  const tensors = { w: floats(Array(6).fill(1), [3, 2]), v: floats(Array(12).fill(1), [3, 4]) };
  const weights = await openBytes(writeWithChecksums(new Map(Object.entries(tensors))));
  const told: (readonly [string, number, number])[] = [];
  const device = referenceDevice();
  const telling: Device = {
    ...device,
    load(plan, buffers, tell) {
      for (const i of plan.kernels.keys()) tell?.(i + 1, plan.kernels.length, "kernels");
      return device.load(plan, buffers);
    },
  };
  const sessions = await createSessions(plans, telling, {
    weights,
    onProgress: (done, total, what) => told.push([what, done, total]),
  });
  const of = (unit: string) => told.filter(([what]) => what === unit).map(([, ...rest]) => rest);
  const kernels = Object.values(plans).flatMap((plan) => plan.kernels).length;
  expect(of("kernels")).toEqual(
    Array.from({ length: kernels }, (_, i) => [i + 1, kernels] as const),
  );
  expect(of("bytes of weights").at(-1)).toEqual([72, 72]);
  expect(of("bytes of weights")).toEqual(of("bytes of weights").toSorted(([a], [b]) => a! - b!));
  for (const session of Object.values(sessions)) await session.close();
});
