/**
 * How an item is seen in a step: which part of it, mirrored or not, in which colours, and where in the square that the
 * model takes. A view is drawn once, as numbers, and applied to the picture and to its targets alike.
 */
import type { Size } from "../../predict/vision/image.ts";
import { type Filter, longestSideSize } from "../../predict/vision/resize.ts";
import { drawsFor } from "./random.ts";

export interface Augmentation {
  /** How often a picture is mirrored, left and right exchanged: 0 to 1. */
  readonly mirror?: number | undefined;
  /** How often it is turned over, up and down exchanged: 0 to 1. */
  readonly overturn?: number | undefined;
  /** A part of so many pixels is cut out, anywhere; of a smaller picture all. */
  readonly crop?: Size | undefined;
  /**
   * How much larger things become: one of a list, or anything between two numbers. Above 1 a part is seen; below 1
   * the picture lies in a part of the square, and the rest is padding.
   */
  readonly scale?: readonly number[] | { readonly from: number; readonly to: number } | undefined;
  /** By how much at most each is changed, 0.2 for factors from 0.8 to 1.2: 0 to 1. */
  readonly brightness?: number | undefined;
  readonly contrast?: number | undefined;
  readonly saturation?: number | undefined;
}

/**
 * How a picture comes into the model's square: stretched to all of it, or with its longest side as long as the
 * square, in the upper left corner.
 */
export type Fit = "square" | "longest";

/** How an item is to be seen, and where in the training: a view is a pure function of this and the picture's size. */
export interface ViewRequest {
  /** The side of the model's square input, in pixels. */
  readonly side: number;
  readonly fit: Fit;
  /** How pictures are resized; targets take the nearest pixel. */
  readonly filter: Filter;
  readonly augment?: Augmentation | undefined;
  readonly seed: number;
  readonly position: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

export interface View {
  /** The part of the picture that is seen. */
  readonly from: Rectangle;
  /** Where it comes to lie in the square. */
  readonly to: Rectangle;
  /** The square's side. */
  readonly side: number;
  readonly filter: Filter;
  /** How much larger things are than without augmentation: depths are divided by it. */
  readonly zoom: number;
  readonly isMirrored: boolean;
  readonly isOverturned: boolean;
  /** Factors, applied in this order. */
  readonly colours: {
    readonly brightness: number;
    readonly contrast: number;
    readonly saturation: number;
  };
}

/** What numbers are drawn for stands in their key. */
const viewDraws = 2;

/**
 * The view of a picture of this size at a position of the training: a pure function of its arguments.
 * Every draw is made whether it is needed or not, so that one setting does not change what another draws.
 *
 * Source: LibMTL `examples/nyu/create_dataset.py::RandomScaleCrop` (a part of `int(side / scale)`, depth divided by
 * the scale), torchvision `ColorJitter` (factors).
 */
export function drawView(
  picture: Size,
  { side, fit, filter, augment = {}, seed, position }: ViewRequest,
): View {
  const draws = drawsFor(seed, viewDraws, position);
  const isMirrored = draws.next() < (augment.mirror ?? 0);
  const isOverturned = draws.next() < (augment.overturn ?? 0);
  const zoom = drawZoom(augment.scale, draws.next());
  const places = [draws.next(), draws.next(), draws.next(), draws.next()] as const;
  const factor = (by = 0) => draws.between(1 - by, 1 + by);
  const colours = {
    brightness: factor(augment.brightness),
    contrast: factor(augment.contrast),
    saturation: factor(augment.saturation),
  };
  const cut = partOf(
    { x: 0, y: 0, ...sizeOf(picture) },
    augment.crop ?? picture,
    places[0],
    places[1],
  );
  const near = Math.max(1, zoom);
  const seen = { width: Math.floor(cut.width / near), height: Math.floor(cut.height / near) };
  const from = partOf(cut, seen, places[2], places[3]);
  const whole = fit === "square" ? { width: side, height: side } : longestSideSize(from, side);
  const far = Math.min(1, zoom);
  const small = { width: Math.round(whole.width * far), height: Math.round(whole.height * far) };
  const to = partOf({ x: 0, y: 0, ...whole }, small, places[2], places[3]);
  return { from, to, side, filter, zoom, isMirrored, isOverturned, colours };
}

/** A part of a rectangle, at least one pixel and at most all of it, at a place from 0 to 1 on both axes. */
function partOf(whole: Rectangle, wanted: Size, right: number, down: number): Rectangle {
  const width = Math.max(1, Math.min(whole.width, wanted.width));
  const height = Math.max(1, Math.min(whole.height, wanted.height));
  return {
    x: whole.x + Math.floor(right * (whole.width - width + 1)),
    y: whole.y + Math.floor(down * (whole.height - height + 1)),
    width,
    height,
  };
}

function drawZoom(scale: Augmentation["scale"], drawn: number): number {
  if (scale === undefined) return 1;
  if ("from" in scale) return scale.from + drawn * (scale.to - scale.from);
  return scale[Math.floor(drawn * scale.length)] ?? 1;
}

const sizeOf = ({ width, height }: Size): Size => ({ width, height });
