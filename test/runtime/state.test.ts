/** States: what a program returns under a state's name is what it reads at its next run. */
import { describe, expect, test } from "vitest";
import {
  compile,
  type DType,
  defineModel,
  deviceProfile,
  graphOf,
  type Init,
  input,
  kaiming,
  ones,
  Parameters,
  state,
  type Tensor,
  trace,
  traceProgram,
  zeros,
} from "../../compiler/index.ts";
import { add, cast, gt, matmul, mul, reshape, slice, sum, transpose } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createSession, type Session } from "../../runtime/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { deviceTest } from "../support/device.ts";
import { floats } from "../support/training-file.ts";
import { openBytes, refusal } from "../support/weights-files.ts";

const weightsOf = (tensors: Readonly<Record<string, readonly number[]>>) =>
  openBytes(
    writeSafetensors(
      new Map(Object.entries(tensors).map(([name, v]) => [name, floats(v, [v.length])])),
    ),
  );

function counter() {
  const x = input("x", "f32", [5]);
  const [total, runs] = [state("total", "f32", [5]), state("runs", "f32", [1])];
  const after = add(total, x);
  return graphOf([
    { name: "total", tensor: after },
    { name: "runs", tensor: add(runs, 1) },
    { name: "seen", tensor: add(mul(total, 10), runs) },
    { name: "sum", tensor: sum(after) },
  ]);
}

async function counts(device: Device) {
  const session = await createSession(compile(counter(), { target: device.target }), device);
  const x = [1, 2, 3, 4, 5];
  expect([...(await session.run({ x })).seen!]).toEqual([0, 0, 0, 0, 0]);
  expect([...(await session.run()).seen!]).toEqual([11, 21, 31, 41, 51]);
  const last = await session.run();
  expect([...last.seen!]).toEqual([22, 42, 62, 82, 102]);
  expect([...last.sum!]).toEqual([45]);
  session.close();
}

describe("states", () => {
  test("keep their values between runs on the reference device", () => counts(referenceDevice()));
  deviceTest("keep their values between runs on the device", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    await counts(device);
    device.destroy();
  });

  test("are read as they were, even by steps after the one that makes them anew", () => {
    const plan = compile(counter(), { target: "reference" });
    expect(plan.states.map((t) => t.name)).toEqual(["total", "runs"]);
    expect(plan.outputs.map((t) => t.name)).toEqual(["seen", "sum"]);
    expect(plan.commits.length).toBe(2);
  });

  test("do not move while steps are measured, and outputs are those of that run", async () => {
    const device = referenceDevice();
    const session = await createSession(compile(counter(), { target: device.target }), device);
    await session.run({ x: [1, 2, 3, 4, 5] });
    await session.profile({ x: [2, 0, 0, 0, 0] });
    const { sum: total, seen, ...after } = await session.read(["sum", "seen", "total", "runs"]);
    expect([...total!]).toEqual([17]);
    expect([...seen!]).toEqual([11, 21, 31, 41, 51]);
    expect([...after.total!, ...after.runs!]).toEqual([1, 2, 3, 4, 5, 1]);
    await session.close();
  });
});

