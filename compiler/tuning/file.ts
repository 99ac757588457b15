/** Tuning files: JSON with the tilings of one or several devices. */
import { diagnose } from "../../diagnostics/index.ts";
import type { TunedKernel, Tuning } from "./tuning.ts";

/** The version of this format. Others are refused. */
export const tuningFormat = "inarch tuning 1";

export interface TuningFile {
  readonly format: typeof tuningFormat;
  /** By `deviceKey`. */
  readonly devices: Readonly<Record<string, Tuning>>;
}

/**
 * Reads the text of a tuning file.
 * @throws E820 for what is no tuning file, or one of another format.
 */
export function parseTuning(text: string, where: string): TuningFile {
  const refuse = (message: string) =>
    diagnose("E820", {
      message,
      where,
      help: "make the file anew: inarch tune MODEL --output FILE",
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw refuse(`a tuning file is JSON, and this is not: ${(cause as Error).message}`);
  }
  const { format, devices } = Object(parsed) as Partial<TuningFile>;
  if (format !== tuningFormat)
    throw refuse(
      `the file's format is ${JSON.stringify(format)}, this version reads "${tuningFormat}"`,
    );
  if (!isRecord(devices)) throw refuse("the file has no object devices");
  for (const [device, kernels] of Object.entries(devices)) {
    if (!isRecord(kernels)) throw refuse(`device "${device}" is no object of kernels`);
    for (const [key, kernel] of Object.entries(kernels))
      if (!isTuned(kernel)) throw refuse(`kernel "${key}" has no tile of whole numbers`);
  }
  return { format, devices };
}

/** Deterministic: devices and kernels in order of their names. */
export const writeTuning = ({ format, devices }: TuningFile): string =>
  `${JSON.stringify({ format, devices: sorted(devices, (kernels) => sorted(kernels, (k) => k)) }, null, 1)}\n`;

/** The file with a device's kernels added; those of the same name are replaced. */
export const withTuning = (file: TuningFile, device: string, tuning: Tuning): TuningFile => ({
  ...file,
  devices: { ...file.devices, [device]: { ...file.devices[device], ...tuning } },
});

/**
 * The kernels of a device.
 * @throws E822 if the file knows other devices alone.
 */
export function tuningFor(file: TuningFile, device: string, where: string): Tuning {
  const found = Object.hasOwn(file.devices, device) ? file.devices[device] : undefined;
  if (found) return found;
  const known = Object.keys(file.devices);
  throw diagnose("E822", {
    message: `the tuning file is for ${known.map((d) => `"${d}"`).join(", ") || "no device"}, not for "${device}"`,
    where,
    help: "tune on this device: inarch tune MODEL --output FILE",
  });
}

export const emptyFile: TuningFile = { format: tuningFormat, devices: {} };

const isRecord = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x);

function isTuned(x: unknown): x is TunedKernel {
  if (!isRecord(x) || !isRecord(x.tile) || typeof x.gain !== "number") return false;
  if (x.form !== undefined && typeof x.form !== "string") return false;
  const sizes = Object.values(x.tile);
  return sizes.length > 0 && sizes.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
}

const sorted = <T, U>(record: Readonly<Record<string, T>>, of: (value: T) => U) =>
  Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((key) => [key, of(record[key]!)]),
  );
