/** `inarch/node`: what only Node has. A WebGPU device from Dawn, and files: weights and pictures. */
export * from "../predict/node/image.ts";
export * from "../runtime/node/index.ts";
