/** The profiles that a bundle can hold, by name: what each is compiled for, and which devices it is for. */
import {
  defaultProfile,
  deviceProfile,
  halfProfile,
  type Profile,
  softwareProfile,
  subgroupProfile,
} from "../compiler/profile.ts";
import { defaultTarget, targets, usualProfile } from "../compiler/targets/find.ts";
import type { Tuning } from "../compiler/tuning/tuning.ts";
import { diagnose } from "../diagnostics/index.ts";
import { meant } from "../diagnostics/nearest.ts";
import { everywhere } from "../runtime/node/device.ts";
import { usualProfiles } from "./usual-profiles.ts";

export interface BuildProfile {
  readonly name: string;
  /** What kernels are printed as. */
  readonly target: string;
  readonly profile: Profile;
  /** Made for software devices, or for all others; undefined: for any. */
  readonly software?: boolean;
  /** Tiles that were measured; those of the model unless given. */
  readonly tuning?: Tuning;
}

/** What pages have. */
const gpu = defaultTarget.name;

/** In the order in which a device prefers them. */
const ofWebGpu: readonly BuildProfile[] = [
  { name: "f16", target: gpu, profile: halfProfile, software: false },
  { name: "subgroups", target: gpu, profile: subgroupProfile, software: false },
  ...[4, 8, 16, 32, 64].map((width) => ({
    name: `subgroups-${width}`,
    target: gpu,
    profile: softwareProfile(width),
    software: true,
  })),
  { name: "default", target: gpu, profile: defaultProfile },
];

/** A kind of device that is not WebGPU has the profile that its target is called by. */
const ofOthers = (): readonly BuildProfile[] =>
  targets
    .filter(({ name }) => name !== gpu)
    .map((target) => {
      const known = everywhere.find((one) => one.target === target.name);
      const profile = known ? deviceProfile(known.capabilities) : usualProfile(target);
      return { name: target.name, target: target.name, profile };
    });

/** Those of this machine's devices, which are opened to be asked: target by name. */
const ofThisMachine = new Map<string, string>([
  ["device", gpu],
  ...everywhere.map(({ target }) => [`device-${target}`, target] as const),
]);

/** What this machine's device of a target allows. */
export type AskDevice = (target: string) => Promise<Omit<BuildProfile, "name" | "target">>;

/**
 * The profiles of these names, in the order in which they are preferred. `where` is what errors say of them.
 * @throws E503 for a name that there is not, and what `ask` throws.
 */
export async function profilesNamed(
  names: readonly string[],
  ask: AskDevice,
  where = "--profiles",
): Promise<readonly BuildProfile[]> {
  const known = [...ofWebGpu, ...ofOthers()];
  const all = [...ofThisMachine.keys(), ...known.map(({ name }) => name)];
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    const near = meant(unknown, all);
    throw diagnose("E503", {
      message: `there is no profile "${unknown}"`,
      where,
      help: `${near === undefined ? "" : `did you mean ${near}? `}the profiles are ${all.join(", ")}; several are given as ${usualProfiles}`,
    });
  }
  const own = [...ofThisMachine].filter(([name]) => names.includes(name));
  const asked = own.map(async ([name, target]) => ({ name, target, ...(await ask(target)) }));
  return [...(await Promise.all(asked)), ...known.filter(({ name }) => names.includes(name))];
}
