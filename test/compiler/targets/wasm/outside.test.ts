/** Divisions of what does not change in a loop are computed before it. */
import { expect, test } from "vitest";
import type { Expr, Kernel, Stmt } from "../../../../compiler/kernel/ir.ts";
import { outsideLoops } from "../../../../compiler/targets/wasm/outside.ts";
import { cpuDevice } from "../../../../runtime/devices/cpu.ts";
import { runKernel } from "../../../support/one-kernel.ts";

const u32 = (value: number): Expr => ({ kind: "lit", type: "u32", value });
const ref = (name: string): Expr => ({ kind: "ref", type: "u32", name, mutable: false });
const call = (fn: "add" | "mul" | "div" | "mod", ...args: Expr[]): Expr => ({
  ...{ kind: "call", type: "u32", fn, args },
});
const lane: Expr = { kind: "lane", type: "u32" };
const [x, y] = (["x", "y"] as const).map((name) => ({
  ...{ name, space: "global", scalar: "u32", size: 64, writable: name === "y" },
})) as [Kernel["params"][number], Kernel["params"][number]];

/** y[4 i + lane] = x[(lane + 5) % 3 + i / 2 + 1]: one quotient is of the counter. */
const place = call("add", call("mod", call("add", lane, u32(5)), u32(3)), u32(1));
const value: Expr = {
  ...{ kind: "load", type: "u32", from: x },
  index: call("add", place, call("div", ref("i"), u32(2))),
};
const loop: Stmt = {
  ...{ kind: "for", name: "i", count: 16, rolled: true },
  body: [{ kind: "store", to: y, index: call("add", call("mul", ref("i"), u32(4)), lane), value }],
};
const kernel: Kernel = {
  ...{ name: "places", params: [x, y], vectors: new Map(), scratch: [], fragments: [] },
  ...{ subgroup: 4, reduces: false, threads: [4, 1, 1], groups: [1, 1, 1], body: [loop] },
};

test("what changes in no round is named before the loop, once, and the rest stays in it", () => {
  const [named, changed, ...others] = outsideLoops(kernel).body;
  expect(others).toEqual([]);
  expect(named).toMatchObject({ kind: "let", value: place });
  const [store] = (changed as typeof loop & { body: Stmt[] }).body;
  const { name } = named as { name: string };
  expect(store).toMatchObject({ value: { index: { args: [ref(name), { fn: "div" }] } } });
  // Without divisions nothing moves.
  const plain: Kernel = { ...kernel, body: [{ ...loop, body: [] } as Stmt] };
  expect(outsideLoops(plain).body).toEqual(plain.body);
});

test("it is the same kernel", async () => {
  const given = { x: Uint32Array.from({ length: 64 }, (_, i) => i * i) };
  const results = await runKernel(cpuDevice(), kernel, given);
  const wanted = Array.from({ length: 64 }, (_, j) => {
    const [i, own] = [j >> 2, j % 4];
    return (((own + 5) % 3) + 1 + (i >> 1)) ** 2;
  });
  expect([...results.y!]).toEqual(wanted);
});
