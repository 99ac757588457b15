/** Curves as SVG that is as wide as its place; texts stand beside it, and keep their size. */
import { type Html, html } from "../../explain/html.ts";

export interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn with a mark at each point. */
  readonly isSparse?: boolean;
}

/** A chart with its own scales, along `unit`. Curves without a finite point are left out. */
export function chart(title: string, curves: readonly Curve[], unit = "steps"): Html {
  const shown = curves
    .map((curve) => ({ ...curve, points: curve.points.filter((p) => p.every(Number.isFinite)) }))
    .filter(({ points }) => points.length > 0);
  const all = shown.flatMap(({ points }) => points);
  if (all.length === 0)
    return html`<figure class="chart"><figcaption>${title}: nothing to draw</figcaption></figure>`;
  const [left, right] = rangeOf(all.map(([x]) => x));
  const [low, high] = rangeOf(all.map(([, y]) => y));
  const place = ([x, y]: readonly [number, number]) =>
    [(100 * (x - left)) / (right - left), 100 - (100 * (y - low)) / (high - low)] as const;
  const lines = shown.map(({ name, points, isSparse }, i) => {
    const path = thinned(points)
      .map(place)
      .map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`)
      .join(" ");
    const [end] = points.slice(-1);
    const marks = isSparse
      ? points.map((point) => {
          const [x, y] = place(point);
          return html`<path class="mark ${hue(i)}" d="M${x.toFixed(2)},${y.toFixed(2)}h0"><title>${name} ${short(point[1])} at ${point[0]} ${unit}</title></path>`;
        })
      : [];
    return html`<polyline class="line ${hue(i)}" points="${path}"><title>${name}: ${short(end![1])} at the end</title></polyline>${marks}`;
  });
  const legend = shown.map(({ name }, i) => html`<li><span class="${hue(i)}"></span>${name}</li>`);
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<div class="plot"><div class="ys"><span>${short(high)}</span><span>${short(low)}</span></div>
<svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="${title}">${lines}</svg>
<div class="xs"><span>${left}</span><span>${right} ${unit}</span></div></div>
<ul class="legend">${legend}</ul></figure>`;
}

/** Eight hues; further curves are dashed, then dotted, and their marks in the legend are rings, then squares. */
const hue = (i: number) => `h${i % 8} round${Math.min(2, Math.floor(i / 8))}`;

function rangeOf(values: readonly number[]): readonly [number, number] {
  const [low, high] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** At most so many points of a curve, each the mean of those in its place. */
const most = 400;

function thinned(points: Curve["points"]): Curve["points"] {
  if (points.length <= most) return points;
  const each = points.length / most;
  return Array.from({ length: most }, (_, i) => {
    const some = points.slice(Math.floor(i * each), Math.floor((i + 1) * each));
    const mean = (axis: 0 | 1) => some.reduce((sum, p) => sum + p[axis], 0) / some.length;
    return [mean(0), mean(1)] as const;
  });
}

export const short = (value: number): string =>
  Math.abs(value) >= 1000 || Number.isInteger(value)
    ? String(Math.round(value))
    : String(Number(value.toPrecision(3)));
