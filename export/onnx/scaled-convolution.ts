/**
 * The experts of Conv-LoRA, as published: each resizes the maps, convolves them and resizes them back.
 * ONNX cannot leave out what nobody chose, so every expert sees every map, and then each map takes what
 * its experts made.
 */
import { op as scaledConvolution } from "../../ops/convolution/scaled-convolution.ts";
import { sizesOf } from "../../ops/convolution/scaled-convolution-definition.ts";
import { convolve, taken } from "./products.ts";
import { resize } from "./resampling.ts";
import { type Entry, entry } from "./spelling.ts";
import type { OnnxWriter, Value } from "./writer.ts";

export const scaledConvolutions: readonly Entry[] = [
  entry(scaledConvolution, ({ w, wide, node, attrs: { scales, groups } }) => {
    const { maps, height, width, kept, experts, outputs } = sizesOf(node.inputs);
    const images = w.transpose(wide(0), [0, 3, 1, 2]);
    const made = scales.map((scale, expert) => {
      const [kernel, bias] = [wide(2), wide(3)].map((x) => taken(w, x, 0, [expert], []));
      const large = resized(w, images, scale, [height, width]);
      const convolved = convolve(w, large, kernel!, window, groups, gridOf(large));
      const shifted = w.map("Add", [convolved, w.reshape(bias!, [outputs, 1, 1])]);
      const back = resized(w, w.map("Gelu", [shifted]), 1 / scale, [height, width]);
      return w.reshape(back, [maps, 1, outputs, height, width]);
    });
    const all = w.emit("Concat", made, "f32", [maps, experts, outputs, height, width], {
      axis: { int: 1 },
    });
    const choice = w.map("Clip", [
      w.cast(wide(1), "i64"),
      w.number(0, "i64"),
      w.number(experts - 1, "i64"),
    ]);
    const places = w.reshape(choice, [maps, kept, 1]);
    const chosen = [maps, kept, outputs, height, width];
    const y = w.emit("GatherND", [all, places], "f32", chosen, { batch_dims: { int: 1 } });
    return w.transpose(y, [0, 1, 3, 4, 2]);
  }),
];

const window = { kernel: [3, 3], stride: [1, 1], padding: [1, 1] } as const;

const gridOf = ({ shape }: Value): [number, number] => [shape[2]!, shape[3]!];

/** Images `scale` times as large as the map, or the map again from those. */
function resized(
  w: OnnxWriter,
  x: Value,
  scale: number,
  [height, width]: readonly [number, number],
): Value {
  if (scale === 1) return x;
  const size = scale > 1 ? [scale * height, scale * width] : [height, width];
  const scales = [1, 1, scale, scale];
  const shape = [...x.shape.slice(0, 2), ...size];
  return resize(w, x, shape, { mode: "bicubic", corners: false, scales });
}
