/** Programs of ops on a device, in each precision, against the oracles. */
import { describe, expect, test } from "vitest";
import { deviceProfile } from "../../compiler/profile.ts";
import { type Precision, precisions } from "../../compiler/storage/formats.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { oddSubject } from "../../verify/ops/products.ts";
import { findOps } from "../../verify/ops/programs.ts";
import { canBeStored, type OpSetting, planOf, runExample } from "../../verify/ops/run.ts";
import { deviceTest } from "../support/device.ts";
import { describeNative } from "../support/native.ts";
import { ptxDevice } from "../support/ptx-device.ts";

const { subjects } = await findOps();
const programsOf = (name: string) =>
  subjects.find((subject) => subject.name === name)!.examples.map((make) => make());

const settingOf = (device: Device, precision: Precision): OpSetting => ({
  device,
  profile: deviceProfile(device.capabilities),
  precision,
});

describe.each(precisions)("in %s", (precision) => {
  test.each(["matmul", "softmax", "gather", "conv2d"])(
    "%s gives what the oracles give",
    async (name) => {
      for (const device of [referenceDevice(), ptxDevice()])
        for (const example of programsOf(name)) {
          const { error, fault } = await runExample(example, settingOf(device, precision));
          expect([fault, error < 2 ** -5]).toEqual([undefined, true]);
        }
    },
  );
});

const productsOn = (kind: "webgpu" | "cpu" | "native", precision: Precision) => async () => {
  const { device } = await openDevice({ kind });
  for (const make of oddSubject.examples) {
    const found = await runExample(make(), settingOf(device, precision));
    expect(found).toMatchObject({ fault: undefined });
  }
  device.destroy();
};

describe("products of odd sizes give what the oracles give", () => {
  deviceTest("in f32, on WebGPU", productsOn("webgpu", "f32"));
  deviceTest("in halves, on WebGPU", productsOn("webgpu", "mixed"));
  test("in bf16, as WebAssembly", productsOn("cpu", "bf16"));
});

describeNative("as C", () => {
  test("products of odd sizes give in bf16 what the oracles give", productsOn("native", "bf16"));
});

test("what is stored in less than singles is what the program reads, small tensors too", () => {
  const [example] = programsOf("matmul");
  const formats = precisions.map((precision) =>
    planOf(example!, settingOf(referenceDevice(), precision)).kernels.flatMap((k) =>
      k.params.map((p) => p.scalar),
    ),
  );
  expect(formats).toEqual([
    ["f32", "f32", "f32"],
    ["f32", "f16", "f16"],
    ["f32", "bf16", "bf16"],
  ]);
});

test("a wrong result is named", async () => {
  const [example] = programsOf("matmul");
  const setting = settingOf(referenceDevice(), "f32");
  const { device } = setting;
  const read: typeof device.read = async (...place) => {
    const numbers = await device.read(...place);
    numbers[1]! += 6;
    return numbers;
  };
  // 21, 24, 27; 47, 54, 61 are right.
  const outcome = await runExample(example!, { ...setting, device: { ...device, read } });
  expect(outcome).toEqual({ error: 6 / 61, fault: "output 0, element 1: 30 instead of 24" });
});

test("programs of whole numbers, and of numbers beyond a format, are not stored in it", () => {
  expect(programsOf("matmul").every((e) => canBeStored(e, "mixed"))).toBe(true);
  expect(programsOf("iota").some((e) => canBeStored(e, "mixed"))).toBe(false);
  expect(canBeStored(programsOf("log")[0]!, "mixed")).toBe(false);
  expect(canBeStored(programsOf("log")[0]!, "bf16")).toBe(true);
});
