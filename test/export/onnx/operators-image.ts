/** ONNX's operators on images: convolution, windows added up, resizing. */
import { build, count, read } from "./arrays.ts";
import type { OnnxArray } from "./evaluate.ts";
import type { Operator } from "./operators.ts";

type Four = readonly [number, number, number, number];
type Two = readonly [number, number];

export const conv: Operator = ([x, weight], a) => {
  const [n, , height, width] = x!.shape as unknown as Four;
  const [out, each, kh, kw] = weight!.shape as unknown as Four;
  const groups = a.int("group", 1);
  const [sy, sx] = a.ints("strides", [1, 1]) as Two;
  const [top, left, bottom, right] = a.ints("pads", [0, 0, 0, 0]) as unknown as Four;
  if (a.ints("kernel_shape", [kh, kw]).join() !== `${kh},${kw}`)
    throw new TypeError("kernel_shape");
  if (x!.shape[1] !== each * groups || out % groups !== 0) throw new TypeError("channels of Conv");
  const grid = [
    Math.floor((height + top + bottom - kh) / sy) + 1,
    Math.floor((width + left + right - kw) / sx) + 1,
  ];
  return [
    build(x!.type, [n, out, ...grid], ([image, channel, oy, ox]) => {
      const first = Math.floor(channel! / (out / groups)) * each;
      let sum = 0;
      for (let c = 0; c < each; c++)
        for (let i = 0; i < kh; i++)
          for (let j = 0; j < kw; j++) {
            const [y, z] = [oy! * sy + i - top, ox! * sx + j - left];
            if (y < 0 || y >= height || z < 0 || z >= width) continue;
            sum += read(x!, [image!, first + c, y, z]) * read(weight!, [channel!, c, i, j]);
          }
      return sum;
    }),
  ];
};

export const col2im: Operator = ([x, imageShape, blockShape], a) => {
  const [height, width] = [...imageShape!.data] as unknown as Two;
  const [kh, kw] = [...blockShape!.data] as unknown as Two;
  const [sy, sx] = a.ints("strides", [1, 1]) as Two;
  const [top, left, bottom, right] = a.ints("pads", [0, 0, 0, 0]) as unknown as Four;
  const [n, rows, length] = x!.shape as unknown as readonly [number, number, number];
  const oh = Math.floor((height + top + bottom - kh) / sy) + 1;
  const ow = Math.floor((width + left + right - kw) / sx) + 1;
  if (length !== oh * ow) throw new TypeError("windows of Col2Im");
  const channels = rows / (kh * kw);
  const data = new Float64Array(count([n, channels, height, width]));
  for (let image = 0; image < n * channels; image++)
    for (let tap = 0; tap < kh * kw; tap++)
      for (let window = 0; window < length; window++) {
        const y = Math.floor(window / ow) * sy + Math.floor(tap / kw) - top;
        const z = (window % ow) * sx + (tap % kw) - left;
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        const from = (image * kh * kw + tap) * length + window;
        data[(image * height + y) * width + z]! += x!.data[from]!;
      }
  return [{ type: x!.type, shape: [n, channels, height, width], data }];
};

/** Of images, axis by axis: an interpolation is the product of those along its axes. */
export const resize: Operator = ([x, roi, scales, sizes], a) => {
  if (roi !== undefined) throw new TypeError("a region for Resize");
  if ((scales === undefined) === (sizes === undefined)) throw new TypeError("the sizes of Resize");
  const mode = a.text("mode", "nearest");
  const corners = a.text("coordinate_transformation_mode", "half_pixel") === "align_corners";
  const cubic = a.float("cubic_coeff_a", -0.75);
  return [
    x!.shape.reduce((image, from, axis) => {
      const to = sizes ? sizes.data[axis]! : Math.floor(from * scales!.data[axis]!);
      const scale = sizes ? to / from : scales!.data[axis]!;
      if (from === to && scale === 1) return image;
      const position = (d: number) =>
        corners ? (to === 1 ? 0 : (d * (from - 1)) / (to - 1)) : (d + 0.5) / scale - 0.5;
      return build(image.type, image.shape.with(axis, to), (at) => {
        const p = position(at[axis]!);
        const pixel = (i: number) => read(image, at.with(axis, Math.min(Math.max(i, 0), from - 1)));
        return interpolate(mode, p, pixel, cubic);
      });
    }, x as OnnxArray),
  ];
};

function interpolate(mode: string, p: number, pixel: (i: number) => number, a: number): number {
  const whole = Math.floor(p);
  const t = p - whole;
  if (mode === "linear") return pixel(whole) * (1 - t) + pixel(whole + 1) * t;
  if (mode !== "cubic") throw new TypeError(`the mode ${mode} of Resize`);
  const near = (d: number) => (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  const far = (d: number) => a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
  const weights = [far(1 + t), near(t), near(1 - t), far(2 - t)];
  return weights.reduce((sum, weight, i) => sum + weight * pixel(whole - 1 + i), 0);
}
