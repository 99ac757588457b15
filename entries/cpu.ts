/**
 * `inarch/cpu`: the processor as a device, in Node and in pages. It runs plans for the target `wasm` and needs
 * neither a GPU nor a driver.
 */
export { type CpuOptions, cpuDevice } from "../runtime/devices/cpu.ts";
