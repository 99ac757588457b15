/** `inarch/metrics`: metrics of masks, classes, depth and normals as published; for pages and Node. */
export * from "../study/metrics/index.ts";
