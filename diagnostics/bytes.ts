/** Sizes of memory on the command line: "1GiB", "512MiB", "4GB", "1048576". */
import { diagnose } from "./index.ts";

const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Bytes from a number and a unit, in any case: "1.5GiB" -> 1610612736. `flag` is named in the message.
 * @throws E503 for anything else, and for less than a byte.
 */
export function parseBytes(text: string, flag = "--budget"): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  const bytes = Math.floor(Number(match?.[1]) * (units[(match?.[2] ?? "?").toLowerCase()] ?? NaN));
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw diagnose("E503", {
    message: `${flag} cannot be "${text}"`,
    help: `give a size with its unit, such as ${flag} 1GiB, 512MiB or 4GB`,
  });
}

/** "357.2 MiB": what people compare with the memory of a device. */
export function formatBytes(bytes: number): string {
  const [size, unit] = (
    [
      [2 ** 30, "GiB"],
      [2 ** 20, "MiB"],
      [2 ** 10, "KiB"],
    ] as const
  ).find(([least]) => bytes >= least) ?? [1, "bytes"];
  return `${unit === "bytes" ? bytes : (bytes / size).toFixed(unit === "GiB" ? 2 : 1)} ${unit}`;
}
