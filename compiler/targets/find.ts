/** Targets by name: what the rest of the compiler, and everything that asks for a target, goes through. */
import { diagnose } from "../../diagnostics/index.ts";
import { meant } from "../../diagnostics/nearest.ts";
import { defaultProfile, deviceProfile, type Profile } from "../profile.ts";
import * as list from "./index.ts";
import type { Target } from "./target.ts";

/** In the order of their names. */
export const targets: readonly Target[] = Object.values(list);

/** What is compiled for unless another target is asked for. */
export const defaultTarget: Target = list.wgsl;

export const findTarget = (name: string): Target | undefined =>
  targets.find((target) => target.name === name);

/** @throws E109 for a name that no target has. */
export function targetNamed(name: string): Target {
  const found = findTarget(name);
  if (found) return found;
  const names = targets.map((target) => target.name);
  const near = meant(name, names);
  throw diagnose("E109", {
    message: `there is no target "${name}"`,
    help: `${near === undefined ? "" : `did you mean ${near}? `}the targets are ${names.join(", ")}`,
  });
}

/** What is compiled for unless a profile is given: the limits that every device of the target has. */
export function usualProfile({ capabilities }: Target): Profile {
  return capabilities ? deviceProfile(capabilities) : defaultProfile;
}
