/**
 * Antialiased shapes on a picture. Every shape is a signed distance in pixels, negative inside; a
 * pixel is covered as far as its centre lies inside, half a pixel soft.
 */
import type { Image, Size } from "./image.ts";

export type Colour = readonly [red: number, green: number, blue: number];

/** Distance to the shape's edge at a pixel's centre, in pixels, negative inside. */
export type Shape = (x: number, y: number) => number;

/** Left, top, right, bottom: what a shape can reach. */
export type Bounds = readonly [number, number, number, number];

/** A copy to draw on. */
export const copyOf = (picture: Image): Image => ({ ...picture, data: picture.data.slice() });

/** Mixes `colour` over the inside of the shape, in place. */
export function fill(on: Image, shape: Shape, bounds: Bounds, colour: Colour, alpha = 1): void {
  paint(on, bounds, colour, (x, y) => alpha * clamp(0.5 - shape(x, y)));
}

/** A soft shadow around the shape, `reach` pixels wide: marks stay legible on any ground. */
export function shade(on: Image, shape: Shape, bounds: Bounds, reach: number, alpha: number): void {
  const [left, top, right, bottom] = bounds;
  const wider: Bounds = [left - reach, top - reach, right + reach, bottom + reach];
  paint(on, wider, [0, 0, 0], (x, y) => {
    const near = clamp(1 - shape(x, y) / reach);
    return alpha * near * near;
  });
}

/** Mixes `colour` into the pixels of `bounds`, each as much as `alphaAt` says. */
export function paint(on: Image, bounds: Bounds, colour: Colour, alphaAt: Shape): void {
  const [left, top, right, bottom] = clip(bounds, on);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const alpha = alphaAt(x, y);
      if (alpha <= 0) continue;
      const at = (y * on.width + x) * 3;
      for (let channel = 0; channel < 3; channel++) {
        const below = on.data[at + channel]!;
        on.data[at + channel] = Math.round(below + (colour[channel]! - below) * alpha);
      }
    }
  }
}

export const disc =
  (centreX: number, centreY: number, radius: number): Shape =>
  (x, y) =>
    Math.hypot(x - centreX, y - centreY) - radius;

/** The outline of a rectangle, `width` pixels wide, with round outer corners. */
export function frame([x0, y0, x1, y1]: Bounds, width: number): Shape {
  return (x, y) => {
    const outX = Math.max(x0 - x, x - x1);
    const outY = Math.max(y0 - y, y - y1);
    const outside = Math.hypot(Math.max(outX, 0), Math.max(outY, 0));
    return Math.abs(outside + Math.min(Math.max(outX, outY), 0)) - width / 2;
  };
}

/** A star of five points, one upwards; `radius` reaches the tips. */
export function star(centreX: number, centreY: number, radius: number): Shape {
  const corners = Array.from({ length: 10 }, (_, i) => {
    const reach = i % 2 === 0 ? radius : radius * 0.45;
    const angle = (i * Math.PI) / 5;
    return [centreX + reach * Math.sin(angle), centreY - reach * Math.cos(angle)] as const;
  });
  return polygon(corners);
}

/** A closed polygon: nearest edge, and the side by the crossings of a ray to the left. */
function polygon(corners: readonly (readonly [number, number])[]): Shape {
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    let inside = false;
    for (let i = 0; i < corners.length; i++) {
      const [ax, ay] = corners[i]!;
      const [bx, by] = corners[(i + 1) % corners.length]!;
      const [ex, ey, px, py] = [bx - ax, by - ay, x - ax, y - ay];
      const along = clamp((px * ex + py * ey) / (ex * ex + ey * ey));
      nearest = Math.min(nearest, Math.hypot(px - ex * along, py - ey * along));
      if (ay > y !== by > y && x > ax + (ex * py) / ey) inside = !inside;
    }
    return inside ? -nearest : nearest;
  };
}

export const clamp = (value: number) => Math.min(1, Math.max(0, value));

function clip([left, top, right, bottom]: Bounds, { width, height }: Size): Bounds {
  return [
    Math.max(0, Math.floor(left)),
    Math.max(0, Math.floor(top)),
    Math.min(width, Math.ceil(right) + 1),
    Math.min(height, Math.ceil(bottom) + 1),
  ];
}
