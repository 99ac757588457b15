/**
 * The C target: kernels as functions of C with vectors, as GCC and Clang have them, for processors. Without any
 * header.
 *
 * Threads that follow each other are one vector, of as many as the profile's subgroups have: what differs
 * among them is found as for WebAssembly (`kernel/shapes.ts`). A kernel that uses no subgroups is written for
 * vectors of any width.
 *
 * A kernel is called for some of its workgroups, with its buffers and memory of its own of as many bytes as
 * `scratch_kernel_NAME` says. Products that are added may be rounded once or twice, as the compiler sees fit.
 */
import type { Kernel } from "../../kernel/ir.ts";
import { type Names, spelling } from "../../kernel/printer.ts";
import { unpack } from "../../kernel/unpack.ts";
import { verified } from "../../kernel/verify.ts";
import type { Target } from "../target.ts";
import { ownNames } from "./functions.ts";
import { entryOf, printKernel } from "./kernel.ts";

const reserved = new Set([
  ...ownNames,
  ...`auto break case char const continue default do double else enum extern float for goto if inline int
  long register restrict return short signed sizeof static struct switch typedef union unsigned void
  volatile while asm typeof bool true false nullptr constexpr alignas alignof thread_local linux unix`.split(
    /\s+/,
  ),
]);

function print(kernel: Kernel, names: Names = "own"): string {
  const unpacked = unpack(kernel);
  const checked = unpacked === kernel ? kernel : verified("unpacking", unpacked);
  const own = names === "own" ? checked : { ...checked, name: "kernel" };
  return printKernel(own, spelling(reserved, names));
}

export const c: Target = {
  name: "c",
  title: "C",
  comment: "//",
  half: true,
  bfloat: true,
  fragments: false,
  entry: entryOf,
  print: (kernel, _scratch, names) => print(kernel, names),
};
