/** Quotients and remainders by numbers known beforehand, interpreted, and that ptxas is asked for none. */
import { expect, test } from "vitest";
import { compile, traceProgram } from "../../../../compiler/index.ts";
import { Builder } from "../../../../compiler/kernel/builder.ts";
import { samModel } from "../../../../models/index.ts";
import { kernelText } from "../../../../runtime/devices/device.ts";
import { runKernel } from "../../../support/one-kernel.ts";
import { ptxDevice } from "../../../support/ptx-device.ts";
import { tinySam } from "../../../support/sam-small.ts";

const divisors = [
  ...[1, 2, 3, 5, 6, 7, 9, 10, 11, 14, 19, 25, 28, 64, 100, 107, 196, 640, 641, 768, 1000, 4096],
  ...[65535, 65537, 1000003, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 2, 2 ** 32 - 1],
];

test.each(divisors)("by %i", async (by) => {
  // Where a factor that is off by little shows first: beside multiples, the largest above all.
  const most = Math.floor((2 ** 32 - 1) / by);
  const numbers = [0, 1, 2, 3, most >> 1, most - 2, most - 1, most]
    .flatMap((n) => [n * by - 1, n * by, n * by + 1])
    .concat([2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1, 123456789, 3735928559])
    .filter((n) => n >= 0 && n < 2 ** 32);
  const x = Uint32Array.from(numbers);
  const k = new Builder();
  const [from, y, z] = [
    k.param("x", "u32", x.length, "read"),
    k.param("y", "u32", x.length, "write"),
    k.param("z", "u32", x.length, "write"),
  ];
  const i = k.let("i", k.group(0));
  k.store(y, i, k.load(from, i).div(by));
  k.store(z, i, k.load(from, i).mod(by));
  const kernel = k.finish("quotients", [1, 1, 1], [x.length, 1, 1]);
  const found = await runKernel(ptxDevice(), kernel, { x });
  expect([...found.y!]).toEqual(numbers.map((n) => Math.floor(n / by)));
  expect([...found.z!]).toEqual(numbers.map((n) => n % by));
});

test("kernels of SAM divide by no number that is known", () => {
  const { kernels } = compile(traceProgram(samModel(tinySam), "encode"), { target: "ptx" });
  expect(kernels.length).toBeGreaterThan(5);
  for (const kernel of kernels) expect(kernelText(kernel)).not.toMatch(/(?:div|rem)\.u32/);
});
