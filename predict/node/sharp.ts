/** The package that decodes and encodes pictures: it is loaded where a picture is read or written. */
import type { Sharp, SharpOptions } from "sharp";
import { optionalPackage } from "../../diagnostics/packages.ts";

export type SharpModule = (bytes: Uint8Array, options?: SharpOptions) => Sharp;

/** Errors: E400 and E401. */
export const loadSharp = async (): Promise<SharpModule> =>
  (await optionalPackage("sharp", () => import("sharp"))).default;
