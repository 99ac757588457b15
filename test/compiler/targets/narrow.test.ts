/** Numbers of 16 bits in memory: every target widens each as it is, and rounds to the nearest, ties to even. */
import { expect, test } from "vitest";
import { caseOf } from "../../../bench/cuda/plans.ts";
import { compile, graphOf, input, type Tensor } from "../../../compiler/index.ts";
import { Builder } from "../../../compiler/kernel/builder.ts";
import type { Kernel } from "../../../compiler/kernel/ir.ts";
import type { Value } from "../../../compiler/kernel/value.ts";
import { precisions, storedAs } from "../../../compiler/storage/formats.ts";
import { floatFormat, holdsSingles } from "../../../formats/index.ts";
import { neg } from "../../../ops/index.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { openDevice } from "../../../runtime/node/index.ts";
import { allNumbers } from "../../support/all-numbers.ts";
import { compiler } from "../../support/native.ts";
import { runKernel } from "../../support/one-kernel.ts";
import { runPrinted } from "../../support/printed-cuda.ts";
import { ptxDevice } from "../../support/ptx-device.ts";

const narrow = precisions.filter((precision) => !holdsSingles(storedAs[precision]));
const devices = {
  "the reference device": async () => referenceDevice(),
  PTX: async () => ptxDevice(),
  WebAssembly: async () => (await openDevice({ kind: "cpu" })).device,
  ...(compiler ? { C: async () => (await openDevice({ kind: "native" })).device } : {}),
};

type Stored = "f32" | "f16" | "bf16";

/** y = x: lines of neighbours, and what each thread has to look for. */
function copies(size: number, from: Stored, to: Stored, place: (i: Value) => Value): Kernel {
  const k = new Builder();
  const [x, y] = [k.param("x", from, size, "read"), k.param("y", to, size, "write")];
  const i = k.let("i", k.group(0).mul(64).add(k.thread(0, 64)));
  k.if(i.lt(size), () => {
    const at = k.let("at", place(i));
    k.store(y, at, k.load(x, at));
  });
  return k.finish("copies", [64, 1, 1], [Math.ceil(size / 64), 1, 1]);
}

/** Every number of a format, what is in the middle of two neighbours, what is beyond, and some of all others. */
function hardNumbers(format: Stored): Float32Array<ArrayBuffer> {
  const { decode } = floatFormat(format);
  const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const all = decode(new Uint8Array(patterns.buffer));
  const ties = all.map((x, i) => (x + (all[i + 1] ?? x)) / 2).filter(Number.isFinite);
  const ends = [65519, 65520, -65520, 3.3895e38, 3.3962e38, -3.4e38, Infinity, -Infinity];
  const found = [...all, ...ties, ...ends, ...allNumbers.filter((_, i) => i % 37 === 0)];
  return Float32Array.from(found.slice(0, found.length - (found.length % 2)));
}

const places = {
  neighbours: (i: Value) => i,
  "any places": (i: Value) => i.mul(7919).mod(65536),
};

for (const precision of narrow) {
  const format = storedAs[precision];
  const { encode, decode } = floatFormat(format);
  const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);

  test.each(Object.entries(devices))(`${format}, by %s`, async (_, open) => {
    const device = await open();
    for (const place of Object.values(places)) {
      const { y } = await runKernel(device, copies(65536, format, "f32", place), { x: patterns });
      expect(y).toEqual(decode(new Uint8Array(patterns.buffer)));
    }
    const x = hardNumbers(format);
    const rounded = await runKernel(device, copies(x.length, "f32", format, places.neighbours), {
      x,
    });
    const got = decode(new Uint8Array(rounded.y!.buffer as ArrayBuffer));
    const wanted = decode(encode(x));
    const wrong = [...x].flatMap((v, i) =>
      Object.is(got[i], wanted[i]) ? [] : [`${v}: ${got[i]}, not ${wanted[i]}`],
    );
    expect(wrong.slice(0, 5)).toEqual([]);
    device.destroy();
  });

  test(`${format}, by printed CUDA`, async () => {
    const values = [...hardNumbers(format)].filter((v) => !Number.isNaN(v));
    const tensor = neg(neg(input("x", "f32", [values.length]))) as Tensor;
    const plan = compile(graphOf([{ name: "y", tensor }]), {
      ...{ target: "cuda", policy: "unfused", precision },
    });
    expect(plan.kernels.map((k) => k.params.map((p) => p.scalar))).toEqual([
      [format, "f32"],
      ["f32", format],
    ]);
    const y = [...decode(encode(Float32Array.from(values)))];
    const one = caseOf({ name: format, plan, given: { x: values }, wanted: { y }, tolerance: 0 });
    expect(await runPrinted([one], { units: 1 })).toMatchObject({ faults: {}, passed: 1 });
  });
}
