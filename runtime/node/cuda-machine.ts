/** A GPU of NVIDIA's driver: its memory, its one stream of work, and kernels that the driver assembles. */
import type { PlanKernel } from "../../compiler/plan.ts";
import { formatBytes } from "../../diagnostics/bytes.ts";
import { diagnose } from "../../diagnostics/index.ts";
import {
  type Address,
  type CudaCopy,
  type CudaKernel,
  type CudaLaunch,
  type CudaMachine,
  givenBytes,
} from "../devices/cuda.ts";
import { deviceLost, kernelText, type Progress } from "../devices/device.ts";
import { Assembler } from "./cuda-assembler.ts";
import { type Assembled, assembled, type HostMemory, hostMemory } from "./cuda-assembling.ts";
import { cachedCubin } from "./cuda-cache.ts";
import { type CudaDriver, CudaFailure, failures } from "./cuda-driver.ts";
import { type Block, blockBytes, Staging } from "./cuda-staging.ts";

/** A GPU as the driver lists it. */
export interface CudaGpu {
  /** What `cuda:1` means. */
  readonly number: number;
  readonly name: string;
  /** Compute capability: 90 for 9.0. */
  readonly capability: number;
  readonly bytes: number;
  /** Of shared memory, that a launch can give to a kernel. */
  readonly sharedBytes: number;
  /** The version of CUDA that the driver has: "12.4". */
  readonly driver: string;
}

/** Of an address. */
const wordSize = 8;
/** That work given to the stream waits for nothing else. */
const nonBlocking = 1;
/** While work is recorded, other calls may be made. */
const relaxed = 2;
const eventFlags = 1;
/** The attribute of a kernel that says how much shared memory launches may give to it. */
const mostGiven = 8;

/** @throws E423, E488 */
export function openGpu(driver: CudaDriver, gpu: CudaGpu): CudaMachine {
  const device = new Int32Array(1);
  driver.call("cuDeviceGet", device, gpu.number);
  const context = driver.made("cuDevicePrimaryCtxRetain", device[0]!);
  driver.call("cuCtxSetCurrent", context);
  return new Machine(driver, gpu, context, device[0]!);
}

class Machine implements CudaMachine {
  readonly identity: CudaMachine["identity"];
  readonly sharedBytes: number;
  readonly lost: Promise<string>;
  readonly #driver: CudaDriver;
  readonly #gpu: CudaGpu;
  readonly #context: bigint;
  readonly #device: number;
  readonly #stream: bigint;
  readonly #staging: Staging;
  readonly #host: HostMemory;
  readonly #assembler: Assembler;
  /** By text. */
  readonly #kernels = new Map<string, Promise<CudaKernel>>();
  readonly #modules: bigint[] = [];
  readonly #recorded = new Set<bigint>();
  readonly #owners = new FinalizationRegistry<bigint>((exec) => this.#forget(exec));
  #lose: (reason: string) => void = () => {};
  #isClosed = false;

