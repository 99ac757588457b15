/** The ways of computing that are compared: what a device must offer for each, and how to ask for it. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import { defaultProfile, deviceProfile, type Profile } from "../../compiler/profile.ts";
import type { Precision } from "../../compiler/storage/formats.ts";
import { InarchError } from "../../diagnostics/index.ts";
import type { Device } from "../../runtime/devices/device.ts";
import { webgpuDevice } from "../../runtime/devices/webgpu.ts";
import { openDevice, requestGpu } from "../../runtime/node/index.ts";

export interface Variant {
  readonly name: string;
  /** The device's kind, `webgpu` unless given. */
  readonly kind?: "cuda";
  /** What Dawn is asked for beyond what everybody gets. */
  readonly toggles: readonly string[];
  readonly precision: Precision;
  /** The profile from what the device offers; words instead where it lacks something. */
  readonly profile: (capabilities: Capabilities) => Profile | string;
}

/** Dawn keeps shader-f16 from NVIDIA's driver unless asked. */
const halves = "vulkan_enable_f16_on_nvidia";

const without = ({ matrices: _, ...others }: Profile): Profile => others;

/** As a program gets it that asks for nothing. */
export const f32: Variant = {
  name: "f32",
  toggles: [],
  precision: "f32",
  profile: (device) => without(deviceProfile(device)),
};

/** Compiled for no device in particular: the least limits, no collectives, loops as they are. */
export const portable: Variant = {
  ...f32,
  name: "f32, portable",
  profile: (device) => {
    const { alignment, maxBindingBytes, maxBufferBytes, rolled } = deviceProfile(device);
    return {
      ...defaultProfile,
      name: "portable",
      alignment,
      maxBindingBytes,
      maxBufferBytes,
      rolled,
    };
  },
};

export const collectives: Variant = {
  ...f32,
  name: "f32, collectives",
  profile: (device) => {
    if (!device.subgroups?.numbered)
      return "the device lacks the feature subgroups, or WGSL's subgroup_id";
    const own = without(deviceProfile(device));
    // Software devices have kernels of subgroups instead.
    return own.reduces ? "f32 has them already" : { ...own, subgroup: 0, reduces: true };
  },
};

export const unchecked: Variant = {
  ...f32,
  name: "f32, indices unchecked",
  toggles: ["disable_robustness"],
};

/** Halves in memory, read two from a word: what a browser gets on NVIDIA's driver. */
export const packed: Variant = {
  ...f32,
  name: "f16 packed",
  precision: "mixed",
  profile: (device) => ({ ...without(deviceProfile(device)), half: false }),
};

export const stored: Variant = {
  ...f32,
  name: "f16 stored",
  toggles: [halves],
  precision: "mixed",
  profile: (device) =>
    device.half ? without(deviceProfile(device)) : "the device lacks the feature shader-f16",
};

export const fragments: Variant = {
  name: "f16 fragments",
  toggles: [halves, "allow_unsafe_apis"],
  precision: "mixed",
  profile: (device) => {
    const { half, matrices } = device;
    if (!half) return "the device lacks the feature shader-f16";
    if (!matrices?.products.some(({ operand }) => operand === "f16"))
      return "the device multiplies no fragments of halves with sums in f32";
    return { ...deviceProfile(device), subgroup: 0, rolled: false, matrices };
  },
};

/** Through NVIDIA's own driver, which assembles PTX. */
export const cuda: Variant = { ...f32, name: "f32, CUDA", kind: "cuda" };

export const cudaStored: Variant = {
  ...cuda,
  name: "f16 stored, CUDA",
  precision: "mixed",
};

/** In tensor cores, by `mma.sync`. */
export const cudaFragments: Variant = {
  ...cudaStored,
  name: "f16 fragments, CUDA",
  profile: deviceProfile,
};

export const cudaBfloat: Variant = {
  ...cudaFragments,
  name: "bf16 fragments, CUDA",
  precision: "bf16",
};

/** What an op alone is timed with; what tells most comes first. */
export const timedAlone: readonly (readonly Variant[])[] = [
  [f32, fragments, cuda, cudaFragments, cudaBfloat],
  [stored, unchecked, cudaStored],
];

export interface Opened {
  readonly device: Device;
  readonly profile: Profile;
  readonly precision: Precision;
}

const devices = new Map<string, Promise<Device | string>>();

/** The device for a variant, opened once in this process; words where it does not offer it. */
export async function openVariant(variant: Variant): Promise<Opened | string> {
  const key = [variant.kind, ...variant.toggles].join();
  if (!devices.has(key)) devices.set(key, openKind(variant));
  const device = await devices.get(key)!;
  if (typeof device === "string") return device;
  const profile = variant.profile(device.capabilities);
  if (typeof profile === "string") return profile;
  return { device, profile, precision: variant.precision };
}

async function openKind({ kind, toggles }: Variant): Promise<Device | string> {
  if (kind === undefined) return openToTime(toggles);
  try {
    return (await openDevice({ kind })).device;
  } catch (cause) {
    if (cause instanceof InarchError && cause.kind === "environment") return cause.message;
    throw cause;
  }
}

/**
 * A device that is looked at all the time while it works: an application's sleeps between looks, which
 * would be part of every time. A software device needs the core itself.
 */
async function openToTime(toggles: readonly string[]): Promise<Device> {
  const gpu = await requestGpu({ toggles });
  const { summary, language } = gpu;
  if (summary.kind === "software") {
    gpu.destroy();
    return (await openDevice({ toggles })).device;
  }
  const name = summary.description || summary.device;
  const onDestroy = () => gpu.destroy();
  return webgpuDevice(gpu.device, { name, onDestroy, matrices: summary.matrices, language });
}
