/** `inarch/node`: what only Node has. A WebGPU device from Dawn, and files: weights and pictures. */
export * from "../predict/node/image.ts";
export { type Ground, openRaster, type Raster } from "../predict/node/raster.ts";
export { type LabelTiff, writeLabelTiff } from "../predict/node/tiff-write.ts";
export * from "../runtime/node/index.ts";
