/** `--limits default|adapter`: the compile profile of the command line. */
import { adapterProfile, defaultProfile, type Profile } from "../compiler/profile.ts";
import { requestGpu } from "../runtime/node/gpu.ts";

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
  const { adapter, device, destroy } = await requestGpu();
  const { subgroupMinSize: least, subgroupMaxSize: most } = device.adapterInfo;
  const subgroup = device.features.has("subgroups") && least === most ? least : 0;
  destroy();
  return adapterProfile({ name: "adapter", limits: adapter.limits, kind: adapter.kind, subgroup });
}
