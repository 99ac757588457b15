/** `--device`: what every command that runs a model calls the flag. */

/** Made of the kinds that can be opened. */
export async function deviceFlag() {
  const { deviceKinds } = await import("../../runtime/node/device.ts");
  return {
    type: "enum",
    options: deviceKinds,
    default: "webgpu",
    description: "where to run",
  } as const;
}
