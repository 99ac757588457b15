/** `--weights` and `--config`: a SAM's checkpoint, as every command that loads one takes it. */
export const checkpointFlags = {
  weights: {
    type: "string",
    required: true,
    valueHint: "FILE",
    description: "checkpoint of a SAM: .pth, .safetensors or .safetensors.index.json",
  },
  config: {
    type: "string",
    valueHint: "JSON",
    description: "configuration file; read off the weights unless given",
  },
} as const;
