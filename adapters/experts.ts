/**
 * One expert of Conv-LoRA as published: a map resized upwards, convolved, activated, and resized
 * back. It computes scale * scale samples of every pixel; `scaledConvolution` comes to the same with
 * those samples alone that the way back reads.
 */
import type { Tensor } from "../compiler/index.ts";
import { conv2d, gelu, resample } from "../ops/index.ts";

type Map = Tensor<"f32">;

export interface Expert {
  /** `[channels, channels / groups, 3, 3]`: dense, or depthwise with one channel a group. */
  readonly weight: Tensor<"f32">;
  /** `[channels]`. */
  readonly bias: Tensor<"f32">;
  /** How many times the map is enlarged along each axis: a whole number from 1 up. */
  readonly scale: number;
}

/** What an expert makes of maps `[maps, channels, height, width]`. */
export function plainExpert(map: Map, { weight, bias, scale }: Expert): Map {
  const size = map.shape.slice(2) as [number, number];
  const groups = map.shape[1]! / weight.shape[1]!;
  const large = resample(map, { scale, mode: "bicubic" });
  const convolved = conv2d(large, weight, { bias, padding: 1, groups });
  return resample(gelu(convolved), { size, mode: "bicubic" });
}
