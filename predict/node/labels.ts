/** The values of a picture's file, as they are stored: indices of a palette, grey of any depth, colours. */
import type { Labels } from "../vision/levels.ts";
import { type DecodeOptions, type Decoding, decode } from "./decode.ts";
import { meaningOf } from "./meaning.ts";

/** Errors: E300, E302 to E305, E307. */
export async function decodeLabels(
  bytes: Uint8Array,
  where: string | undefined,
  options: DecodeOptions,
): Promise<Labels> {
  const { as, indices, bits, palette, alphas, isLossy, isOpaque } = meaningOf(bytes, where);
  const decoded = await decode(indices ?? as ?? bytes, where, options, "all");
  const { width, height, channels, isDeep } = decoded;
  const full = isDeep ? 65535 : 255;
  // A decoder spreads 1, 2 and 4 bits over a byte.
  const white = bits < 8 ? 2 ** bits - 1 : full;
  const grey = band(decoded, 0, white / full);
  const shared = { width, height, isLossy, white };
  if (indices) {
    const alpha = alphas?.length ? grey.map((i) => ((alphas[i] ?? 255) * white) / 255) : undefined;
    return { ...shared, values: grey, kind: "index", palette, alpha };
  }
  const hasAlpha = channels === 4 && !isOpaque;
  if (isGrey(decoded)) {
    const alpha = hasAlpha ? band(decoded, 3, white / full) : undefined;
    return { ...shared, values: grey, kind: "grey", alpha };
  }
  const [red, green, blue, alpha] = [0, 1, 2, 3].map((c) => band(decoded, c, 255 / full));
  const values = red!.map((value, i) => (value << 16) | (green![i]! << 8) | blue![i]!);
  return { ...shared, values, kind: "colour", white: 255, alpha: hasAlpha ? alpha : undefined };
}

/** One band of all pixels, each sample multiplied by `scale` and rounded. */
function band({ width, height, channels, samples }: Decoding, which: number, scale: number) {
  const out = new Uint32Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = Math.round(samples[i * channels + which]! * scale);
  return out;
}

function isGrey({ channels, samples }: Decoding): boolean {
  for (let at = 0; at + 2 < samples.length; at += channels)
    if (samples[at] !== samples[at + 1] || samples[at] !== samples[at + 2]) return false;
  return true;
}
