/** Compiles CUDA texts for sm_80 and sm_90, where nvcc is installed. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "../../compiler/index.ts";
import { kernelText } from "../../runtime/devices/device.ts";

/** All kernels of a plan in one file: starting nvcc takes longer than compiling them. */
export function compileCuda({ kernels }: Plan): void {
  if (spawnSync("nvcc", ["--version"]).status !== 0) {
    console.warn("nvcc is missing: CUDA text is not compiled");
    return;
  }
  const sources = kernels.map((k, i) =>
    kernelText(k).replace(` ${k.entry}(`, ` k${i}_${k.entry}(`),
  );
  const folder = mkdtempSync(join(tmpdir(), "inarch-nvcc-"));
  const file = join(folder, "kernels.cu");
  writeFileSync(file, sources.join("\n"));
  const archs = ["80", "90"].map((n) => `-gencode=arch=compute_${n},code=sm_${n}`);
  execFileSync("nvcc", [...archs, "-fatbin", "-o", join(folder, "out"), file]);
  rmSync(folder, { recursive: true });
}
