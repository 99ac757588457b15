/** Compiles CUDA texts, where nvcc is installed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "../../compiler/index.ts";
import { kernelText } from "../../runtime/devices/device.ts";

export const hasNvcc = spawnSync("nvcc", ["--version"]).status === 0;
if (!hasNvcc) console.warn("nvcc is missing: CUDA text is not compiled for GPUs");

/** All kernels of a plan in one file, for sm_80 and sm_90: starting nvcc takes longer than compiling them. */
export function compileCuda({ kernels }: Plan): void {
  const archs = ["80", "90"].map((n) => `-gencode=arch=compute_${n},code=sm_${n}`);
  runNvcc(kernels.map(kernelText).join("\n"), [...archs, "-fatbin"]);
}

/** What a kernel takes of a multiprocessor, in bytes and registers. */
export interface Resources {
  readonly name: string;
  readonly stack: number;
  readonly spilled: number;
  readonly registers: number;
}

/** What ptxas says of each kernel of a text, for sm_90. Empty without nvcc. */
export const resourcesOf = (text: string): readonly Resources[] =>
  resourcesIn(runNvcc(text, ["-arch=sm_90", "-cubin", "-Xptxas", "-v"]));

function resourcesIn(said: string): readonly Resources[] {
  const each =
    /entry function '(\w+)'.*\n.*\n\s+(\d+) bytes stack frame, (\d+) bytes spill stores.*\n.*Used (\d+) registers/g;
  return [...said.matchAll(each)].map(([, name, stack, spilled, registers]) => ({
    ...{ name: name!, stack: Number(stack), spilled: Number(spilled) },
    registers: Number(registers),
  }));
}

/** @returns what nvcc and ptxas say. @throws what is wrong with the text. */
export function runNvcc(text: string, flags: readonly string[]): string {
  return hasNvcc ? said("nvcc", flags, "kernels.cu", text) : "";
}

export const hasPtxas = spawnSync("ptxas", ["--version"]).status === 0;
if (!hasPtxas) console.warn("ptxas is missing: PTX is not assembled");

/** What ptxas says of kernels of PTX, whose entries differ. Empty without it. @throws what is wrong with the text. */
export function assembled(texts: readonly string[], arch: string): readonly Resources[] {
  if (!hasPtxas) return [];
  // A file says once what it is for.
  const bodies = texts.map((text) => text.slice(text.indexOf(".visible")));
  const heads = texts.map((text) => text.slice(0, text.indexOf(".visible")).trim().split("\n"));
  const file = [...new Set(heads.flat()), ...bodies].join("\n");
  return resourcesIn(said("ptxas", [`-arch=${arch}`, "-v"], "kernels.ptx", file));
}

function said(command: string, flags: readonly string[], name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), `inarch-${command}-`));
  try {
    const file = join(folder, name);
    writeFileSync(file, text);
    const { status, stderr } = spawnSync(command, [...flags, "-o", join(folder, "out"), file], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${command} refuses the text: ${stderr}`);
    return stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
