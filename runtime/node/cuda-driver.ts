/** The driver of NVIDIA's GPUs: its functions, through koffi, and what their errors are. */
import { existsSync } from "node:fs";
import { diagnose, type InarchError } from "../../diagnostics/index.ts";
import { optionalPackage } from "../../diagnostics/packages.ts";

/** Addresses of the driver, of the GPU and of the host are numbers of 64 bits. */
const functions = {
  cuInit: "unsigned int flags",
  cuDriverGetVersion: "void *version",
  cuDeviceGetCount: "void *count",
  cuDeviceGet: "void *device, int number",
  cuDeviceGetName: "void *name, int bytes, int device",
  cuDeviceGetAttribute: "void *value, int attribute, int device",
  cuDeviceTotalMem_v2: "void *bytes, int device",
  cuDevicePrimaryCtxRetain: "void *context, int device",
  cuDevicePrimaryCtxRelease_v2: "int device",
  cuCtxSetCurrent: "uint64_t context",
  cuMemGetInfo_v2: "void *free, void *total",
  cuMemAlloc_v2: "void *address, size_t bytes",
  cuMemFree_v2: "uint64_t address",
  cuMemHostAlloc: "void *address, size_t bytes, unsigned int flags",
  cuMemFreeHost: "uint64_t address",
  cuMemcpyHtoDAsync_v2: "uint64_t to, uint64_t from, size_t bytes, uint64_t stream",
  cuMemcpyDtoHAsync_v2: "uint64_t to, uint64_t from, size_t bytes, uint64_t stream",
  cuMemcpyDtoDAsync_v2: "uint64_t to, uint64_t from, size_t bytes, uint64_t stream",
  cuMemsetD8Async: "uint64_t to, unsigned char value, size_t bytes, uint64_t stream",
  cuStreamCreate: "void *stream, unsigned int flags",
  cuStreamSynchronize: "uint64_t stream",
  cuStreamDestroy_v2: "uint64_t stream",
  cuStreamBeginCapture_v2: "uint64_t stream, int mode",
  cuStreamEndCapture: "uint64_t stream, void *graph",
  cuGraphInstantiateWithFlags: "void *exec, uint64_t graph, uint64_t flags",
  cuGraphLaunch: "uint64_t exec, uint64_t stream",
  cuGraphExecDestroy: "uint64_t exec",
  cuGraphDestroy: "uint64_t graph",
  cuEventCreate: "void *event, unsigned int flags",
  cuEventRecord: "uint64_t event, uint64_t stream",
  cuEventQuery: "uint64_t event",
  cuEventSynchronize: "uint64_t event",
  cuEventElapsedTime: "void *milliseconds, uint64_t from, uint64_t to",
  cuEventDestroy_v2: "uint64_t event",
  cuLinkCreate_v2: "unsigned int count, void *options, void *values, void *state",
  cuLinkAddData_v2:
    "uint64_t state, int type, void *data, size_t bytes, const char *name, unsigned int count, void *options, void *values",
  cuLinkComplete: "uint64_t state, void *cubin, void *bytes",
  cuLinkDestroy: "uint64_t state",
  cuModuleLoadData: "void *module, void *image",
  cuModuleGetFunction: "void *function, uint64_t module, const char *name",
  cuFuncSetAttribute: "uint64_t kernel, int attribute, int value",
  cuModuleUnload: "uint64_t module",
  cuLaunchKernel:
    "uint64_t kernel, unsigned int gx, unsigned int gy, unsigned int gz, unsigned int x, unsigned int y, unsigned int z, unsigned int shared, uint64_t stream, uint64_t params, uint64_t extra",
} as const;

type Name = keyof typeof functions;
type Argument = number | bigint | string | ArrayBufferView | null;

/** Errors that the driver's calls return, as far as they are told apart. */
export const failures = {
  outOfMemory: 2,
  noDevice: 100,
  noBinary: 209,
  invalidPtx: 218,
  unsupportedPtx: 222,
  notReady: 600,
} as const;

