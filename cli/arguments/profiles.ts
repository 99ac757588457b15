/** `--profiles LIST`: the kinds of devices that a bundle is for. */
import type { BuildProfile } from "../../build/profiles.ts";
import { limitsOf } from "./limits.ts";

/** What the command calls the flag, made of what is built unless it is given. */
export async function profilesFlag() {
  const { usualProfiles } = await import("../../build/usual-profiles.ts");
  return {
    type: "string",
    valueHint: "LIST",
    default: usualProfiles,
    description:
      "kinds of devices, one module each; also subgroups-4 to -64 for software GPUs of that width, device, device-wasm and device-c for this machine's, and the names of targets",
  } as const;
}

/**
 * The profiles that the flag names, with the tiles that were measured for this machine's device.
 * @throws E503 for a name that there is not, E400 to E406 when there is no device to ask.
 */
export async function profilesOf(
  list: string,
  tuning: string | undefined,
): Promise<readonly BuildProfile[]> {
  const { profilesNamed } = await import("../../build/profiles.ts");
  const { noTuning } = await import("../../compiler/tuning/tuning.ts");
  const { pathOf, readTuningFile, tuningOf } = await import("../../tuning/store.ts");
  const names = list.split(",").map((name) => name.trim());
  const profiles = await profilesNamed(names, async (target) => {
    const { profile, device } = await limitsOf("device", target);
    return { profile, tuning: await tuningOf(tuning, device) };
  });
  const measured = tuning === undefined ? {} : (await readTuningFile(pathOf(tuning))).devices;
  return Promise.all(
    profiles.map(async (one) => {
      if (one.tuning) return one;
      const { device } = await limitsOf("default", one.target);
      // One file is for all profiles, and knows few devices.
      const isUnknown = device !== undefined && !Object.hasOwn(measured, device);
      return { ...one, tuning: isUnknown ? noTuning : await tuningOf(tuning, device) };
    }),
  );
}
