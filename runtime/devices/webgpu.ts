/**
 * The WebGPU device: a browser's, or Dawn's in Node. Pipelines are compiled in parallel, bind groups
 * built once, and a run is one submit.
 */

import { checkOptions, type OptionNames } from "../../diagnostics/options.ts";
import { type Device, deviceLost } from "./device.ts";
import { checkFits } from "./fits.ts";
import { type CapabilityOptions, webgpuCapabilities } from "./webgpu-capabilities.ts";
import {
  allocate,
  copyBuffers,
  readNumbers,
  type WebGpuBuffer,
  writeBytes,
} from "./webgpu-memory.ts";
import { loadProgram, type Pipelines } from "./webgpu-program.ts";
import { waiter } from "./webgpu-waiting.ts";

export interface WebGpuOptions extends CapabilityOptions {
  /** What to call it in messages. */
  readonly name?: string;
  /** Runs before `device.destroy()` returns: what the opener of the device must let go of. */
  readonly onDestroy?: () => void;
  /**
   * Passes a moment while the device works. Dawn in Node polls as fast as it can whenever something
   * is awaited, which takes a core from a software device; a browser needs nothing here. Told how
   * many milliseconds were waited for already.
   */
  readonly idle?: (waited: number) => Promise<void>;
}

const webgpuOptions: OptionNames<WebGpuOptions> = {
  name: true,
  onDestroy: true,
  idle: true,
  matrices: true,
  language: true,
};

/** Wraps a `GPUDevice`, the app's own or one from `inarch/node`. */
export function webgpuDevice(gpu: GPUDevice, options: WebGpuOptions = {}): Device {
  checkOptions<WebGpuOptions>("webgpuDevice", options, webgpuOptions);
  let gone: string | undefined;
  let destroyed = false;
  const lost = new Promise<string>((resolve) => {
    gpu.lost.then((info) => {
      gone = info.message || info.reason || "unknown reason";
      if (!destroyed) resolve(gone);
    });
  });
  const capabilities = webgpuCapabilities(gpu, options);
  const checkAlive = () => {
    if (destroyed) throw deviceLost("it was destroyed");
    if (gone !== undefined) throw deviceLost(gone);
  };
  /** The error, or that the device is lost: what waits for a lost device may be told before `lost` is. */
  const explain = async (error: unknown): Promise<unknown> => {
    await Promise.race([gpu.lost, new Promise((resolve) => setTimeout(resolve, patience))]);
    if (destroyed) return deviceLost("it was destroyed");
    return gone === undefined ? error : deviceLost(gone);
  };
  /**
   * What is awaited of the device. A lost one resolves some promises as if nothing had happened. Whoever asks checks
   * before whether it is lost: a promise that nobody waits for would reject unheard.
   */
  const alive = async <T>(promise: Promise<T>): Promise<T> => {
    try {
      const value = await promise;
      checkAlive();
      return value;
    } catch (error) {
      throw await explain(error);
    }
  };
  // Sessions of one device share what they have in common: plans of training, buckets of a decoder.
  const pipelines: Pipelines = new Map();
  const wait = waiter(options.idle);
  /** Of runs that no call waits for. */
  const refusals: Promise<void>[] = [];
  const refuse = (verdict: Promise<void>) => void refusals.push(verdict);
  const context = { gpu, pipelines, wait, alive, checkAlive, refuse };
  return {
    target: "wgsl",
    name: options.name ?? "WebGPU",
    capabilities,
    facts: capabilities,
    lost,
    checkAlive,
    async allocate(buffers) {
      checkAlive();
      return alive(allocate(gpu, buffers));
    },
    write(to, offset, data) {
      checkAlive();
      writeBytes(gpu, to as WebGpuBuffer, offset, data);
    },
    copy(pairs) {
      checkAlive();
      copyBuffers(gpu, pairs as readonly (readonly [WebGpuBuffer, WebGpuBuffer])[]);
    },
    async read(from, offset, count, scalar) {
      checkAlive();
      const values = readNumbers(gpu, from as WebGpuBuffer, offset, count, scalar);
      const read = await alive(wait(values));
      if (refusals.length > 0) await refusals.shift();
      return read;
    },
    async load(plan, buffers, onProgress) {
      checkAlive();
      checkFits(plan, capabilities);
      return alive(loadProgram(context, plan, buffers as WebGpuBuffer[], onProgress));
    },
    destroy() {
      destroyed = true;
      gpu.destroy();
      options.onDestroy?.();
    },
  };
}

/** Milliseconds in which a lost device says so. */
const patience = 50;
