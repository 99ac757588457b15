/** What devices are given is bytes: they convert nothing. */
import { describe, expect, test } from "vitest";
import { compile, graphOf, input } from "../../compiler/index.ts";
import { mul } from "../../ops/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/index.ts";
import { createSession } from "../../runtime/session.ts";
import { writeNumbers } from "../../runtime/stored.ts";
import { deviceTest } from "../support/device.ts";

const singles = Float32Array.of(1.5, -0, 3e-45, Number.NaN, Number.POSITIVE_INFINITY, 7);
const words = Uint32Array.of(0, 1, 2 ** 31, 2 ** 32 - 1, 0x7f800001, 77);

async function keepsBytes(device: Device): Promise<void> {
  const [buffer] = await device.allocate([{ role: "arena", bytes: 64 }]);
  // Any view will do, and where it begins in its own memory does not matter.
  const around = new Uint8Array(4 + singles.byteLength);
  around.set(new Uint8Array(singles.buffer), 4);
  for (const view of [singles, around.subarray(4), new DataView(around.buffer, 4)]) {
    await device.write(buffer!, 8, new Float32Array(singles.length));
    await device.write(buffer!, 8, view as ArrayBufferView<ArrayBuffer>);
    const read = await device.read(buffer!, 8, singles.length, "f32");
    expect(Float32Array.from(read)).toEqual(singles);
  }
  await device.write(buffer!, 0, words);
  expect(await device.read(buffer!, 0, words.length, "u32")).toEqual(words);
  expect(await device.read(buffer!, 0, words.length, "i32")).toEqual(new Int32Array(words.buffer));
}

describe("bytes come back as they were", () => {
  test("from the reference device", () => keepsBytes(referenceDevice()));
  test("from the reference device in double precision", () =>
    keepsBytes(referenceDevice({ precision: "double" })));
  deviceTest("from a device", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    await keepsBytes(device);
    device.destroy();
  });
});

describe("numbers in double precision", () => {
  const third = Float64Array.of(1 / 3, 2 / 3);

  async function kept(device: Device) {
    const [buffer] = await device.allocate([{ role: "arena", bytes: 8 }]);
    await writeNumbers(device, buffer!, 0, third);
    return device.read(buffer!, 0, 2, "f32");
  }

  test("are rounded for devices that have singles", async () => {
    expect(await kept(referenceDevice())).toEqual(Float32Array.from(third));
  });

  test("stay what they are where each f32 is a double", async () => {
    expect(await kept(referenceDevice({ precision: "double" }))).toEqual(third);
  });

  test("pass through kernels, and beside them singles that were given", async () => {
    const device = referenceDevice({ precision: "double" });
    const [x, y] = [input("x", "f32", [2]), input("y", "f32", [2])];
    const plan = compile(graphOf([{ name: "z", tensor: mul(x, y) }]), { target: "reference" });
    const session = await createSession(plan, device);
    const { z } = await session.run({ x: third, y: Float32Array.of(0.1, 3) });
    expect(z).toEqual(Float64Array.of(third[0]! * Math.fround(0.1), third[1]! * 3));
  });
});

test("elements that nobody wrote are not read (E450)", async () => {
  const device = referenceDevice();
  const [buffer] = await device.allocate([{ role: "arena", bytes: 16 }]);
  await device.write(buffer!, 4, Float32Array.of(1));
  expect(await device.read(buffer!, 4, 1, "f32")).toEqual(Float32Array.of(1));
  await expect(device.read(buffer!, 4, 2, "f32")).rejects.toThrow(/E450.*element 1 of a result/s);
});
