/**
 * The PTX target: what NVIDIA's drivers assemble. It is written from kernel IR, so that neither a compiler nor a
 * library of CUDA is needed where it runs. Kernels are those of the target `cuda`, under the same names.
 */
import type { Kernel } from "../../kernel/ir.ts";
import type { Names } from "../../kernel/printer.ts";
import { unpack } from "../../kernel/unpack.ts";
import { verified } from "../../kernel/verify.ts";
import { capabilities } from "../cuda/capabilities.ts";
import type { Target } from "../target.ts";
import { printKernel } from "./kernel.ts";

const entry = ({ name }: Kernel): string => `${name}_kernel`;

function print(kernel: Kernel, names: Names = "own"): string {
  const unpacked = unpack(kernel);
  const checked = unpacked === kernel ? kernel : verified("unpacking", unpacked);
  return printKernel(checked, names === "own" ? entry(kernel) : "kernel");
}

export const ptx: Target = {
  name: "ptx",
  title: "PTX",
  capabilities,
  comment: "//",
  half: true,
  bfloat: true,
  fragments: true,
  numbered: true,
  shuffles: true,
  subgroup: 32,
  entry,
  print: (kernel, _scratch, names) => print(kernel, names),
};
