/** States: what a program returns under a state's name is what it reads at its next run. */
import { describe, expect, test } from "vitest";
import {
  compile,
  defineModel,
  deviceProfile,
  graphOf,
  input,
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
import { createSession } from "../../runtime/session.ts";
import { writeSafetensors } from "../../runtime/weights/index.ts";
import { deviceTest } from "../support/device.ts";
import { floats } from "../support/training-file.ts";
import { openBytes } from "../support/weights-files.ts";

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
    const { device } = await openDevice();
    await counts(device);
    device.destroy();
  });

  test("are read as they were, even by steps after the one that makes them anew", () => {
    const plan = compile(counter(), { target: "reference" });
    expect(plan.states.map((t) => t.name)).toEqual(["total", "runs"]);
    expect(plan.outputs.map((t) => t.name)).toEqual(["seen", "sum"]);
    expect(plan.commits.length).toBe(2);
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