  constructor(driver: CudaDriver, gpu: CudaGpu, context: bigint, device: number) {
    this.#driver = driver;
    this.#gpu = gpu;
    this.#context = context;
    this.#device = device;
    this.sharedBytes = gpu.sharedBytes;
    this.identity = {
      ...{ vendor: "nvidia", architecture: `sm_${gpu.capability}`, device: gpu.name },
      description: `${gpu.name}, driver of CUDA ${gpu.driver}`,
    };
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#stream = driver.made("cuStreamCreate", nonBlocking);
    this.#staging = new Staging(driver);
    this.#host = hostMemory(driver);
    this.#assembler = new Assembler({ path: driver.path, context }, (job) =>
      this.#guarded(() => assembled(driver, this.#host, job)),
    );
  }

  allocate(bytes: number): Address {
    return this.#guarded(() => this.#driver.made("cuMemAlloc_v2", Math.max(bytes, 4)), bytes);
  }

  free(address: Address): void {
    this.#guarded(() => this.#driver.call("cuMemFree_v2", address));
  }

  clear(address: Address, bytes: number): void {
    this.#guarded(() => this.#driver.call("cuMemsetD8Async", address, 0, bytes, this.#stream));
  }

  write(to: Address, bytes: Uint8Array): void {
    this.#guarded(() => {
      for (let at = 0; at < bytes.length; at += blockBytes) {
        const part = bytes.subarray(at, at + blockBytes);
        const block = this.#staging.take(part.length);
        block.bytes.set(part);
        const place = to + BigInt(at);
        this.#copied(block, "cuMemcpyHtoDAsync_v2", place, block.address, part.length);
        block.isHeld = false;
      }
    });
  }

  copy({ from, to, bytes }: CudaCopy): void {
    if (bytes === 0) return;
    this.#guarded(() => this.#driver.call("cuMemcpyDtoDAsync_v2", to, from, bytes, this.#stream));
  }

  async read(from: Address, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    const parts = this.#guarded(() =>
      Array.from({ length: Math.ceil(bytes / blockBytes) }, (_, i) => {
        const at = i * blockBytes;
        const length = Math.min(blockBytes, bytes - at);
        const block = this.#staging.take(length);
        const place = from + BigInt(at);
        this.#copied(block, "cuMemcpyDtoHAsync_v2", block.address, place, length);
        return { at, length, block };
      }),
    );
    const all = new Uint8Array(bytes);
    try {
      for (const { at, length, block } of parts) {
        await this.#until(() => this.#staging.isDone(block));
        all.set(block.bytes.subarray(0, length), at);
      }
    } finally {
      for (const { block } of parts) block.isHeld = false;
    }
    return all;
  }

  async compile(kernels: readonly PlanKernel[], onProgress: Progress) {
    let done = 0;
    const made = kernels.map(async (kernel) => {
      const text = kernelText(kernel);
      const known = this.#kernels.get(text) ?? this.#compiled(kernel, text);
      this.#kernels.set(text, known);
      known.catch(() => this.#kernels.delete(text));
      const found = await known;
      onProgress(++done, kernels.length, "kernels");
      return found;
    });
    return Promise.all(made);
  }

  record(launches: readonly CudaLaunch[], copies: readonly CudaCopy[], owner: object) {
    if (launches.length + copies.length === 0) return () => {};
    const driver = this.#driver;
    const exec = this.#guarded(() => {
      driver.call("cuStreamBeginCapture_v2", this.#stream, relaxed);
      const graph = new BigUint64Array(1);
      try {
        for (const launch of launches) this.#launch(launch);
        for (const copy of copies) this.copy(copy);
      } finally {
        driver.call("cuStreamEndCapture", this.#stream, graph);
      }
      const made = driver.made("cuGraphInstantiateWithFlags", graph[0]!, 0);
      driver.call("cuGraphDestroy", graph[0]!);
      return made;
    });
    this.#recorded.add(exec);
    this.#owners.register(owner, exec);
    return () => this.#guarded(() => driver.call("cuGraphLaunch", exec, this.#stream));
  }

  async time(launch: CudaLaunch): Promise<number> {
    const driver = this.#driver;
    const events: bigint[] = [];
    try {
      this.#guarded(() => {
        for (let i = 0; i < 2; i++) events.push(driver.made("cuEventCreate", eventFlags));
        driver.call("cuEventRecord", events[0]!, this.#stream);
        this.#launch(launch);
        driver.call("cuEventRecord", events[1]!, this.#stream);
      });
      await this.#until(() => this.#isPast(events[1]!));
      const milliseconds = new Float32Array(1);
      this.#guarded(() => driver.call("cuEventElapsedTime", milliseconds, events[0]!, events[1]!));
      return milliseconds[0]!;
    } finally {
      if (!this.#isClosed) for (const event of events) driver.try("cuEventDestroy_v2", event);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A context lives as long as a thread assembles for it.
    const ended = this.#assembler.close(deviceLost("it was destroyed"));
    if (ended) void ended.then(() => this.#release());
    else this.#release();
  }

  #release(): void {
    const driver = this.#driver;
    driver.try("cuCtxSetCurrent", this.#context);
    driver.try("cuStreamSynchronize", this.#stream);
    for (const exec of this.#recorded) driver.try("cuGraphExecDestroy", exec);
    for (const module of this.#modules) driver.try("cuModuleUnload", module);
    this.#staging.free();
    driver.try("cuMemFreeHost", this.#host.address);
    driver.try("cuStreamDestroy_v2", this.#stream);
    driver.try("cuDevicePrimaryCtxRelease_v2", this.#device);
  }

  /** Does work in this GPU's context. Errors of the driver become coded ones; `asked` is how many bytes were. */
  #guarded<T>(work: () => T, asked?: number): T {
    if (this.#isClosed) throw deviceLost("it was destroyed");
    try {
      this.#driver.call("cuCtxSetCurrent", this.#context);
      return work();
    } catch (failure) {
      throw failure instanceof CudaFailure ? this.#explained(failure, asked) : failure;
    }
  }

  #explained(failure: CudaFailure, asked?: number): Error {
    if (failure.isLast) {
      this.#lose(failure.message);
      return deviceLost(failure.message);
    }
    if (failure.code === failures.outOfMemory) return this.#outOfMemory(failure, asked);
    return diagnose("E441", {
      message: `the GPU ${this.#gpu.name} refuses a call: ${failure.message}`,
      help: "please report this with what inarch doctor says",
      cause: failure,
    });
  }

  #outOfMemory(cause: CudaFailure, asked?: number): Error {
    const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
    const isKnown = this.#driver.try("cuMemGetInfo_v2", free, total) === 0;
    const left = isKnown
      ? `, of which ${formatBytes(Number(free[0]))} of ${formatBytes(Number(total[0]))} are free`
      : "";
    return diagnose("E423", {
      message: `the GPU ${this.#gpu.name} has no memory for ${asked === undefined ? cause.call : formatBytes(asked)}${left}`,
      help: "close sessions and other programs on the GPU, use a smaller batch or image, or compile with a narrower weightFormat",
      cause,
    });
  }

  #copied(
    block: Block,
    call: "cuMemcpyHtoDAsync_v2" | "cuMemcpyDtoHAsync_v2",
    to: bigint,
    from: bigint,
    bytes: number,
  ): void {
    this.#driver.call(call, to, from, bytes, this.#stream);
    this.#driver.call("cuEventRecord", block.event, this.#stream);
  }

  /** The values of the parameters, and behind them where each of them lies. */
  #launch({ kernel, groups, threads, given, buffers }: CudaLaunch): void {
    const { address, bytes } = this.#host;
    const count = buffers.length;
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, count + count);
    words.set(buffers);
    const placeOf = (i: number) => address + BigInt(wordSize * i);
    for (const i of buffers.keys()) words[count + i] = placeOf(i);
    const params = placeOf(count);
    const { call } = this.#driver;
    call("cuLaunchKernel", kernel, ...groups, ...threads, given, this.#stream, params, 0);
  }

  async #until(isDone: () => boolean): Promise<void> {
    for (let i = 0; !this.#guarded(isDone); i++) await moment(i);
  }

  #isPast(event: bigint): boolean {
    const code = this.#driver.try("cuEventQuery", event);
    if (code !== failures.notReady) this.#driver.check("cuEventQuery", code);
    return code === 0;
  }

  async #compiled(kernel: PlanKernel, text: string): Promise<CudaKernel> {
    const { capability, driver: version } = this.#gpu;
    const key = JSON.stringify([text, capability, version]);
    const cubin = await cachedCubin(key, async () =>
      this.#cubinOf(kernel, await this.#assembler.assemble({ name: kernel.name, text })),
    );
    return this.#guarded(() => {
      const module = this.#driver.made("cuModuleLoadData", cubin);
      this.#modules.push(module);
      const made = this.#driver.made("cuModuleGetFunction", module, kernel.entry);
      const given = givenBytes(kernel);
      if (given > 0) this.#driver.call("cuFuncSetAttribute", made, mostGiven, given);
      return made;
    });
  }

  /** @throws E425, E447 */
  #cubinOf({ name }: PlanKernel, found: Assembled): Uint8Array<ArrayBuffer> {
    if ("cubin" in found) return found.cubin;
    const { call, code, words } = found.failure;
    const failure = new CudaFailure(call, code, words);
    throw failure.isLast ? this.#explained(failure) : this.#refused(name, failure, found.log);
  }

  #refused(name: string, cause: CudaFailure, log: string): Error {
    if (cause.code === failures.unsupportedPtx) return tooOldDriver(this.#gpu.driver, cause);
    if (cause.code === failures.outOfMemory) return this.#outOfMemory(cause);
    return diagnose("E425", {
      message: `the driver refuses kernel ${name}: ${log.trim() || cause.message}`,
      where: name,
      help: "please report this with the kernel's text: inarch show MODEL --stage ptx",
      cause,
    });
  }

  #forget(exec: bigint): void {
    if (this.#isClosed || !this.#recorded.delete(exec)) return;
    this.#driver.try("cuCtxSetCurrent", this.#context);
    this.#driver.try("cuGraphExecDestroy", exec);
  }
}

/** E447 */
export const tooOldDriver = (version: string, cause?: unknown) =>
  diagnose("E447", {
    message: `the driver is of CUDA ${version}, and does not know the PTX that inarch prints`,
    help: "update NVIDIA's driver: that of CUDA 11.8 or later",
    cause,
  });

/** No time at first, since short work ends soon; then a millisecond, in which no processor is used. */
const moment = (count: number): Promise<void> =>
  new Promise((resolve) => {
    if (count < 20) setImmediate(resolve);
    else setTimeout(resolve, 1);
  });
