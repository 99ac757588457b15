/** The functions that WebAssembly lacks, over all numbers of 32 bits, against double precision. */
import { expect, test } from "vitest";
import { Builder } from "../../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../../compiler/kernel/ir.ts";
import type { Value } from "../../../../compiler/kernel/value.ts";
import { cpuDevice } from "../../../../runtime/devices/cpu.ts";
import { openDevice } from "../../../../runtime/node/index.ts";
import { describeFunctions } from "../../../support/all-numbers.ts";
import { runKernel } from "../../../support/one-kernel.ts";

type Stored = "f32" | "u32" | "i32";

/** y = f(x), element by element. */
function map(size: number, from: Stored, to: Stored, f: (x: Value) => Value): Kernel {
  const k = new Builder();
  const [x, y] = [k.param("x", from, size, "read"), k.param("y", to, size, "write")];
  const i = k.let("i", k.group(0).mul(64).add(k.thread(0, 64)));
  k.if(i.lt(size), () => k.store(y, i, f(k.load(x, i))));
  return k.finish("map", [64, 1, 1], [Math.ceil(size / 64), 1, 1]);
}

const device = cpuDevice();
const { device: fusing } = await openDevice({ kind: "cpu" });

describeFunctions("without fma", async () => device);
describeFunctions("with fma", async () => fusing);

test("zeros keep their sign, where the function does", async () => {
  const x = Float32Array.of(0, -0, 0, -0);
  for (const name of ["exp", "log", "tanh"] as const) {
    const { y } = await runKernel(
      device,
      map(4, "f32", "f32", (v) => v[name]()),
      { x },
    );
    expect([...y!], name).toEqual([...x].map(Math[name]));
  }
});

const integers = [
  0, 1, 2, 3, 5, 7, 641, 65535, 65536, 2147483647, 2147483648, 4294967294, 4294967295,
];
const pairs = integers.flatMap((a) => integers.map((b) => [a, b] as const));

test.each([
  ["u32", "div", (a: number, b: number) => (b ? Math.floor(a / b) : a)],
  ["u32", "mod", (a: number, b: number) => (b ? a % b : 0)],
  ["i32", "div", (a: number, b: number) => (b | 0 ? (a | 0) / (b | 0) : a) | 0],
  ["i32", "mod", (a: number, b: number) => (b | 0 ? (a | 0) % (b | 0) : 0) | 0],
] as const)("%s %s of all ends, by numbers that differ and by one", async (type, fn, plain) => {
  const make = { u32: Uint32Array, i32: Int32Array }[type];
  const k = new Builder();
  const size = pairs.length + (4 - (pairs.length % 4));
  const [a, b] = [k.param("a", type, size, "read"), k.param("b", type, size, "read")];
  const [y, z] = [k.param("y", type, size, "write"), k.param("z", type, size, "write")];
  const i = k.let("i", k.group(0).mul(4).add(k.thread(0, 4)));
  k.store(y, i, k.load(a, i)[fn](k.load(b, i)));
  k.store(z, i, k.load(a, k.group(0))[fn](k.load(b, k.group(0))));
  const kernel = k.finish("quotients", [4, 1, 1], [size / 4, 1, 1]);
  const all = Array.from({ length: size }, (_, at) => pairs[at] ?? ([1, 1] as const));
  const given = { a: make.from(all.map(([x]) => x)), b: make.from(all.map(([, x]) => x)) };
  const results = await runKernel(device, kernel, given);
  const wanted = [...given.a].map((x, at) => plain(x, given.b[at]!));
  expect([...results.y!]).toEqual(wanted);
  expect([...results.z!]).toEqual(wanted.map((_, at) => wanted[at >> 2]!));
});

test("u32 quotients by numbers known beforehand", async () => {
  const x = Uint32Array.from([
    ...integers,
    ...integers.map((n) => n * 37),
    12345,
    7 * 613566756,
    4,
  ]);
  const even = x.subarray(0, x.length - (x.length % 4)).slice();
  for (const by of [2, 3, 7, 10, 641, 4096, 65537, 2147483647, 4294967295]) {
    const kernel = map(even.length, "u32", "u32", (v) => v.div(by).add(v.mod(by)));
    const { y } = await runKernel(device, kernel, { x: even });
    expect(y, `by ${by}`).toEqual(even.map((v) => Math.floor(v / by) + (v % by)));
  }
});
