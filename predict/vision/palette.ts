/** Colours of classes. */

/**
 * `0xrrggbb` of a class, as Pascal VOC colours them: the bits of its number, in turn for red, green and blue, from the
 * highest bit of each. 0 is black.
 */
export function classColour(label: number): number {
  const channel = (first: number) => {
    let value = 0;
    for (let bit = 0; bit < 8; bit++) value |= ((label >> (3 * bit + first)) & 1) << (7 - bit);
    return value;
  };
  return (channel(0) << 16) | (channel(1) << 8) | channel(2);
}
