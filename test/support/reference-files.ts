/** The reference files that devices for processors are held to, and how many numbers each compares. */
export const referenceFiles = [
  ["resample", 16],
  ["structure_loss", 4],
  ["conv_lora", 90],
  ["ta_lora", 63],
  ["sam_nano", 34],
  ["sam_nano_padded", 35],
  ["train_lora", 197],
  ["train_conv_lora", 311],
  ["msam_ta_lora_train", 717],
] as const;
