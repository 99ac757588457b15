/** The functions that C lacks for vectors, over all numbers of 32 bits, against double precision. */
import { afterAll, expect, test } from "vitest";
import { Builder } from "../../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../../compiler/kernel/ir.ts";
import type { Value } from "../../../../compiler/kernel/value.ts";
import { openDevice } from "../../../../runtime/node/index.ts";
import { describeFunctions } from "../../../support/all-numbers.ts";
import { compiler, describeNative } from "../../../support/native.ts";
import { runKernel, runKernels } from "../../../support/one-kernel.ts";

type Stored = "f32" | "u32" | "i32";

/** y = f(x), element by element. */
function map(size: number, from: Stored, to: Stored, f: (x: Value) => Value): Kernel {
  const k = new Builder();
  const [x, y] = [k.param("x", from, size, "read"), k.param("y", to, size, "write")];
  const i = k.let("i", k.group(0).mul(64).add(k.thread(0, 64)));
  k.if(i.lt(size), () => k.store(y, i, f(k.load(x, i))));
  return k.finish("map", [64, 1, 1], [Math.ceil(size / 64), 1, 1]);
}

const functions = {
  exp: [(x: Value) => x.exp(), Math.exp],
  log: [(x: Value) => x.log(), Math.log],
  tanh: [(x: Value) => x.tanh(), Math.tanh],
} as const;

describeNative("as C", () => {
  const opened = compiler ? openDevice({ kind: "native" }) : undefined;
  const deviceOf = async () => (await opened!).device;
  afterAll(async () => (await deviceOf()).destroy());

  describeFunctions("as C", deviceOf);

  test("zeros keep their sign, where the function does", async () => {
    const x = Float32Array.of(0, -0, 0, -0);
    const kernels = Object.values(functions).map(([call]) => map(4, "f32", "f32", call));
    const found = await runKernels(await deviceOf(), kernels, { x });
    const wanted = Object.values(functions).map(([, exact]) => [...x].map(exact));
    expect(found.map(({ y }) => [...y!])).toEqual(wanted);
  });

  const integers = [
    0, 1, 2, 3, 5, 7, 641, 65535, 65536, 2147483647, 2147483648, 4294967294, 4294967295,
  ];
  const pairs = integers.flatMap((a) => integers.map((b) => [a, b] as const));

  test("quotients of all ends, by numbers that differ and by one", async () => {
    const size = Math.ceil(pairs.length / 16) * 16;
    const both = Array.from({ length: size }, (_, at) => pairs[at] ?? ([1, 1] as const));
    const ways = [
      ["u32", "div", (a: number, b: number) => (b ? Math.floor(a / b) : a)],
      ["u32", "mod", (a: number, b: number) => (b ? a % b : 0)],
      ["i32", "div", (a: number, b: number) => (b | 0 ? (a | 0) / (b | 0) : a) | 0],
      ["i32", "mod", (a: number, b: number) => (b | 0 ? (a | 0) % (b | 0) : 0) | 0],
    ] as const;
    for (const [type, fn, plain] of ways) {
      const make = { u32: Uint32Array, i32: Int32Array }[type];
      const k = new Builder();
      const [a, b] = [k.param("a", type, size, "read"), k.param("b", type, size, "read")];
      const [y, z] = [k.param("y", type, size, "write"), k.param("z", type, size, "write")];
      const i = k.let("i", k.group(0).mul(16).add(k.thread(0, 16)));
      k.store(y, i, k.load(a, i)[fn](k.load(b, i)));
      k.store(z, i, k.load(a, k.group(0))[fn](k.load(b, k.group(0))));
      const kernel = k.finish("quotients", [16, 1, 1], [size / 16, 1, 1]);
      const given = { a: make.from(both.map(([n]) => n)), b: make.from(both.map(([, n]) => n)) };
      const found = await runKernel(await deviceOf(), kernel, given);
      const wanted = [...given.a].map((n, at) => plain(n, given.b[at]!));
      expect([...found.y!], `${type} ${fn}`).toEqual(wanted);
      expect([...found.z!], `${type} ${fn}`).toEqual(wanted.map((_, at) => wanted[at >> 4]!));
    }
  });
});
