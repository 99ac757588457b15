/**
 * What a picture of a mask says: which pixels are inside, by the values that are in it. White inside and black
 * outside is one way to draw a mask; numbers of classes, indices of a palette and an alpha channel are others,
 * and look all black to whoever takes them for brightness. What can be read in two ways is refused.
 */
import { diagnose } from "../../diagnostics/index.ts";
import { checkOptions } from "../../diagnostics/options.ts";
import {
  checkImage,
  checkMask,
  checkSize,
  isCanvasPixels,
  type Mask,
  type Picture,
  type Size,
} from "./image.ts";
import { isSoft, mostClasses } from "./soft.ts";

/** How far inside each pixel is: `inside` is `[height, width]`, 0 outside, 255 inside. */
export interface Levels extends Size {
  readonly inside: Uint8Array;
}

/** A grey value, an index or a class, or a colour as `#rrggbb`. */
export type MaskValue = number | string;

/** The values of a picture, before anybody says what they mean. */
export interface Labels extends Size {
  /** For each pixel a grey value, an index into a palette, or `0xrrggbb`. */
  readonly values: Uint32Array;
  readonly kind: "grey" | "index" | "colour";
  /** The largest grey value that a pixel could have. */
  readonly white: number;
  /** Of indices, where they are known: `0xrrggbb`. */
  readonly palette?: readonly number[] | undefined;
  /** For each pixel, 0 transparent and `white` opaque; absent where there is no alpha channel. */
  readonly alpha?: Uint32Array | undefined;
  /** Compression has changed the values a little. */
  readonly isLossy?: boolean | undefined;
}

export interface LevelsOptions {
  /** The value that is inside; everything else is outside. */
  readonly maskValue?: MaskValue | undefined;
  /** Told what was taken for inside, where that is not white. */
  readonly onNote?: ((words: string) => void) | undefined;
  readonly where?: string | undefined;
}

/** @throws E460 for a name that no option has. */
export const checkLevelsOptions = (of: string, options: LevelsOptions): void =>
  checkOptions<LevelsOptions>(of, options, { maskValue: true, onNote: true, where: true });

/** The values of a picture, or of a mask of 0 and 1, as they are. Errors: E300, E301, E365. */
export function labelsOf(picture: Picture | Mask, where?: string): Labels {
  if (isMask(picture)) {
    const { width, height, data } = checkMask(picture, where);
    const values = Uint32Array.from(data);
    return { width, height, values, kind: "grey", white: data.every((v) => v <= 1) ? 1 : 255 };
  }
  const { width, height, data } = checkImage(picture, where);
  const values = new Uint32Array(width * height);
  for (let i = 0; i < values.length; i++)
    values[i] = (data[3 * i]! << 16) | (data[3 * i + 1]! << 8) | data[3 * i + 2]!;
  const labels = { width, height, values, kind: "colour", white: 255 } as const;
  if (!isCanvasPixels(picture)) return labels;
  return { ...labels, alpha: values.map((_, i) => picture.data[4 * i + 3]!) };
}

const isMask = (picture: Picture | Mask): picture is Mask =>
  picture?.data instanceof Uint8Array && !("channels" in picture);

/**
 * Which pixels are inside. Black and white, and what lies between along edges, is taken as brightness; of two
 * values of which one is 0, the other is inside; so is `maskValue`, if given.
 * @throws E363 for a picture that can be read in several ways, E364 for a value that is not in it, E366 for one of
 * which nothing is inside.
 */
export function levelsOf(given: Labels, options: LevelsOptions = {}): Levels {
  checkLevelsOptions("levelsOf", options);
  checkSize(given, "a mask", options.where);
  const labels = withoutColour(given);
  if (options.maskValue !== undefined) {
    // A number is one of the file, which has indices.
    const own = given.kind === "index" ? given : labels;
    return only(own, wanted(own, options));
  }
  const masked = withoutAlpha(labels, options);
  if (masked.kind === "grey") return fromGrey(masked, options);
  const counts = countsOf(masked.values);
  const [other, ...more] = [...counts.keys()].filter((value) => value !== 0);
  const black = masked.palette?.indexOf(0) ?? 0;
  const isPlain = counts.has(0) && more.length === 0 && other !== undefined;
  if (other === undefined) throw nothing(options);
  if (!isPlain || masked.isLossy || other === black) throw severalWays(masked, counts, options);
  options.onNote?.(
    `the mask picture holds ${list(masked, counts)}: ${name(masked, other)} is inside`,
  );
  return only(masked, other);
}

function fromGrey(labels: Labels, options: LevelsOptions): Levels {
  const { width, height, values, white } = labels;
  const counts = countsOf(values);
  const all = [...counts.keys()];
  const [least, most] = [all[0]!, all.at(-1)!];
  if (most === 0) throw nothing(options);
  if (all.length === 2 && least === 0) {
    if (most !== white) options.onNote?.(`the mask picture holds 0 and ${most}: ${most} is inside`);
    return only(labels, most);
  }
  const isEverything = least === white;
  if (!isEverything && !isSoft(labels, counts)) throw severalWays(labels, counts, options);
  return { width, height, inside: Uint8Array.from(values, (v) => Math.round((255 * v) / white)) };
}

