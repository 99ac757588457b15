/** What the WebGPU device says that it can, and what a compile profile makes of it. */
import { describe, expect, test } from "vitest";
import { adapterProfile, deviceKey, deviceProfile } from "../../../compiler/index.ts";
import { matrixFeature } from "../../../runtime/devices/matrices.ts";
import { webgpuDevice } from "../../../runtime/devices/webgpu.ts";
import { webgpuCapabilities } from "../../../runtime/devices/webgpu-capabilities.ts";
import { requestNullGpu } from "../../../runtime/node/index.ts";

const limits = {
  ...{ maxStorageBufferBindingSize: 1, maxBufferSize: 2, maxStorageBuffersPerShaderStage: 3 },
  ...{ maxComputeWorkgroupStorageSize: 4, maxComputeInvocationsPerWorkgroup: 5 },
  ...{ maxComputeWorkgroupsPerDimension: 6, minStorageBufferOffsetAlignment: 32 },
};

interface Description {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
  readonly widths?: readonly [least: number, most: number];
  readonly features?: readonly string[];
}

const described = (of: Description = {}) => {
  const { vendor = "v", architecture = "a", description = "driver 1", features = [] } = of;
  const [subgroupMinSize, subgroupMaxSize] = of.widths ?? [4, 4];
  const adapterInfo = {
    ...{ vendor, architecture, device: "d", description, subgroupMinSize, subgroupMaxSize },
    isFallbackAdapter: of.isFallbackAdapter ?? false,
    subgroupMatrixConfigs: [{ componentType: "f32", resultComponentType: "f32", M: 8, N: 8, K: 8 }],
  };
  const gpu = { limits, adapterInfo, features: new Set(features) } as unknown as GPUDevice;
  return webgpuCapabilities(gpu, { language: new Set(["subgroup_id"]) });
};

describe("the capabilities of a WebGPU device", () => {
  test("are its limits and features in neutral words", () => {
    expect(described({ widths: [8, 32], features: ["subgroups", "shader-f16"] })).toEqual({
      name: "driver 1",
      deviceClass: "unknown",
      maxBindingBytes: 1,
      maxBufferBytes: 2,
      maxBindings: 3,
      maxSharedBytes: 4,
      maxThreads: 5,
      maxGroups: 6,
      alignment: 32,
      subgroups: { least: 8, most: 32, numbered: true },
      half: true,
      slowBarriers: false,
      slowCompiler: false,
      identity: { vendor: "v", architecture: "a", device: "d", description: "driver 1" },
    });
  });

  test("hold no subgroups, halves and fragments without the features", () => {
    const { subgroups, half, matrices } = described();
    expect([subgroups, half, matrices]).toEqual([undefined, false, undefined]);
  });

  test.each([
    ["nvidia", "ampere", "discrete"],
    ["intel", "xe-2hpg", "discrete"],
    ["intel", "gen-12", "integrated"],
    ["apple", "m2", "integrated"],
    ["nobody", "a", "unknown"],
  ] as const)("know the class of %s %s: %s", (vendor, architecture, deviceClass) => {
    expect(described({ vendor, architecture }).deviceClass).toBe(deviceClass);
  });

  test.each([
    ["a fallback", { vendor: "nvidia", isFallbackAdapter: true }],
    ["one of its name", { description: "llvmpipe (LLVM 19)" }],
  ])("of a software device, %s, have slow barriers and a slow compiler", (_, of) => {
    const found = described(of);
    expect(found).toMatchObject({
      ...{ deviceClass: "software", slowBarriers: true, slowCompiler: true },
    });
  });

  test("are plain data", () => {
    const found = described({ features: ["subgroups", matrixFeature] });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test("name the device for its tuning, and were called facts", async () => {
    const gpu = await requestNullGpu();
    const device = webgpuDevice(gpu.device);
    expect(device.facts).toBe(device.capabilities);
    expect(adapterProfile(device.facts!)).toEqual(deviceProfile(device.capabilities));
    device.destroy();
    gpu.destroy();
    expect(deviceKey(described({ vendor: "nvidia" }))).toBe("nvidia | a | d | driver 1");
  });
});

describe("the profile of a device", () => {
  const features = ["subgroups", matrixFeature];
  const software = described({ isFallbackAdapter: true, features });

  test("of hardware shares workgroup memory, multiplies fragments and lets loops be unrolled", () => {
    const profile = deviceProfile(described({ features }));
    expect(profile).toMatchObject({ subgroup: 4, slowBarriers: false, rolled: false });
    expect(profile.matrices?.products.length).toBe(1);
  });

  test("of software passes values within subgroups, if they have one width", () => {
    const profile = deviceProfile(software);
    expect(profile).toMatchObject({ subgroup: 4, slowBarriers: true, rolled: true });
    expect(profile.matrices).toBe(undefined);
    const several = described({ isFallbackAdapter: true, features, widths: [4, 8] });
    expect(deviceProfile(several).subgroup).toBe(0);
  });
});
