/** Random inputs that scaledConvolution and its gradient are both tested with. */
import type { Case, Tensor } from "../../compiler/op-kit.ts";
import { iota } from "../elementwise/iota.ts";
import { reshape } from "../views/reshape.ts";
import type { ScaledAttrs, Sizes } from "./scaled-convolution-definition.ts";

interface ScaledCase {
  readonly claim: string;
  readonly attrs: ScaledAttrs;
  readonly inputs: Case["inputs"];
  /** Of the result. */
  readonly shape: readonly number[];
  /** The inputs as the op takes them. */
  readonly given: (inputs: readonly Tensor[]) => readonly Tensor[];
}

const scaledCase = (
  claim: string,
  attrs: ScaledAttrs,
  { maps, height, width, channels, kept, outputs }: Omit<Sizes, "experts" | "each">,
  given: ScaledCase["given"],
): ScaledCase => {
  const experts = attrs.scales.length;
  return {
    claim,
    attrs,
    inputs: [
      { shape: [maps, height, width, channels], range: [-2, 2] },
      // Choices beyond the experts are clamped.
      { shape: [maps, kept], dtype: "i32", range: [-1, experts] },
      { shape: [experts, outputs, channels / attrs.groups, 3, 3] },
      { shape: [experts, outputs] },
    ],
    shape: [maps, kept, height, width, outputs],
    given,
  };
};

/** The first map goes to the first expert, the second to the second, and so on. */
const inTurn: ScaledCase["given"] = ([x, choice, ...others]) => [
  x!,
  reshape(iota([x!.shape[0]!], 0), choice!.shape as readonly number[]) as Tensor,
  ...others,
];

const asGiven: ScaledCase["given"] = (inputs) => inputs;

export const scaledCases: readonly ScaledCase[] = [
  scaledCase(
    "scales 1 to 8, one for each map",
    { scales: [1, 2, 3, 4, 5, 6, 7, 8], groups: 1 },
    { maps: 8, height: 3, width: 5, channels: 2, kept: 1, outputs: 2 },
    inTurn,
  ),
  scaledCase(
    "two depthwise experts for each map",
    { scales: [3, 8, 5], groups: 3 },
    { maps: 2, height: 7, width: 7, channels: 3, kept: 2, outputs: 3 },
    asGiven,
  ),
  scaledCase(
    "even scales on a single row, where samples leave the map",
    { scales: [4, 2], groups: 1 },
    { maps: 2, height: 1, width: 4, channels: 1, kept: 1, outputs: 3 },
    inTurn,
  ),
  scaledCase(
    "groups of channels, fewer of them behind than before",
    { scales: [7, 1], groups: 2 },
    { maps: 2, height: 4, width: 1, channels: 6, kept: 1, outputs: 4 },
    inTurn,
  ),
];
