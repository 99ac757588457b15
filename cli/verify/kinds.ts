/** The kinds of reference files, each with what checks it. A new kind is a new file and a line here. */
import type { Profile } from "../../compiler/index.ts";
import type { Device, Progress } from "../../runtime/devices/device.ts";
import type { Check } from "./compare.ts";
import type { Reference } from "./reference.ts";
import { verifyResample } from "./resample.ts";
import { verifySamFile, verifySamHashed } from "./sam.ts";

export interface Setting {
  readonly device: Device;
  /** What the programs are compiled for. */
  readonly profile: Profile;
  readonly onProgress: Progress;
}

/** Yields a line as soon as it is known; throws only for what cannot be checked at all. */
export type Checker = (reference: Reference, setting: Setting) => AsyncIterable<Check>;

export const kinds: Readonly<Record<string, Checker>> = {
  resample: verifyResample,
  sam: verifySamFile,
  sam_hashed: verifySamHashed,
};
