/** What users pass as a device: one of inarch's, or a page's own `GPUDevice`. */
import { diagnose } from "../../diagnostics/index.ts";
import { shown } from "../../diagnostics/options.ts";
import type { Device } from "./device.ts";
import { webgpuDevice } from "./webgpu.ts";

/** Sessions of one `GPUDevice` share a device, so that they can be bound to one another. */
const wrapped = new WeakMap<object, Device>();

/** @throws E440 for what is no device, with what to pass instead. */
export function asDevice(device: Device | GPUDevice): Device {
  const given: unknown = device;
  if (isObject(given)) {
    if (typeof given.target === "string" && typeof given.allocate === "function")
      return device as Device;
    if (typeof given.createBuffer === "function" && isObject(given.queue)) {
      const known = wrapped.get(given) ?? webgpuDevice(device as GPUDevice);
      wrapped.set(given, known);
      return known;
    }
  }
  throw diagnose("E440", {
    message: `no device was given, but ${wordsFor(given)}`,
    help: help(given),
  });
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  (typeof value === "object" && value !== null) || typeof value === "function";

function wordsFor(value: unknown): string {
  if (isObject(value)) {
    if (typeof value.requestDevice === "function") return "an adapter of WebGPU";
    if (typeof value.requestAdapter === "function") return "navigator.gpu";
    if (typeof value.then === "function") return "a promise";
  }
  return shown(value);
}

function help(value: unknown): string {
  if (isObject(value)) {
    if (typeof value.requestDevice === "function") return "pass await adapter.requestDevice()";
    if (typeof value.requestAdapter === "function")
      return "pass await (await navigator.gpu.requestAdapter()).requestDevice()";
    if (typeof value.then === "function") return "await it first";
    if (isObject(value.device)) return "pass its device: const { device } = await openDevice()";
  }
  return "pass a GPUDevice, or the device of openDevice()";
}