/** Colours, and indices of colours, that are all greys are greys. */
function withoutColour(labels: Labels): Labels {
  const { kind, values, palette, isLossy } = labels;
  if (kind === "grey" || (kind === "index" && !palette)) return labels;
  const tolerance = isLossy ? 24 : 0;
  const colourOf = (value: number) => (kind === "index" ? (palette![value] ?? 0) : value);
  const greys = new Map<number, number>();
  for (const value of countsOf(values).keys()) {
    const colour = colourOf(value);
    const parts = [colour >> 16, (colour >> 8) & 255, colour & 255];
    if (Math.max(...parts) - Math.min(...parts) > tolerance) return labels;
    greys.set(value, Math.round(0.299 * parts[0]! + 0.587 * parts[1]! + 0.114 * parts[2]!));
  }
  const isRenumbered = kind === "index" && [...greys].some(([value, grey]) => value !== grey);
  if (isRenumbered && !isBlackAndWhite(greys)) return labels;
  const byte = (value: number) => Math.round((255 * value) / labels.white);
  return {
    ...labels,
    ...{ kind: "grey", white: 255, alpha: labels.alpha?.map(byte) },
    values: values.map((value) => greys.get(value)!),
  };
}

const isBlackAndWhite = (greys: ReadonlyMap<number, number>) =>
  [...greys.values()].every((grey) => grey === 0 || grey === 255);

/** The alpha channel where it alone has a shape; without it where it says nothing. */
function withoutAlpha(labels: Labels, options: LevelsOptions): Labels {
  const { alpha, values, white, kind } = labels;
  if (!alpha || alpha.every((value) => value === alpha[0])) return labels;
  if (values.every((value) => value === values[0])) {
    options.onNote?.("the mask picture has one colour: its alpha channel is taken");
    return { ...labels, kind: "grey", values: alpha };
  }
  // What is not black is opaque, and nothing else is: both say the same.
  const agree = (least: number) =>
    values.every((value, i) => value > least === alpha[i]! > white / 2);
  if (agree(0) || (kind === "grey" && agree(white / 2))) return labels;
  throw diagnose("E363", {
    message: "the mask picture has colours and an alpha channel, which say different things",
    where: options.where,
    help: `save the one that is the mask, white inside and black outside; or ${howToChoose}`,
  });
}

function only({ width, height, values }: Labels, value: number): Levels {
  // `from` with a function takes 20 times as long.
  const inside = new Uint8Array(values.length);
  for (let i = 0; i < inside.length; i++) if (values[i] === value) inside[i] = 255;
  return { width, height, inside };
}

/** The value that is asked for, as the picture has it. Errors: E364. */
function wanted(labels: Labels, { maskValue, where }: LevelsOptions): number {
  const counts = countsOf(labels.values);
  const text = String(maskValue).trim();
  if (labels.isLossy)
    throw diagnose("E364", {
      message: `compression has changed the mask picture's values, so that ${text} would be inside only here and there`,
      where,
      help: "save it as PNG from the first; a mask that is white on black needs no value",
    });
  const value = numberOf(labels, text);
  if (counts.has(value)) return value;
  throw diagnose("E364", {
    message: `the mask picture does not hold ${text || "that value"}; it holds ${list(labels, counts)}`,
    where,
    help: `give one of the values that it holds, a whole number or a colour as #rrggbb: ${howToChoose}`,
  });
}

/** NaN for what is no value of this kind of picture. */
function numberOf({ kind, palette, white }: Labels, text: string): number {
  if (!/^#[0-9a-f]{6}$/i.test(text)) return text === "" || kind === "colour" ? Number.NaN : +text;
  const colour = Number.parseInt(text.slice(1), 16);
  if (kind === "colour") return colour;
  if (kind === "index") return palette?.includes(colour) ? palette.indexOf(colour) : Number.NaN;
  return white === 255 && colour % 0x010101 === 0 ? colour & 255 : Number.NaN;
}

const howToChoose = "choose it: maskValue or --mask-value, in a set value or --value";

const nothing = ({ where }: LevelsOptions) =>
  diagnose("E366", {
    message: "the mask picture is black everywhere: nothing is inside",
    where,
    help: "draw what is inside white, or leave the mask out; classes in a file of 16 bits are kept by readMaskFile, and not by readImage",
  });

function severalWays(
  labels: Labels,
  counts: ReadonlyMap<number, number>,
  { where }: LevelsOptions,
) {
  const what = { grey: "values", index: "indices of a palette", colour: "colours" }[labels.kind];
  const example = name(labels, [...counts.keys()].findLast((value) => value !== 0) ?? 0);
  const isPhotograph = counts.size > mostClasses;
  const choice = labels.isLossy ? "save it as PNG; or " : `${howToChoose}, such as ${example}; or `;
  return diagnose("E363", {
    message: `the mask picture is not white on black: its ${what} are ${list(labels, counts)}`,
    where,
    help: `${isPhotograph ? "" : choice}draw it white inside and black outside`,
  });
}

/** How many pixels have each value, the least value first. */
function countsOf(values: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>();
  // Neighbours are mostly alike.
  for (let i = 0, first = 0; i < values.length; i++)
    if (values[i + 1] !== values[i]) {
      counts.set(values[i]!, (counts.get(values[i]!) ?? 0) + i + 1 - first);
      first = i + 1;
    }
  return new Map([...counts].sort(([a], [b]) => a - b));
}

const name = ({ kind }: Labels, value: number) =>
  kind === "colour" ? `#${value.toString(16).padStart(6, "0")}` : String(value);

/** The most values that a message names. */
const named = 8;

function list(labels: Labels, counts: ReadonlyMap<number, number>): string {
  const all = [...counts.keys()].map((value) => name(labels, value));
  if (all.length > named) return `${all.slice(0, named).join(", ")} and ${all.length - named} more`;
  return all.length < 2 ? all.join() : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}
