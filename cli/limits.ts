/** `--limits default|adapter`: the compile profile of the command line. */
import { adapterProfile, defaultProfile, type Profile } from "../compiler/profile.ts";
import { openDevice } from "../runtime/node/device.ts";

/** What every command that compiles calls the flag. */
export const limitsFlag = {
  type: "enum" as const,
  options: ["default", "adapter"] as ("default" | "adapter")[],
  default: "default" as const,
  description:
    "compile for the limits of any WebGPU device, or for those of this machine's adapter",
};

/**
 * The profile that a value of the flag stands for.
 * @throws E400 to E406 when there is no adapter to ask.
 */
export async function profileOf(limits: "default" | "adapter"): Promise<Profile> {
  if (limits === "default") return defaultProfile;
  const { device, facts } = await openDevice();
  const profile = adapterProfile(facts);
  device.destroy();
  return profile;
}
