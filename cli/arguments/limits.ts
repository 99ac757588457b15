/** `--limits default|adapter`: the compile profile of the command line. */
import { defaultProfile, deviceProfile, type Profile } from "../../compiler/profile.ts";
import { deviceKey } from "../../compiler/tuning/tuning.ts";
import { openDevice } from "../../runtime/node/device.ts";

/** What every command that compiles calls the flag. */
export const limitsFlag = {
  type: "enum" as const,
  options: ["default", "adapter"] as ("default" | "adapter")[],
  default: "default" as const,
  description:
    "compile for the limits of any WebGPU device, or for those of this machine's adapter",
};

/** What is compiled for: a profile, and the adapter that it is of. */
export interface Limits {
  readonly profile: Profile;
  /** What its tuning is kept by; undefined for the limits of any device. */
  readonly device: string | undefined;
}

/**
 * The profile that a value of the flag stands for.
 * @throws E400 to E406 when there is no adapter to ask.
 */
export async function limitsOf(limits: "default" | "adapter"): Promise<Limits> {
  if (limits === "default") return { profile: defaultProfile, device: undefined };
  const { device } = await openDevice();
  device.destroy();
  const { capabilities } = device;
  return { profile: deviceProfile(capabilities), device: deviceKey(capabilities) };
}

/** As `limitsOf`, for what no tuning concerns. */
export const profileOf = async (limits: "default" | "adapter"): Promise<Profile> =>
  (await limitsOf(limits)).profile;
