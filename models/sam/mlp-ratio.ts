/** The MLP of an encoder block: configurations give a ratio, checkpoints a number of channels. */

/** Hidden channels, rounded down as Meta does. */
export const hiddenChannels = (embedDim: number, mlpRatio: number): number =>
  Math.floor(embedDim * mlpRatio);

/** A ratio that rounds down to exactly `hidden` channels. */
export function ratioFor(embedDim: number, hidden: number): number {
  const ratio = hidden / embedDim;
  // The product may fall a hair short of the whole number, and would then lose a channel.
  return hiddenChannels(embedDim, ratio) === hidden ? ratio : (hidden + 0.5) / embedDim;
}
