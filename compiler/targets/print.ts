/** How targets print: they have types of memory alone, so formats that are read from words are unpacked. */
import type { Kernel } from "../kernel/ir.ts";
import { type Dialect, type Names, print } from "../kernel/printer.ts";
import { unpack } from "../kernel/unpack.ts";
import { verified } from "../kernel/verify.ts";

export function printUnpacked(kernel: Kernel, d: Dialect, names?: Names): string {
  const unpacked = unpack(kernel);
  return print(unpacked === kernel ? kernel : verified("unpacking", unpacked), d, names);
}
