/** How a parameter begins where no checkpoint has it: JSON, kept in plans. The runtime computes it. */
export type Init =
  | { readonly kind: "constant"; readonly value: number }
  /** Uniform from -bound to bound. */
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly mean?: number; readonly deviation: number }
  /** Normal, drawn again beyond two deviations. */
  | { readonly kind: "truncated normal"; readonly deviation: number }
  /**
   * Another tensor of the checkpoint, or its first rows; repeated along the first axis where this
   * one is longer.
   */
  | { readonly kind: "copy"; readonly from: string; readonly rows?: number };

export const zeros: Init = { kind: "constant", value: 0 };
export const ones: Init = { kind: "constant", value: 1 };

/** PyTorch's `kaiming_uniform_(a=sqrt(5))`, its default for linear layers: 1 / sqrt(inputs). */
export const kaiming = (inputs: number): Init => ({
  kind: "uniform",
  bound: 1 / Math.sqrt(inputs),
});
