/** `--limits default|device`: the compile profile of the command line. */
import type { Profile } from "../../compiler/profile.ts";

/** What every command that compiles calls the flag. */
export const limitsFlag = {
  type: "enum",
  options: ["default", "device"],
  formerly: { adapter: "device" },
  default: "default",
  description: "compile for the limits of any WebGPU device, or for those of this machine's",
} as const;

type LimitsName = (typeof limitsFlag.options)[number];

/** What is compiled for: a profile, and the device that it is of. */
export interface Limits {
  readonly profile: Profile;
  /** What its tuning is kept by; undefined for the limits of any device. */
  readonly device: string | undefined;
}

/**
 * The profile that a value of the flag stands for.
 * @throws E400 to E406 when there is no device to ask.
 */
export async function limitsOf(limits: LimitsName): Promise<Limits> {
  const { defaultProfile, deviceProfile } = await import("../../compiler/profile.ts");
  if (limits === "default") return { profile: defaultProfile, device: undefined };
  const { deviceKey } = await import("../../compiler/tuning/tuning.ts");
  const { openDevice } = await import("../../runtime/node/device.ts");
  const { device } = await openDevice();
  device.destroy();
  const { capabilities } = device;
  return { profile: deviceProfile(capabilities), device: deviceKey(capabilities) };
}

/** As `limitsOf`, for what no tuning concerns. */
export const profileOf = async (limits: LimitsName): Promise<Profile> =>
  (await limitsOf(limits)).profile;