/** After these a context can do nothing more. */
const sticky = new Set([214, 226, 700, 702, 710, 714, 715, 716, 717, 718, 719]);

/** What a call of the driver returned. */
export class CudaFailure extends Error {
  readonly call: Name;
  readonly code: number;
  /** What the driver calls it. */
  readonly words: string;

  constructor(call: Name, code: number, words: string) {
    super(`${call}: ${words}`);
    this.call = call;
    this.code = code;
    this.words = words;
  }

  get isLast(): boolean {
    return sticky.has(this.code);
  }
}

export interface CudaDriver {
  readonly path: string;
  /** @throws CudaFailure unless what a call returned is 0. */
  check(name: Name, code: number): void;
  /** @throws CudaFailure unless it returns 0. */
  call(name: Name, ...args: readonly Argument[]): void;
  /** What it returns. */
  try(name: Name, ...args: readonly Argument[]): number;
  /** Calls a function whose first argument is where a number of 64 bits is written. */
  made(name: Name, ...args: readonly Argument[]): bigint;
  /** Memory of the host. */
  view(address: bigint, bytes: number): Uint8Array<ArrayBuffer>;
}

const names: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"],
  win32: ["nvcuda.dll"],
};

/**
 * The driver's library: the one given, else what INARCH_CUDA names, else where drivers install it.
 * @throws E400, E401 (koffi), E446 where there is none, E488 where it lacks a function.
 */
export async function loadDriver(given?: string): Promise<CudaDriver> {
  const { default: koffi } = await optionalPackage("koffi", () => import("koffi"));
  const asked = given ?? (process.env.INARCH_CUDA || undefined);
  const paths = asked === undefined ? (names[process.platform] ?? []) : [asked];
  const reasons: string[] = [];
  for (const path of paths) {
    if (path.includes("/") && !existsSync(path)) {
      reasons.push(`${path} is not there`);
      continue;
    }
    try {
      return driverOf(koffi, koffi.load(path), path);
    } catch (cause) {
      if (cause instanceof Error && "details" in cause) throw cause;
      reasons.push(`${path}: ${(cause as Error).message}`);
    }
  }
  throw noDriver(reasons);
}

const noDriver = (reasons: readonly string[]): InarchError =>
  diagnose("E446", {
    message: `there is no driver of an NVIDIA GPU: ${reasons.join("; ") || `none is made for ${process.platform}`}`,
    help: "install NVIDIA's driver, name its library with INARCH_CUDA, or use another device: --device webgpu, native or cpu",
  });

type Koffi = typeof import("koffi").default;

function driverOf(koffi: Koffi, library: ReturnType<Koffi["load"]>, path: string): CudaDriver {
  const calls = new Map(
    Object.entries(functions).map(([name, parameters]) => {
      try {
        return [name, library.func(`int ${name}(${parameters})`)] as const;
      } catch (cause) {
        throw diagnose("E488", {
          message: `the driver lacks ${name}`,
          where: path,
          help: "update NVIDIA's driver: that of CUDA 11.8 or later",
          cause,
        });
      }
    }),
  );
  const nameOf = library.func("int cuGetErrorName(int code, _Out_ const char **name)");
  const textOf = library.func("int cuGetErrorString(int code, _Out_ const char **text)");
  const words = (code: number): string => {
    const [name, text] = [nameOf, textOf].map((ask) => {
      const found: (string | null)[] = [null];
      ask(code, found);
      return found[0];
    });
    return `${name ?? `error ${code}`}${text ? ` (${text})` : ""}`;
  };
  const driver: CudaDriver = {
    path,
    try: (name, ...args) => calls.get(name)!(...args),
    call: (name, ...args) => driver.check(name, driver.try(name, ...args)),
    check(name, code) {
      if (code !== 0) throw new CudaFailure(name, code, words(code));
    },
    made(name, ...args) {
      const to = new BigUint64Array(1);
      driver.call(name, to, ...args);
      return to[0]!;
    },
    view: (address, bytes) => new Uint8Array(koffi.view(address, bytes)),
  };
  return driver;
}
