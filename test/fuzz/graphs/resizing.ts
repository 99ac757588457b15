/** Resizing, as PyTorch's `interpolate` does it. */
import type { Arithmetic } from "./arithmetic.ts";
import { count, type Dense, make, read } from "./dense.ts";
import * as fn from "./functions.ts";
import { type Kind, type Known, known } from "./known.ts";
import { axesOf, total } from "./lines.ts";

type Resizing = {
  readonly mode: string;
  readonly alignCorners?: boolean;
  readonly size?: number;
  readonly scale?: number;
};

/** PyTorch's `interpolate` along one axis. */
export function resized(x: Dense, axis: number, o: Resizing, f: Arithmetic): Dense {
  const along = axesOf(x, axis)[0]!;
  const from = x.shape[along]!;
  const to = o.size ?? Math.floor(from * o.scale!);
  if (to === from && (o.scale ?? 1) === 1) return x;
  const taps = (i: number): (readonly [number, number])[] => {
    const held = (n: number) => Math.min(Math.max(n, 0), from - 1);
    if (o.mode === "nearest") {
      const step = Math.fround(o.scale === undefined ? from / to : 1 / o.scale);
      return [[Math.min(Math.floor(Math.fround(i * step)), from - 1), 1]];
    }
    const step = o.scale === undefined ? from / to : 1 / o.scale;
    const aligned = to > 1 ? (i * (from - 1)) / (to - 1) : 0;
    const centre = (i + 0.5) * step - 0.5;
    const place = o.alignCorners ? aligned : centre;
    // Moved by less than a rounding, so that whole numbers stay whole.
    const low = Math.floor(place + 1e-9);
    const t = place - low;
    if (o.mode === "bilinear")
      return [
        [held(low), 1 - t],
        [held(low + 1), t],
      ];
    return [-1, 0, 1, 2].map((n) => [held(low + n), fn.keys(t - n)] as const);
  };
  return make(
    "f32",
    x.shape.map((n, i) => (i === along ? to : n)),
    (at) => {
      const own = taps(at[along]!);
      const of = (n: number) =>
        read(
          x,
          at.map((c, i) => (i === along ? n : c)),
        );
      if (o.mode === "nearest") return of(own[0]![0]);
      // What counts nothing may be read or not.
      const isRead = ([n, w]: readonly [number, number]) =>
        Math.abs(w) > 1e-6 || Number.isFinite(of(n));
      if (f.side && !own.every(isRead)) return Number.NaN;
      return total(
        own.filter(isRead).map(([n, w]) => f(w, 2, 4e-7) * of(n)),
        "f32",
        f,
      );
    },
  );
}

export const resizingOps: Readonly<Record<string, Known>> = {
  resample: known(
    (d) => {
      const x = d.some(isImage);
      const mode = d.random.pick(["nearest", "bilinear", "bicubic"]);
      const size = d.random.chance(0.6)
        ? { size: [d.size(9), d.size(9)] }
        : { scale: d.random.pick([1, 1.5, 2, 3, 1.3]) };
      return [
        x,
        {
          mode,
          ...size,
          ...(mode !== "nearest" && d.random.chance(0.3) ? { alignCorners: true } : {}),
        },
      ];
    },
    (
      f,
      x: Dense,
      o: { mode: string; alignCorners?: boolean; size?: readonly number[]; scale?: number },
    ) =>
      [2, 3].reduce((map, axis, i) => {
        const extent = o.size ? { size: o.size[i]! } : { scale: o.scale! };
        return resized(
          map,
          axis,
          { mode: o.mode, alignCorners: o.alignCorners ?? false, ...extent },
          f,
        );
      }, x),
  ),
  resampleAxis: known(
    (d) => {
      const x = d.floats(1, 4);
      return [
        x,
        d.axis(x),
        { mode: d.random.pick(["nearest", "bilinear", "bicubic"]), size: d.size(9) },
      ];
    },
    (f, x: Dense, axis: number, o: Resizing) => resized(x, axis, o, f),
  ),
};

const isImage = ({ dtype, shape }: Kind) =>
  dtype === "f32" && shape.length === 4 && count(shape) <= 300;
