/** Which profile of a bundle a device takes, from what it says of itself. */
import { expect, test } from "vitest";
import { profileEntry } from "../../../build/bundle-content.ts";
import { profilesNamed } from "../../../build/profiles.ts";
import { compile, graphOf, input, Parameters } from "../../../compiler/index.ts";
import { matmul, softmax } from "../../../ops/index.ts";
import { type Bundle, bundleFormat } from "../../../runtime/bundle/bundle.ts";
import { chooseProfile } from "../../../runtime/bundle/choose.ts";
import { cpuDevice } from "../../../runtime/devices/cpu.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import { referenceDevice } from "../../../runtime/devices/reference.ts";
import { refusal } from "../../support/weights-files.ts";

const x = input("x", "f32", [64, 64]);
const w = new Parameters().f32("w", [64, 64]);
const graph = graphOf([{ name: "y", tensor: softmax(matmul(x, w), 1) }]);

/** A bundle with these profiles, compiled as `inarch build` compiles them, mixed precision. */
async function bundleWith(...names: string[]): Promise<Bundle> {
  const none = () => expect.fail("no device is asked");
  const profiles = (await profilesNamed(names, none)).map(({ name, target, profile, software }) => {
    const plan = compile(graph, { target, profile, precision: "mixed", weightFormat: "f16" });
    const plans = new Map([["forward", plan]]);
    const { content, ...entry } = profileEntry({ name, plans, software });
    return { ...entry, load: async () => content };
  });
  return { format: bundleFormat, name: "scores", profiles };
}

const usual = {
  ...{ maxBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28, maxBindings: 8, maxSharedBytes: 2 ** 14 },
  ...{ maxThreads: 256, maxGroups: 65535, alignment: 256, half: false },
  ...{ slowBarriers: false, slowCompiler: false },
};
const deviceOf = (own: Partial<Device["capabilities"]>, target = "wgsl"): Device => {
  const device = referenceDevice();
  const capabilities = { ...device.capabilities, ...usual, name: "one", ...own };
  return { ...device, target: target as Device["target"], name: "one", capabilities };
};
const wide = { least: 32, most: 32, numbered: true };
const software = { slowBarriers: true, slowCompiler: true, deviceClass: "software" as const };

const all = await bundleWith("default", "subgroups", "f16", "wasm", "subgroups-4", "subgroups-8");

test.each([
  ["a GPU with halves and subgroups", { half: true, subgroups: wide }, "f16"],
  ["one without halves", { subgroups: wide }, "subgroups"],
  ["one of several widths", { subgroups: { ...wide, most: 64 } }, "subgroups"],
  ["one without subgroups", {}, "default"],
  ["one that cannot number them", { subgroups: { ...wide, numbered: false } }, "default"],
  ["a software GPU", { ...software, half: true, subgroups: wide }, "default"],
  ["one of four", { ...software, subgroups: { ...wide, least: 4, most: 4 } }, "subgroups-4"],
  ["one of eight", { ...software, subgroups: { ...wide, least: 8, most: 8 } }, "subgroups-8"],
])("%s", (_, capabilities, name) => {
  expect(chooseProfile(all, deviceOf(capabilities)).name).toBe(name);
});

test("a processor takes its own", () => {
  expect(chooseProfile(all, cpuDevice({ threads: 1 })).name).toBe("wasm");
});

test("what is for other devices is taken where there is nothing else", async () => {
  const only = await bundleWith("subgroups");
  expect(chooseProfile(only, deviceOf({ ...software, subgroups: wide })).name).toBe("subgroups");
});

test.each([
  ["another target", ["default"], deviceOf({}, "wasm"), "(wasm), but default (wgsl)"],
  ["fewer threads", ["default"], deviceOf({ maxThreads: 1 }), "default needs "],
  ["no subgroups", ["subgroups"], deviceOf({}), "subgroups numbers subgroups"],
  [
    "coarser offsets",
    ["default"],
    deviceOf({ alignment: 2 ** 20 }),
    "needs 4096 bytes of alignment",
  ],
  ["smaller buffers", ["default"], deviceOf({ maxBufferBytes: 4 }), "bytes of one buffer"],
  ["fewer workgroups", ["default"], deviceOf({ maxGroups: 0 }), "workgroups along one axis"],
])("E616 for a device with %s", async (_, names, device, says) => {
  const bundle = await bundleWith(...names);
  const { code, message } = await refusal(() => chooseProfile(bundle, device));
  expect([code, message]).toEqual(["E616", expect.stringContaining(says)]);
});

test("E503 for a profile that there is not, with the one that was meant", async () => {
  const { code, message } = await refusal(() => bundleWith("subgroup"));
  expect([code, message]).toEqual(["E503", expect.stringContaining("did you mean subgroups?")]);
});
