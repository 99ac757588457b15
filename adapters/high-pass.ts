/**
 * The high frequencies of an image, as SAM-Adapter takes them: |Re ifft2(fft2(x) outside a
 * square)|.
 *
 * What is taken away is a separable band of frequencies, from -line to line - 1 along each axis.
 * Keeping that band is a linear map along rows and one along columns, circulant matrices with a
 * closed form; so there is no transform, but four products with matrices that are computed where
 * they are read.
 */
import type { Tensor } from "../compiler/index.ts";
import {
  abs,
  cast,
  cos,
  div,
  eq,
  iota,
  matmul,
  mul,
  neg,
  sin,
  sub,
  transpose,
  where,
} from "../ops/index.ts";

type Real = Tensor<"f32">;

/**
 * Of images `[..., height, width]`, of which the lowest `share` of frequencies (by area) is taken
 * away. The published square holds -line and not +line, so the band's map is complex; only the real
 * part of the result counts: R_h x R_wᵀ - I_h x I_wᵀ.
 */
export function highPass(image: Real, share: number): Real {
  const [height, width] = image.shape.slice(-2) as [number, number];
  const line = Math.floor(Math.sqrt(height * width * share) / 2);
  // More than all there is: nothing is left.
  const [rows, columns] = [height, width].map((size) => band(size, Math.min(line, size / 2)));
  const real = matmul(matmul(rows!.real, image), transpose(columns!.real) as Real);
  const turned = matmul(rows!.imaginary, image);
  const imaginary = matmul(turned, transpose(columns!.imaginary) as Real);
  return abs(sub(image, sub(real, imaginary)));
}

/**
 * The map that keeps frequencies -line to line - 1 of `size` numbers, `[size, size]`: its element
 * at a distance k is the sum of exp(2 pi i f k / size) / size over them. All but -line come in
 * pairs, whose imaginary parts cancel; what is left are sin(a) cot(b) and -sin(a) over size, with a
 * = 2 pi line k / size and b = pi k / size.
 */
function band(size: number, line: number): { readonly real: Real; readonly imaginary: Real } {
  const distance = sub(iota([size, size], 0), iota([size, size], 1));
  // The angle's whole turns are taken off in integers, where nothing is rounded.
  const steps: Tensor<"i32"> = mul(distance, Math.round(2 * line));
  const turns = div(steps, 2 * size);
  const rest = cast(sub(steps, mul(turns, 2 * size)), "f32");
  const sine = sin(mul(rest, Math.PI / size));
  const middle = eq(distance, 0);
  // Any angle that can be divided by: the middle has a value of its own.
  const half = where(middle, 1, mul(cast(distance, "f32"), Math.PI / size));
  const cotangent = div(cos(half), sin(half));
  const real = where(middle, (2 * line) / size, mul(mul(sine, cotangent), 1 / size));
  return { real, imaginary: neg(mul(sine, 1 / size)) };
}
