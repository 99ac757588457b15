/** Errors of depth and of surface normals, over all pixels of all pictures whose truth is known. */
import { diagnose } from "../../diagnostics/index.ts";
import { checkLength } from "./maps.ts";
import { ratio, type Score } from "./mean.ts";

export interface DepthScores {
  /** The mean of |prediction - target|, in the target's unit. */
  readonly absolute: Score;
  /** The mean of |prediction - target| / target. */
  readonly relative: Score;
  /** How many pixels they are of. Both are undefined where there is none. */
  readonly pixels: number;
}

export interface DepthErrors {
  /** Adds pixels: depths in any one order. @throws E1020 for other lengths and for numbers that are not finite. */
  add(predicted: ArrayLike<number>, target: ArrayLike<number>): void;
  scores(): DepthScores;
}

/**
 * Depth errors; a target of 0 is not known and does not count.
 * Source: LibMTL `examples/nyu/utils.py::DepthMetric`, a mean over pixels and not over pictures.
 */
export function depthErrors(): DepthErrors {
  let [absolute, relative, pixels] = [0, 0, 0];
  return {
    add(predicted, target) {
      checkLength("depth", predicted, target.length, `${target.length} pixels`);
      for (let i = 0; i < target.length; i++) {
        const truth = target[i]!;
        if (truth === 0) continue;
        const error = Math.abs(finite(predicted[i]!, "depth", i) - finite(truth, "target", i));
        absolute += error;
        relative += error / truth;
        pixels++;
      }
    },
    scores: () => ({
      absolute: ratio(absolute, pixels),
      relative: ratio(relative, pixels),
      pixels,
    }),
  };
}

export interface NormalScores {
  /** Of the angles between prediction and truth, in degrees. */
  readonly mean: Score;
  /** The middle angle, the lower of two, as PyTorch's `median`; in degrees, right to 180 / 2^19. */
  readonly median: Score;
  /** The part of the pixels whose angle is smaller than 11.25, 22.5 and 30 degrees. */
  readonly within11: Score;
  readonly within22: Score;
  readonly within30: Score;
  /** How many pixels they are of. All are undefined where there is none. */
  readonly pixels: number;
}

export interface NormalErrors {
  /**
   * Adds pictures: both are `[3, pixels]`, the target of unit length.
   * @throws E1020 for other lengths and for numbers that are not finite.
   */
  add(predicted: ArrayLike<number>, target: ArrayLike<number>): void;
  scores(): NormalScores;
}

/** Angles are counted in so many steps from 0 to 180 degrees, for the median. */
const steps = 2 ** 18;

/**
 * Angles between normals. A target whose channels sum to 0 is not known and does not count, as published; a
 * prediction without length has no direction and is 90 degrees off.
 * Source: LibMTL `examples/nyu/utils.py::NormalMetric`, over all pixels of all pictures.
 */
export function normalErrors(): NormalErrors {
  const angles = new Float64Array(steps + 1);
  const within = [11.25, 22.5, 30].map((degrees) => ({ degrees, pixels: 0 }));
  let [sum, pixels] = [0, 0];
  return {
    add(predicted, target) {
      checkLength("normals", predicted, target.length, `${target.length / 3} pixels`);
      const plane = target.length / 3;
      for (let i = 0; i < plane; i++) {
        const places = [i, plane + i, 2 * plane + i];
        const [a, b, c] = places.map((at) => finite(target[at]!, "target", at));
        if (a! + b! + c! === 0) continue;
        const [x, y, z] = places.map((at) => finite(predicted[at]!, "normal", at));
        const length = Math.hypot(x!, y!, z!);
        const cosine = length === 0 ? 0 : (a! * x! + b! * y! + c! * z!) / length;
        const angle = (Math.acos(Math.min(1, Math.max(-1, cosine))) * 180) / Math.PI;
        sum += angle;
        pixels++;
        angles[Math.floor((angle / 180) * steps)]!++;
        for (const one of within) if (angle < one.degrees) one.pixels++;
      }
    },
    scores() {
      const [within11, within22, within30] = within.map((one) => ratio(one.pixels, pixels));
      return {
        mean: ratio(sum, pixels),
        median: pixels === 0 ? undefined : medianOf(angles, pixels),
        within11,
        within22,
        within30,
        pixels,
      };
    },
  };
}

/** The middle of the step of the middle angle. */
function medianOf(angles: Float64Array, pixels: number): number {
  const place = Math.ceil(pixels / 2);
  let step = 0;
  for (let passed = angles[0]!; passed < place; passed += angles[step]!) step++;
  return ((step + 0.5) / steps) * 180;
}

function finite(value: number, what: string, i: number): number {
  if (Number.isFinite(value)) return value;
  throw diagnose("E1020", {
    message: `the ${what} at place ${i} is ${value}`,
    help: "a target that is not known is 0; a prediction is a number everywhere",
  });
}
