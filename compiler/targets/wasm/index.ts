/**
 * The WebAssembly target: a kernel as a module of one function, for processors.
 *
 * Four threads that follow each other are one vector, and take every step together. `kernel/shapes.ts` tells what
 * differs among them: the rest is computed once, and places that follow each other are loaded at once. A
 * branch that they do not all take is a mask. So a workgroup of one subgroup, which has four threads here,
 * needs no barrier; between those of larger ones vectors take turns (`kernel/regions.ts`). Kernels have the forms of
 * subgroups, because what barriers part has to be kept in memory.
 */
import { unpack } from "../../kernel/unpack.ts";
import { verified } from "../../kernel/verify.ts";
import type { Target } from "../target.ts";
import { printModule } from "./kernel.ts";
import { outsideLoops } from "./outside.ts";
import { lanes } from "./writer.ts";

export const wasm: Target = {
  name: "wasm",
  title: "WebAssembly",
  comment: ";;",
  half: true,
  bfloat: true,
  fma: true,
  nameless: true,
  fragments: false,
  subgroup: lanes,
  entry: () => "run",
  print: (kernel) => {
    const unpacked = unpack(kernel);
    const checked = unpacked === kernel ? kernel : verified("unpacking", unpacked);
    return printModule(outsideLoops(checked));
  },
};
