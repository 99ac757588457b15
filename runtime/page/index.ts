/** What only pages and workers have. */
export { openDevice, type PageDevice, type PageDeviceOptions } from "./device.ts";
