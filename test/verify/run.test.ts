/** Programs of ops on a device, as they are and with halves for what they read, against the oracles. */
import { describe, expect, test } from "vitest";
import { deviceProfile } from "../../compiler/profile.ts";
import { referenceDevice } from "../../runtime/devices/reference.ts";
import { openDevice } from "../../runtime/node/device.ts";
import { oddSubject } from "../../verify/ops/products.ts";
import { findOps } from "../../verify/ops/programs.ts";
import { canBeHalved, type OpSetting, planOf, runExample } from "../../verify/ops/run.ts";
import { deviceTest } from "../support/device.ts";

const { subjects } = await findOps();
const programsOf = (name: string) =>
  subjects.find((subject) => subject.name === name)!.examples.map((make) => make());

const storages = ["singles", "halves"] as const;
const reference = (storage: OpSetting["storage"]): OpSetting => {
  const device = referenceDevice();
  return { device, profile: deviceProfile(device.capabilities), storage };
};

describe.each(storages)("in %s", (storage) => {
  test.each(["matmul", "softmax", "gather", "conv2d"])(
    "%s gives what the oracles give",
    async (name) => {
      const setting = reference(storage);
      for (const example of programsOf(name)) {
        const { error, fault } = await runExample(example, setting);
        expect([fault, error < 2 ** -8]).toEqual([undefined, true]);
      }
    },
  );

  deviceTest("so do products of odd sizes, on the device", async () => {
    const { device } = await openDevice({ kind: "webgpu" });
    const setting = { device, profile: deviceProfile(device.capabilities), storage };
    for (const make of oddSubject.examples)
      expect(await runExample(make(), setting)).toMatchObject({ fault: undefined });
    device.destroy();
  });
});

test("what is stored as halves is what the program reads, small tensors too", () => {
  const [example] = programsOf("matmul");
  const formats = storages.map((storage) =>
    planOf(example!, reference(storage)).kernels.flatMap((k) => k.params.map((p) => p.scalar)),
  );
  expect(formats).toEqual([
    ["f32", "f32", "f32"],
    ["f32", "f16", "f16"],
  ]);
});

test("a wrong result is named", async () => {
  const [example] = programsOf("matmul");
  const setting = reference("singles");
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

test("programs of whole numbers, and of numbers beyond halves, have no halves", () => {
  expect(programsOf("matmul").every(canBeHalved)).toBe(true);
  expect(programsOf("iota").some(canBeHalved)).toBe(false);
  expect(canBeHalved(programsOf("log")[0]!)).toBe(false);
});
