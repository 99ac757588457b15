/** Which of a bundle's profiles a device takes. */
import type { Capabilities } from "../../compiler/capabilities.ts";
import { diagnose } from "../../diagnostics/index.ts";
import type { Device } from "../devices/device.ts";
import { lackOf } from "../devices/fits.ts";
import type { Bundle, BundleProfile } from "./bundle.ts";

/**
 * The first profile of those that the device can run and that are for its kind; where none is for its kind, the
 * first that it can run.
 * @throws E616 where there is none, with what the device lacks for the last one.
 */
export function chooseProfile({ name, profiles }: Bundle, device: Device): BundleProfile {
  const { capabilities, target } = device;
  const own = profiles.filter((profile) => profile.target === target);
  const able = own.filter(({ needs }) => !lackOf(needs, capabilities));
  const chosen = able.find(({ needs }) => isFor(needs, capabilities)) ?? able[0];
  if (chosen) return chosen;
  const last = own.at(-1);
  const lack = last ? `; ${last.name} ${lackOf(last.needs, capabilities)!.message}` : "";
  throw diagnose("E616", {
    message: `the bundle of ${name} has no profile for the device ${device.name} (${target}), but ${profiles.map((one) => `${one.name} (${one.target})`).join(", ")}${lack}`,
    help: "build it with --profiles that the device runs, or open another device",
  });
}

/** A software device takes seconds to compile what was made for hardware. */
const isFor = ({ software }: BundleProfile["needs"], { slowCompiler }: Capabilities): boolean =>
  software === undefined || software === slowCompiler;
