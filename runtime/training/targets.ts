/**
 * What targets must hold, checked on the host: a device cannot throw, and a label that is no class
 * would be a loss that means nothing.
 */
import { diagnose } from "../../diagnostics/index.ts";

/** A mask from 0 to 1, weights of pixels, or labels of classes, of which one value may be ignored (-1). */
export type Target =
  | { readonly kind: "mask" }
  | { readonly kind: "weights" }
  | { readonly kind: "labels"; readonly classes: number; readonly ignore?: number };

/** By input: what losses ask of it. */
export type Targets = Readonly<Record<string, readonly Target[]>>;

/** @throws E340, E341, E342 for the first value that is none of what the losses ask for. */
export function checkTargets(
  targets: Targets,
  inputs: readonly { readonly name: string; readonly shape: readonly number[] }[],
  given: Readonly<Record<string, ArrayLike<number>>>,
): void {
  for (const { name, shape } of inputs) {
    const data = given[name];
    for (const target of (data && targets[name]) || [])
      if (target.kind === "mask") checkMask({ name, shape, data: data! });
      else if (target.kind === "weights") checkWeights({ name, shape, data: data! });
      else checkLabels({ name, shape, data: data! }, target.classes, target.ignore);
  }
}

/** A target as it is given to a session. */
export interface GivenTarget {
  /** The input's name. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/**
 * Checks that every label is a class, 0 to `classes` - 1, or `ignore` (-1 unless given).
 * Throws E340 with the first that is not, and where it stands.
 */
export function checkLabels(labels: GivenTarget, classes: number, ignore = -1): void {
  const { data } = labels;
  for (let i = 0; i < data.length; i++) {
    const label = data[i]!;
    if (label === ignore || (Number.isInteger(label) && label >= 0 && label < classes)) continue;
    const range = classes === 1 ? "the only class is 0" : `classes are 0 to ${classes - 1}`;
    throw diagnose("E340", {
      message: `${placeOf(labels, i)} is ${label}, but ${range}, and ${ignore} is ignored`,
      where: labels.name,
      help: `give the number of classes that the labels have, or change ${label} to one of them or to ${ignore}`,
    });
  }
}

/** What rounding may add to a soft mask. */
const slack = 1e-5;

/**
 * Checks that every element of a mask lies in 0 to 1, but for rounding.
 * Throws E341 with the first that does not, and where it stands.
 */
export function checkMask(mask: GivenTarget): void {
  const { data } = mask;
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value >= -slack && value <= 1 + slack) continue;
    throw diagnose("E341", {
      message: `${placeOf(mask, i)} is ${value}, but a mask goes from 0 to 1`,
      where: mask.name,
      help: value > 1 && value <= 255 ? "divide grey levels by 255" : "use 0 outside and 1 inside",
    });
  }
}

/** Throws E342 with the first weight that is not a number from 0 up, and where it stands. */
function checkWeights(weights: GivenTarget): void {
  const at = Array.prototype.findIndex.call(
    weights.data,
    (value: number) => !(value >= 0 && value < Number.POSITIVE_INFINITY),
  );
  if (at < 0) return;
  throw diagnose("E342", {
    message: `${placeOf(weights, at)} is ${weights.data[at]}, but a weight is 0 or more`,
    where: weights.name,
    help: "use 0 where a pixel does not count, and 1 where it does",
  });
}

/** labels[1, 5, 7] */
function placeOf({ name, shape }: GivenTarget, at: number): string {
  const coords: number[] = [];
  let rest = at;
  for (const size of [...shape].reverse()) {
    coords.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return coords.length > 0 ? `${name}[${coords.join(", ")}]` : name;
}
