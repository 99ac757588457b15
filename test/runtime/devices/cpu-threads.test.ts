/** The threads of the processor device: they share the work and change no result; what ends, and what then. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compile, graphOf, input, type Tensor } from "../../../compiler/index.ts";
import { defaultProfile, deviceProfile } from "../../../compiler/profile.ts";
import { moduleBytes } from "../../../compiler/targets/wasm/module.ts";
import { attention, layerNorm, matmul, mul, reshape } from "../../../ops/index.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import { compileKernels } from "../../../runtime/devices/cpu-kernels.ts";
import { CpuMemory, Scratch } from "../../../runtime/devices/cpu-memory.ts";
import { Team, type TeamStep } from "../../../runtime/devices/cpu-threads.ts";
import { wasmEngine } from "../../../runtime/devices/web-assembly.ts";
import { createSession } from "../../../runtime/session.ts";
import { randomNumbers } from "../../../verify/ops/evaluate.ts";
import { buildPackage, node, repository } from "../../support/command-line.ts";
import { expectEqualTraining } from "../../support/thread-training.ts";
import { refusal } from "../../support/weights-files.ts";

/** Those that were started in a test. */
let workers: Worker[] = [];
let begun: Promise<unknown>[] = [];
const keep = (worker: Worker) => {
  workers.push(worker);
  begun.push(once(worker, "message"));
};
beforeEach(() => {
  workers = [];
  begun = [];
  process.on("worker", keep);
});
afterEach(async () => {
  // A run may end before events pass: the workers of this test must not be told of in the next one.
  await moment();
  process.off("worker", keep);
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** The first worker, once it has begun. It is told of when events pass, which a run may finish without. */
async function firstWorker(): Promise<Worker> {
  while (!workers[0]) await moment();
  await begun[0];
  return workers[0];
}

const square = (name: string, side: number) => input(name, "f32", [side, side]) as Tensor;
const double = (side: number) =>
  graphOf([{ name: "y", tensor: mul(square("x", side), 2) as Tensor }]);

/** A team of several threads and one step, of a kernel that writes 1 where it is told, then does `code`. */
async function teamOf(code: readonly number[], threads = 2, waits = true) {
  const engine = wasmEngine();
  const memory = new CpuMemory(engine, true);
  const flag = memory.allocate(4);
  const source = moduleBytes({
    params: 5,
    locals: [],
    // The fourth parameter, how many columns there are, says where.
    code: [0x20, 3, 0x41, 1, 0x36, 2, 0, ...code],
    scratchBytes: 0,
  });
  const kernel = { name: "made by hand", entry: "run", source };
  const [made] = await compileKernels(engine, [kernel as never], memory);
  let lose = (_: string) => {};
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  const team = new Team({ memory: memory.memory, threads, exactly: true, onLost: lose });
  const isSet = () => memory.range(flag, 0, 4)[0] === 1;
  let parts = 0;
  // This thread does nothing, or only waits: with its first part for so long that others are called, then
  // until one of them has begun.
  const run = () => {
    if (waits) waitFor(isSet, parts++ === 0 ? 1 : undefined);
  };
  const program = {
    kernels: [{ name: "made by hand", run }],
    modules: [made!.module],
    entries: ["run"],
    steps: [
      { kernel: 0, addresses: [], groups: [64, flag.address, 1], part: 1, stride: 0 },
    ] as const,
  };
  const step: TeamStep = {
    ...{ program, index: 0, scratch: 0, pause: () => undefined },
    id: team.load(program, program),
  };
  return { team, step, lost };
}

function waitFor(isDone: () => boolean, milliseconds = 60_000): void {
  const end = performance.now() + milliseconds;
  while (!isDone() && performance.now() < end);
}

const [endless, trap] = [[0x03, 0x40, 0x0c, 0, 0x0b], [0x00]] as const;

test("workers take the parts that the thread which calls leaves to them", async () => {
  const side = 300;
  const engine = wasmEngine();
  const memory = new CpuMemory(engine, true);
  const plan = compile(double(side), { target: "wasm", profile: defaultProfile });
  const [kernel] = await compileKernels(engine, plan.kernels, memory);
  const [x, y] = [memory.allocate(4 * side ** 2), memory.allocate(4 * side ** 2)];
  const floats = (of: typeof x) => new Float32Array(memory.memory.buffer, of.address, side ** 2);
  floats(x).fill(1);
  const { bindings, groups } = plan.steps[0]!;
  const all = groups[0] * groups[1] * groups[2];
  expect(all).toBeGreaterThan(8);
  const input = plan.inputs[0]!.buffer;
  let mine = 0;
  const run = (...args: readonly number[]) => {
    const isFirst = mine++ === 0;
    const left = () => floats(y).reduce((zeros, v) => zeros + Number(v === 0), 0);
    // At first so long that the others are called, then until they have done all but what this call is to do.
    waitFor(() => left() <= Math.ceil(side ** 2 / all) * 2, isFirst ? 1 : undefined);
    kernel!.run(...args);
  };
  const team = new Team({ memory: memory.memory, threads: 3, exactly: true, onLost: () => {} });
  const program = {
    kernels: [{ name: "double", run }],
    modules: [kernel!.module],
    entries: [kernel!.entry],
    steps: [
      {
        kernel: 0,
        addresses: bindings.map(({ buffer }) => (buffer === input ? x : y).address),
        groups: [all, groups[0], groups[1]],
        part: 1,
        stride: 0,
      },
    ] as const,
  };
  const id = team.load(program, program);
  await team.run({ program, id, index: 0, scratch: 0, pause: () => undefined });
  expect(floats(y).every((v) => v === 2)).toBe(true);
  expect(mine).toBeLessThan(3);
  team.destroy();
});

/** Sums, softmax and products over rows of 192: kernels of every kind. */
function block() {
  const side = 192;
  const names = ["x", "g", "b", "q", "w"];
  const of = (name: string) =>
    input(name, "f32", name === "g" || name === "b" ? [side] : [side, side]) as Tensor;
  const [x, g, b, q, w] = [of("x"), of("g"), of("b"), of("q"), of("w")];
  const heads = (of: Tensor) => reshape(of, [1, 1, side, side]) as Tensor;
  const normed = layerNorm(x, g, b) as Tensor;
  const seen = attention(heads(matmul(normed, q) as Tensor), heads(normed), heads(x));
  const tensor = matmul(reshape(seen, [side, side]) as Tensor, w) as Tensor;
  const given = names.map((name, i) => [
    name,
    Float32Array.from(randomNumbers(name === "g" || name === "b" ? side : side ** 2, i)),
  ]);
  return { graph: graphOf([{ name: "y", tensor }]), given: Object.fromEntries(given) };
}

const digest = (bytes: NodeJS.ArrayBufferView) => createHash("sha256").update(bytes).digest("hex");
const moment = () => new Promise((resolve) => setTimeout(resolve, 10));

test("a step that takes less than calling workers is done by the thread that calls", async () => {
  const { team, step } = await teamOf(endless, 2, false);
  await firstWorker();
  // A clock that stands still: no part takes any time. A worker that joined a step would never end it.
  vi.spyOn(performance, "now").mockReturnValue(0);
  for (let i = 0; i < 300; i++) await team.run(step);
  team.destroy();
});

describe("one, two and seven threads give the same bytes", () => {
  const counts = [1, 2, 7];

  test.each([
    ["in lanes", "own"],
    ["with barriers, where each thread has memory of its own", "default"],
  ])("a block of a transformer, %s", async (_, kind) => {
    const { graph, given } = block();
    const found = new Set<string>();
    for (const threads of counts) {
      const device = cpuDevice({ threads });
      const profile = kind === "own" ? deviceProfile(device.capabilities) : defaultProfile;
      const session = await createSession(compile(graph, { target: "wasm", profile }), device);
      // Workers may still be starting in the first runs.
      for (let i = 0; i < 10; i++) {
        found.add(digest((await session.run(given)).y!));
        await moment();
      }
      await session.close();
      device.destroy();
    }
    expect(found.size).toBe(1);
  });

  test("training, gone on from a checkpoint with another number of threads", () =>
    expectEqualTraining(async (threads) => cpuDevice({ threads })));
});

describe("a worker that ends by itself", () => {
  test("loses the device: E422, with the reason", async () => {
    const { graph, given } = block();
    const device = cpuDevice({ threads: 2 });
    const session = await createSession(compile(graph, { target: "wasm" }), device);
    await session.run(given);
    await (await firstWorker()).terminate();
    expect(await session.lost).toMatch(/^a worker thread has ended: exit code 1/);
    const { code, message } = await refusal(() => session.run(given));
    expect(code).toBe("E422");
    expect(message).toMatch(/a worker thread has ended.*open a new device/s);
    await session.close();
  });

  test("in the middle of a step is not waited for", async () => {
    const { team, step, lost } = await teamOf(endless);
    const worker = await firstWorker();
    const running = team.run(step);
    setTimeout(() => worker.terminate(), 100);
    expect(await lost).toBe("exit code 1");
    await running;
    team.destroy();
  });
});

test("E900: a kernel that fails in a worker is named, and why", async () => {
  const { team, step } = await teamOf(trap);
  const { code, message } = await refusal(() => team.run(step));
  expect(code).toBe("E900");
  expect(message).toMatch(/kernel made by hand: RuntimeError: unreachable/);
  team.destroy();
});

describe("workers end", () => {
  test("with their device, even while they work", async () => {
    const { team, step } = await teamOf(endless, 3);
    const running = team.run(step);
    await moment();
    const ends = workers.map((worker) => once(worker, "exit"));
    team.destroy();
    await running;
    await Promise.all(ends);
    expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  });

  test("with the process, whether the device is destroyed or not", async () => {
    await buildPackage();
    const text = `
      const { openDevice } = await import("./dist/entries/node.js");
      const { createSession } = await import("./dist/entries/runtime.js");
      const { compile, input, trace } = await import("./dist/entries/index.js");
      const { mul } = await import("./dist/entries/ops.js");
      const { device } = await openDevice({ kind: "cpu", ...JSON.parse(process.argv[1]) });
      const plan = compile(trace(() => ({ y: mul(input("x", "f32", [9999]), 2) }), {}), { target: device.target });
      const session = await createSession(plan, device);
      const { y } = await session.run({ x: new Float32Array(9999).fill(4) });
      console.log(y[9998]);`;
    const run = (options: object, ...flags: string[]) =>
      node([...flags, "--input-type=module", "-e", text, JSON.stringify(options)], repository);
    expect(await run({ threads: 3 })).toMatchObject({ code: 0, stdout: "8\n" });
    // A process that may start none does without, unless it was told how many there are to be.
    const policy = ["--permission", "--experimental-permission"].find((flag) =>
      process.allowedNodeEnvironmentFlags.has(flag),
    )!;
    expect(await run({}, policy, "--allow-fs-read=*")).toMatchObject({ code: 0, stdout: "8\n" });
    const { stderr } = await run({ threads: 3 }, policy, "--allow-fs-read=*");
    expect(stderr).toMatch(/E484.*cannot have 3 threads here: .*permission/s);
  });
});

test("E484: threads where memory cannot be shared; unasked there is one", async () => {
  vi.stubGlobal("SharedArrayBuffer", undefined);
  const { code, kind, message } = await refusal(() => cpuDevice({ threads: 2 }));
  expect([code, kind]).toEqual(["E484", "user"]);
  expect(message).toMatch(/memory cannot be shared.*Cross-Origin-Opener-Policy: same-origin/s);
  const { graph, given } = block();
  const session = await createSession(compile(graph, { target: "wasm" }), cpuDevice());
  expect((await session.run(given)).y).toHaveLength(192 ** 2);
  expect(workers).toEqual([]);
});

test.each([0, 1.5, -2, 1000, "two", Number.NaN])("E465: threads cannot be %s", async (threads) => {
  const { code, message } = await refusal(() => cpuDevice({ threads } as never));
  expect(code).toBe("E465");
  expect(message).toContain("takes a whole number from 1 to 256");
});

test("memory that a larger plan outgrows is freed only between steps", () => {
  const memory = new CpuMemory(wasmEngine(), true);
  const scratch = new Scratch(memory, 2);
  scratch.hold(1000);
  const first = scratch.enter();
  scratch.hold(100_000);
  // A step that is under way still uses the first range.
  expect(memory.allocate(2048).address).not.toBe(first);
  expect(scratch.enter()).not.toBe(first);
  expect(memory.allocate(2048).address).toBe(first);
});