describe("a state that is declared", () => {
  /** `s` is written from x, `t` from s as it was; `c` is read alone; nothing touches `u`. */
  const model = defineModel({
    name: "declared",
    build: () => {
      const x = input("x", "f32", [3]);
      state("u", "f32", [2]);
      const [s, c] = [mul(x, 2), state("c", "f32", [3])];
      state("s", "f32", [3]);
      return { s, y: add(x, c) };
    },
  });

  test("is a state where nothing reads it, and where nothing writes it", () => {
    for (const policy of ["fused", "unfused"] as const) {
      const plan = compile(traceProgram(model, "forward"), { target: "reference", policy });
      expect(plan.states.map((t) => t.name)).toEqual(["u", "c", "s"]);
      expect(plan.outputs.map((t) => t.name)).toEqual(["y"]);
      expect(plan.commits.map(({ to }) => plan.buffers[to.buffer]!.name)).toEqual(["s"]);
    }
  });

  test("stays where a law of algebra makes its reads vanish", () => {
    const graph = trace(() => {
      const [x, s] = [input("x", "f32", [3]), state("s", "f32", [3])];
      return { y: reshape(add(x, mul(s, 0)), [3]), s: x };
    }, {});
    const plan = compile(graph, { target: "reference" });
    expect(plan.states.map((t) => t.name)).toEqual(["s"]);
    expect(plan.commits.length).toBe(1);
  });

  test("takes i32, u32, bool, and f32 from results that are stored as halves", async () => {
    const graph = trace(() => {
      const x = input("x", "f32", [32, 64]);
      const [n, u] = [state("n", "i32", [4]), state("u", "u32", [4])];
      const b = state("b", "bool", [4]);
      state("half", "f32", [32, 64]);
      const rows = matmul(x, transpose(x) as Tensor<"f32">);
      const first = reshape(
        slice(x, [
          [0, 1],
          [0, 4],
        ]),
        [4],
      );
      return {
        n: add(n, cast(first, "i32")),
        u: add(u, 3),
        b: gt(first, 0),
        half: matmul(rows, x),
        seen: cast(n, "f32"),
        flags: cast(b, "f32"),
        counts: cast(u, "f32"),
      };
    }, {});
    const device = referenceDevice();
    const profile = deviceProfile(device.capabilities);
    const plan = compile(graph, { target: "reference", profile, precision: "mixed" });
    for (const { from, to } of plan.commits) expect(from.bytes).toBe(to.bytes);
    const session = await createSession(plan, device);
    const x = Array.from({ length: 32 * 64 }, (_, i) => ((i * 7) % 11) - 5);
    await session.run({ x });
    const { seen, flags, counts } = await session.run();
    expect([...seen!]).toEqual([-5, 2, -2, 5]);
    expect([...flags!]).toEqual([0, 1, 0, 1]);
    expect([...counts!]).toEqual([3, 3, 3, 3]);
  });

  test("may be called as a parameter is, and an input as a parameter", async () => {
    const graph = trace((p) => {
      const [s, x] = [state("s", "f32", [2]), input("x", "f32", [2])];
      return { y: add(p.f32("s", [2]), add(s, add(x, p.f32("x", [2])))), s: x };
    }, {});
    const session = await createSession(
      compile(graph, { target: "reference" }),
      referenceDevice(),
      {
        weights: await weightsOf({ s: [100, 200], x: [1000, 2000] }),
      },
    );
    expect([...(await session.run({ x: [1, 2] })).y!]).toEqual([1101, 2202]);
    expect([...(await session.run()).y!]).toEqual([1102, 2204]);
  });
});

