/** `--device`: what every command that runs a model calls the flag. */

/** Made of the kinds that can be opened. */
export async function deviceFlag() {
  const { deviceKinds } = await import("../../runtime/node/device.ts");
  return {
    type: "enum",
    options: deviceKinds,
    numbered: ["cuda"],
    description:
      "where to run: unless given where INARCH_DEVICE says, else on a hardware GPU, else on the processor; cuda:1 is the second GPU of CUDA",
  } as const;
}
