/** `--limits default|device` and `--target NAME`: what the command line compiles for. */
import type { Profile } from "../../compiler/profile.ts";

/** What every command that compiles calls the flag. */
export const limitsFlag = {
  type: "enum",
  options: ["default", "device"],
  formerly: { adapter: "device" },
  default: "default",
  description: "compile for the limits of any device of the target, or for those of this machine's",
} as const;

type LimitsName = (typeof limitsFlag.options)[number];

/** What is compiled for: a profile, and the device that it is of. */
export interface Limits {
  readonly profile: Profile;
  /** What its tuning is kept by; undefined for the limits of any device. */
  readonly device: string | undefined;
}

/** `--target`, made of the targets that there are. */
export async function targetFlag() {
  const { defaultTarget, targets } = await import("../../compiler/targets/find.ts");
  return {
    type: "enum",
    options: targets.map(({ name }) => name),
    default: defaultTarget.name,
    description: "what kernels are printed as: for WebGPU, or for another kind of device",
  } as const;
}

/**
 * The profile that a value of the flag stands for, where plans are made for a target.
 * @throws E400 to E406 when there is no device to ask.
 */
export async function limitsOf(limits: LimitsName, target?: string): Promise<Limits> {
  const { defaultProfile, deviceProfile } = await import("../../compiler/profile.ts");
  const { findTarget, usualProfile } = await import("../../compiler/targets/find.ts");
  const { deviceKey } = await import("../../compiler/tuning/tuning.ts");
  const { everywhere, openDevice } = await import("../../runtime/node/device.ts");
  const known = everywhere.find((one) => one.target === target);
  if (limits === "default") {
    if (known)
      return { profile: deviceProfile(known.capabilities), device: deviceKey(known.capabilities) };
    const named = target === undefined ? undefined : findTarget(target);
    return { profile: named ? usualProfile(named) : defaultProfile, device: undefined };
  }
  const { device } = await openDevice({ kind: known?.kind ?? "webgpu" });
  device.destroy();
  const { capabilities } = device;
  return { profile: deviceProfile(capabilities), device: deviceKey(capabilities) };
}

/** As `limitsOf`, for what no tuning concerns. */
export const profileOf = async (limits: LimitsName, target?: string): Promise<Profile> =>
  (await limitsOf(limits, target)).profile;