describe("a state begins", () => {
  const declared = () =>
    compile(
      trace(() => {
        const states = {
          zero: state("zero", "f32", [3]),
          half: state("half", "f32", [3], { init: { kind: "constant", value: 0.5 } }),
          count: state("count", "i32", [3], { init: { kind: "constant", value: -2 } }),
          seeds: state("seeds", "u32", [3], { init: { kind: "constant", value: 2 ** 32 - 1 } }),
          flags: state("flags", "bool", [3], { init: ones }),
          noise: state("noise", "f32", [3], { init: kaiming(4) }),
          mean: state("mean", "f32", [3], { init: { kind: "copy", from: "old" } }),
        };
        const half = add(states.half, states.mean);
        return { y: half, half, count: add(states.count, 1), mean: mul(states.mean, 2) };
      }, {}),
      { target: "reference" },
    );
  const names = ["zero", "half", "count", "seeds", "flags", "noise", "mean"];
  const open = async () => {
    const weights = await weightsOf({ old: [7, 8, 9] });
    return createSession(declared(), referenceDevice(), { weights });
  };
  const contents = async (session: Session) =>
    Object.fromEntries(Object.entries(await session.read(names)).map(([k, v]) => [k, [...v]]));

  test("as it says, in every dtype, and after a reset again", async () => {
    const session = await open();
    const first = await contents(session);
    expect(first).toMatchObject({
      zero: [0, 0, 0],
      half: [0.5, 0.5, 0.5],
      count: [-2, -2, -2],
      seeds: [4294967295, 4294967295, 4294967295],
      flags: [1, 1, 1],
      mean: [7, 8, 9],
    });
    for (const value of first.noise!) expect(Math.abs(value)).toBeLessThanOrEqual(0.5);
    expect(new Set(first.noise).size).toBe(3);
    expect([...(await session.run()).y!]).toEqual([7.5, 8.5, 9.5]);
    await session.run();
    expect(await contents(session)).toMatchObject({ count: [0, 0, 0], mean: [28, 32, 36] });
    await session.reset("count");
    expect(await contents(session)).toMatchObject({ count: [-2, -2, -2], mean: [28, 32, 36] });
    await session.reset(["mean", "half"]);
    expect(await contents(session)).toEqual(first);
    await session.run();
    await session.reset();
    expect(await contents(session)).toEqual(first);
  });

  test("as numbers that are written there, and a state that nothing writes keeps them", async () => {
    const session = await open();
    await session.write({ seeds: [1, 2, 3], flags: [0, 1, 0], zero: [0.25, 0.5, 1] });
    await session.run();
    const after = await contents(session);
    expect(after).toMatchObject({ seeds: [1, 2, 3], flags: [0, 1, 0], zero: [0.25, 0.5, 1] });
    await session.reset("zero");
    expect(await contents(session)).toMatchObject({ zero: [0, 0, 0], seeds: [1, 2, 3] });
  });

  test("nowhere else: E253 and E420 leave all as it was", async () => {
    const session = await open();
    const first = await contents(session);
    const { code, message } = await refusal(() => session.reset(["mean", "meen"]));
    expect([code, message]).toEqual(["E253", expect.stringContaining('did you mean "mean"?')]);
    expect((await refusal(() => session.write({ zero: [1, 2, 3], nil: [0] }))).code).toBe("E253");
    expect((await refusal(() => session.write({ zero: [1, 2, 3], half: [0] }))).code).toBe("E420");
    expect(await contents(session)).toEqual(first);
  });

  test("not without the weights that it is copied from", async () => {
    const none = await refusal(() => createSession(declared(), referenceDevice()));
    expect([none.code, none.message]).toEqual(["E420", expect.stringContaining("the state mean")]);
    const others = { weights: await weightsOf({ new: [1] }) };
    const lacking = await refusal(() => createSession(declared(), referenceDevice(), others));
    expect(lacking.code).toBe("E430");
  });

  test.each<[DType, Init]>([
    ["i32", { kind: "constant", value: 0.5 }],
    ["i32", { kind: "constant", value: 2 ** 31 }],
    ["u32", { kind: "constant", value: -1 }],
    ["bool", { kind: "constant", value: 2 }],
    ["f32", { kind: "constant", value: Number.NaN }],
    ["f32", { kind: "constant", value: 1e39 }],
    ["f32", { kind: "uniform", bound: Number.POSITIVE_INFINITY }],
    ["i32", { kind: "uniform", bound: 3 }],
    ["u32", { kind: "copy", from: "old" }],
    ["f32", 1 as never],
    ["f32", null as never],
  ])("never, %s, as %j: E252", async (dtype, init) => {
    const { code } = await refusal(() => state("s", dtype, [2], { init }));
    expect(code).toBe("E252");
  });

  test("nor a parameter as a number that is none: E252", async () => {
    const init: Init = { kind: "normal", deviation: Number.NaN };
    const { code } = await refusal(() => new Parameters().f32("w", [2], { init }));
    expect(code).toBe("E252");
  });
});

describe("a layout", () => {
  test("puts parameters and outputs into states that several plans share", async () => {
    const p = new Parameters();
    const [a, b] = [p.f32("a", [3], { init: zeros }), p.f32("b", [2])];
    const layout = {
      states: [{ name: "all", bytes: 512 }],
      parameters: new Map([
        ["a", { state: "all", offset: 0 }],
        ["b", { state: "all", offset: 256 }],
      ]),
      outputs: new Map([["doubled", { state: "made", offset: 0 }]]),
    };
    const graph = graphOf([
      { name: "doubled", tensor: mul(a, 2) },
      { name: "b", tensor: add(b, 1) },
    ]);
    const plan = compile(graph, { target: "reference", layout });
    expect(plan.buffers.map((x) => [x.role, x.name])).toEqual([
      ["state", "all"],
      ["state", "made"],
      ["output", undefined],
    ]);
    const device = referenceDevice();
    const [all] = await device.allocate([{ role: "state", bytes: 512, name: "all" }]);
    device.write(all!, 0, Float32Array.of(1, 2, 3));
    device.write(all!, 256, Float32Array.of(7, 8));
    const shared = { states: new Map([["all", all!]]), arenas: [] };
    const session = await createSession(plan, device, { shared });
    const results = await session.run();
    expect([...results.doubled!]).toEqual([2, 4, 6]);
    expect([...results.b!]).toEqual([8, 9]);
  });
});
