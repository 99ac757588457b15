/** States: what a program returns under a state's name is what it reads at its next run. */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input, Parameters, state, zeros } from "../../compiler/index.ts";
import { add, mul, sum } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createSession } from "../../runtime/session.ts";
import { deviceTest } from "../support/device.ts";

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
