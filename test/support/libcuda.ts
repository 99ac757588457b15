/**
 * A driver of CUDA for tests, built with g++: entries of libcuda over memory of the host (`libcuda.hpp`), with the
 * kernels of some plans as printed CUDA. Which kernel a module of PTX is, its text says.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import koffi from "koffi";
import { describe } from "vitest";
import type { Plan, PlanKernel } from "../../compiler/plan.ts";
import { givenBytes } from "../../runtime/devices/cuda.ts";
import { kernelText } from "../../runtime/devices/device.ts";

const compiler = process.env.CXX || "g++";
const hasCompiler = spawnSync(compiler, ["--version"]).status === 0;
if (!hasCompiler) console.warn(`${compiler} is missing: the CUDA device is not tested`);

/** `describe` where the driver can be built. */
export const describeCuda = describe.skipIf(!hasCompiler);

/** A program for both targets. */
export interface Both {
  readonly ptx: Pick<Plan, "kernels" | "name">;
  readonly cuda: Pick<Plan, "kernels">;
}

export interface TestDriver {
  readonly path: string;
  /** Everything as at first. */
  reset(): void;
  /** The call of this name fails, after so many that do not. */
  fail(call: string, code: number, after?: number): void;
  count(call: string): number;
  /** Threads other than this one that assembled something. */
  assemblers(): number;
  /** Buffers that are not freed. */
  left(): number;
  set(about: { version?: number; capability?: number; devices?: number }): void;
  remove(): void;
}

export function buildDriver(programs: readonly Both[]): TestDriver {
  const folder = mkdtempSync(join(tmpdir(), "inarch-libcuda-"));
  const [source, path] = [join(folder, "libcuda.cpp"), join(folder, "libcuda.so")];
  writeFileSync(source, sourceOf(programs));
  const here = [import.meta.dirname, join(import.meta.dirname, "..", "..", "bench", "cuda")];
  const flags = ["-std=c++17", "-O0", "-w", "-shared", "-fPIC", ...here.map((at) => `-I${at}`)];
  const { status, stderr } = spawnSync(compiler, [...flags, "-o", path, source], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${compiler} refuses the driver: ${stderr.slice(0, 2000)}`);
  const library = koffi.load(path);
  const set = library.func("int libcuda_set(int version, int capability, int devices)");
  const fail = library.func("int libcuda_fail(const char *call, int code, int after)");
  return {
    path,
    reset: library.func("int libcuda_reset()"),
    fail: (call, code, after = 0) => fail(call, code, after),
    count: library.func("int libcuda_count(const char *call)") as TestDriver["count"],
    assemblers: library.func("int libcuda_assemblers()") as TestDriver["assemblers"],
    left: library.func("int libcuda_left()") as TestDriver["left"],
    set: ({ version = 12040, capability = 90, devices = 2 }) => set(version, capability, devices),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function sourceOf(programs: readonly Both[]): string {
  const texts: string[] = [];
  const rows: string[] = [];
  const seen = new Set<string>();
  for (const { ptx, cuda } of programs) {
    const entries = (kernels: readonly PlanKernel[]) => kernels.map(({ entry }) => entry).join();
    if (entries(ptx.kernels) !== entries(cuda.kernels))
      throw new Error(`${ptx.name} has other kernels as PTX than as CUDA`);
    for (const [i, kernel] of ptx.kernels.entries()) {
      const key = `${kernel.entry} ${kernelText(kernel)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const number = rows.length;
      const shares = kernel.sharedBytes > 0;
      const text = kernelText(cuda.kernels[i]!).replace(` ${kernel.entry}(`, ` k${number}(`);
      const ends = shares
        ? `__start_shared_${number}, __stop_shared_${number}`
        : "nullptr, nullptr";
      texts.push(
        `#undef SHARED_SECTION\n#define SHARED_SECTION "shared_${number}"\n${text}`,
        shares ? `extern "C" char __start_shared_${number}[], __stop_shared_${number}[];` : "",
      );
      const own = new TextEncoder().encode(kernelText(kernel));
      const waits = /__syncthreads|__shfl/.test(text);
      rows.push(
        `{${hashOf(own)}u, ${own.length}u, "${kernel.entry}", ${kernel.params.length}u, {${kernel.threads.join(", ")}}, {"${kernel.entry}", on_processor::Call<k${number}>::run, ${waits}, ${ends}}, ${givenBytes(kernel)}u},`,
      );
    }
  }
  return [
    '#include "processor.hpp"',
    ...texts,
    '#include "libcuda.hpp"',
    `const libcuda::Known libcuda::known[] = {\n${rows.join("\n")}\n{}};`,
    `const unsigned libcuda::known_count = ${rows.length};\n`,
  ].join("\n");
}

/** FNV-1a, as `libcuda.hpp` has it. */
const hashOf = (bytes: Uint8Array): number =>
  bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 16777619) >>> 0, 2166136261);
