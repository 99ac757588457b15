/** Kernels of the processor device: modules of WebAssembly (`compiler/targets/wasm`), compiled. */
import type { PlanKernel } from "../../compiler/plan.ts";
import { bug, diagnose } from "../../diagnostics/index.ts";
import type { CpuMemory } from "./cpu-memory.ts";
import type { Run } from "./cpu-worker.ts";
import type { Progress } from "./device.ts";
import { section, unsigned, type wasmEngine } from "./web-assembly.ts";

export interface CpuKernel {
  readonly name: string;
  /** The name by which the module exports the function. */
  readonly entry: string;
  readonly module: object;
  /** The addresses of its buffers and of scratch memory, then which workgroups, and how they lie. */
  readonly run: Run;
  readonly scratchBytes: number;
}

/** @throws E425 for a kernel that is text. */
export async function compileKernels(
  engine: ReturnType<typeof wasmEngine>,
  kernels: readonly PlanKernel[],
  { memory, mostPages, isShared }: CpuMemory,
  onProgress?: Progress,
): Promise<CpuKernel[]> {
  let done = 0;
  return Promise.all(
    kernels.map(async (kernel): Promise<CpuKernel> => {
      const { name, entry } = kernel;
      const bytes = kernelBytes(kernel);
      const module = await engine.compile(isShared ? ofSharedMemory(bytes, mostPages) : bytes);
      const { exports } = await engine.instantiate(module, { inarch: { memory } });
      onProgress?.(++done, kernels.length, "kernels");
      const { value } = exports.scratch as { readonly value: number };
      return { name, entry, module, run: exports[entry] as Run, scratchBytes: value };
    }),
  );
}

function kernelBytes({ name, source }: PlanKernel): Uint8Array<ArrayBuffer> {
  if (typeof source !== "string") return Uint8Array.from(source);
  throw diagnose("E425", {
    message: `the device runs modules of WebAssembly, and kernel ${name} is text`,
    where: name,
    help: 'compile the plan again for the target of the device: { target: "wasm" }',
  });
}

/** The number of the section of imports. */
const imports = 2;

/**
 * A module whose memory is one that threads share, of a module whose one import is a memory of any size: the
 * import says of which kind it is, and a bundle is built once for both.
 */
function ofSharedMemory(bytes: Uint8Array<ArrayBuffer>, mostPages: number) {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const size = readUnsigned(bytes, at + 1);
    const end = size.end + size.value;
    if (id === imports) {
      // Ends with flags and the least size: now shared, with a largest one.
      const content = [...bytes.subarray(size.end, end - 2), 3, 0, ...unsigned(mostPages)];
      const changed = section(imports, content);
      return Uint8Array.from([...bytes.subarray(0, at), ...changed, ...bytes.subarray(end)]);
    }
    at = end;
  }
  return bug("a kernel's module imports no memory");
}

/** A number in pieces of seven bits, the lowest first. */
function readUnsigned(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end: at };
  }
}
