/** `--device`: what every command that runs a model calls the flag. */
import { type DeviceKind, deviceKinds } from "../../runtime/node/device.ts";

export const deviceFlag = {
  type: "enum" as const,
  options: [...deviceKinds] as DeviceKind[],
  default: "webgpu" as const,
  description: "where to run",
};
