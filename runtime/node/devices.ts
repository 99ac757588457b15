/**
 * The kinds of devices that can be opened, one line each: the function that opens one, under the name by
 * which it is asked for. Nothing else lists them.
 */
export { openReference as reference } from "../devices/reference.ts";
export { openCpu as cpu } from "./cpu.ts";
export { openCuda as cuda } from "./cuda.ts";
export { openDawn as webgpu } from "./dawn.ts";
export { openNative as native } from "./native.ts";
