/** What every GPU has that runs CUDA: compute capability 8.0 and later, without a kernel's asking for more. */
import type { Capabilities } from "../../capabilities.ts";

export const capabilities: Capabilities = {
  name: "cuda",
  deviceClass: "discrete",
  // What a kernel counts in 32 bits, in bytes.
  maxBindingBytes: 2 ** 32 - 256,
  maxBufferBytes: 2 ** 32 - 256,
  // Arguments of a kernel have 4096 bytes.
  maxBindings: 64,
  maxSharedBytes: 48 * 1024,
  maxThreads: 1024,
  maxGroups: 65535,
  alignment: 256,
  subgroups: { least: 32, most: 32, numbered: true },
  half: true,
  bfloat: true,
  matrices: {
    ...{ width: 32, widths: "fixed", numbered: true, sharedBytes: 99 * 1024 },
    products: [
      { operand: "f16", rows: 16, columns: 16, depth: 16 },
      { operand: "f16", rows: 16, columns: 8, depth: 16 },
      { operand: "bf16", rows: 16, columns: 16, depth: 16 },
      { operand: "bf16", rows: 16, columns: 8, depth: 16 },
    ],
  },
  slowBarriers: false,
  slowCompiler: false,
};
