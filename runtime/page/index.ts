/** What only pages and workers have. */
export {
  type CachedWeightsOptions,
  openWeightsCache,
  type WeightsCache,
  type WeightsCacheOptions,
} from "./cache.ts";
export { type Connected, type ConnectOptions, connect } from "./connect.ts";
export { openDevice, type PageDevice, type PageDeviceOptions } from "./device.ts";
export { type Loading, serve } from "./serve.ts";
export { type FileStore, openFileStore } from "./store.ts";
