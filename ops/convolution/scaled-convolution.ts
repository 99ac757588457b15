/**
 * scaledConvolution: experts that see a map at several scales, of which each map goes to few. An
 * expert enlarges the map, convolves 3 x 3, applies GELU and reduces the map to its size again
 * (Conv-LoRA, `ConvLoRALinear` in autogluon).
 *
 * Read literally, scale s means s * s samples a pixel. Bicubic interpolation without antialiasing
 * reads 16 of them on the way back, and one where s is odd, so those alone are computed, straight from
 * the pixels around: one kernel for all experts, which looks up where each map goes.
 */
import {
  apply,
  checkList,
  checkNames,
  checkNumber,
  checkTensors,
  elements,
  index,
  type KernelOp,
  literal,
  portable,
  type Tensor,
  type Tests,
  type Value,
} from "../../compiler/op-kit.ts";
import { cast } from "../elementwise/cast.ts";
import { eq } from "../elementwise/eq.ts";
import { geluOf } from "../elementwise/gelu.ts";
import { iota } from "../elementwise/iota.ts";
import { maximum } from "../elementwise/maximum.ts";
import { minimum } from "../elementwise/minimum.ts";
import { where } from "../elementwise/where.ts";
import { sum } from "../lines/reduce.ts";
import { range } from "../pairwise.ts";
import { permute } from "../views/permute.ts";
import { reshape } from "../views/reshape.ts";
import { slice } from "../views/slice.ts";
import { foldWindows } from "../views/unfold.ts";
import { scaledCases } from "./scaled-convolution-cases.ts";
import {
  checkedShape,
  plainForward,
  type ScaledAttrs,
  type Sizes,
  sizesOf,
} from "./scaled-convolution-definition.ts";
import { op as gradientOp, reachOf } from "./scaled-convolution-gradient.ts";
import { convolve, eachPixel, onParity, picked, room } from "./scaled-convolution-kernel.ts";
import { workAtScale } from "./scaled-convolution-work.ts";

/** A 3 x 3 kernel that looks at the pixel itself, and at its neighbour to the right. */
const looking = (self: number, right: number) => [
  [
    [
      [0, 0, 0],
      [0, self, right],
      [0, 0, 0],
    ],
  ],
];

const tests: Tests = {
  samples: [
    {
      claim: "scale 1 is a convolution with zero padding",
      inputs: [[[[[1], [2]]]], { dtype: "i32", data: [[0]] }, [looking(0.5, 0.25)], [[1]]],
      call: (...inputs) => apply(op, inputs, { scales: [1], groups: 1 })[0]!,
      outputs: [[[[[[1.954499736], [1.954499736]]]]]],
    },
    {
      claim: "scale 3 looks a third of a pixel to the right, where borders repeat",
      inputs: [[[[[0], [1]]]], { dtype: "i32", data: [[0]] }, [looking(0, 1)], [[0]]],
      call: (...inputs) => apply(op, inputs, { scales: [3], groups: 1 })[0]!,
      outputs: [[[[[[0.1963024216], [0.9630441523]]]]]],
    },
    {
      claim: "each map goes to the experts that it chose",
      inputs: [
        [[[[1]]], [[[3]]]],
        {
          dtype: "u32",
          data: [
            [1, 0],
            [0, 0],
          ],
        },
        [looking(1, 0), looking(2, 0)],
        [[0], [0]],
      ],
      call: (...inputs) => apply(op, inputs, { scales: [1, 2], groups: 1 })[0]!,
      outputs: [
        [
          [[[[1.954499736]]], [[[0.8413447461]]]],
          [[[[2.995950306]]], [[[2.995950306]]]],
        ],
      ],
    },
  ],
  cases: scaledCases.map(({ claim, attrs, inputs, given }) => ({
    claim,
    inputs,
    call: (...tensors) => apply(op, given(tensors), attrs)[0]!,
    smooth: true,
  })),
};

export const op: KernelOp<ScaledAttrs> = {
  name: "scaledConvolution",
  kind: "kernel",
  type: (inputs, attrs, fail) => [{ dtype: "f32", shape: checkedShape(inputs, attrs, fail) }],
  forms: [
    portable({
      kernel: (site) => {
        const { k, inputs, attrs, outputs } = site;
        const sums = k.local("sums", sizesOf(inputs).outputs * room);
        return eachPixel(site, "scaledConvolution", (pixel) => {
          // Set in a branch, used behind it: the activation and what melted behind are written once.
          const samples = k.var("samples", index(1));
          const counts = range(2, () => range(4, () => k.var("count", literal(0, "f32"))));
          onParity(pixel, attrs.scales, (found) => {
            samples.set(index(found.parity.samples));
            for (const [i, own] of found.counts.entries())
              for (const [j, count] of own.entries()) counts[i]![j]!.set(count);
            convolve(pixel, found, sums);
          });
          const [rows, columns] = counts.map((own) => own.map((v) => v.get)) as [Value[], Value[]];
          k.for("o", pixel.sizes.outputs, (o) => {
            const total = k.var("total", literal(0, "f32"));
            k.for("s", room, (s) => {
              const [row, column] = [s.div(4), s.mod(4)];
              k.if(row.lt(samples.get).and(column.lt(samples.get)), () => {
                const count = picked(rows, row).mul(picked(columns, column));
                const before = k.let("before", k.load(sums, o.mul(room).add(s)));
                total.set(geluOf(k, before).value.fma(count, total.get));
              });
            });
            outputs[0]!.put(total.get, ...pixel.at, o);
          });
        });
      },
      reads: (input, { inputs, attrs: { scales } }) => {
        const { maps, kept, height, width, experts } = sizesOf(inputs);
        if (input === 0) return kept * (2 * reachOf(scales) + 1) ** 2;
        return input === 1 ? height * width : (maps * kept * height * width) / experts;
      },
    }),
  ],
  oracle: (inputs, attrs) => [plainForward(inputs, attrs)],
  spelled: 1,
  // As if every map went to the dearest of the experts: which ones they go to is not known here.
  work: (inputs, { scales }) =>
    Math.max(...scales.map((scale) => workAtScale(inputs, scales, scale))),
  vjp: ([g], { inputs, attrs }) => {
    const [patches, parameters] = apply(gradientOp, [...inputs, g!], attrs) as [Tensor, Tensor];
    const sizes = sizesOf(inputs);
    const [weights, bias] = byExpert(parameters, inputs[1]!, sizes);
    return [
      ofPixels(patches, sizes, reachOf(attrs.scales)),
      undefined,
      reshape(weights, inputs[2]!.shape as readonly number[]) as Tensor,
      bias,
    ];
  },
  note: ({ scales }) => `scales ${scales.join(", ")}`,
  tests,
};

export interface ScaledConvolutionOptions {
  /** By expert: how many times it enlarges the map along each axis, a whole number from 1 up. */
  readonly scales: readonly number[];
  /** 1 unless given: all channels mix. As many as there are channels: each stays by itself. */
  readonly groups?: number;
}

/**
 * What the chosen experts make of maps x `[maps, height, width, channels]`: `[maps, kept, height,
 * width, outputs]`, all f32. An expert of scale s resizes a map s times, convolves it 3 x 3 with
 * zeros around, adds its bias, applies GELU and resizes back, both bicubic without antialiasing (a =
 * -3/4, borders replicated).
 *
 * `choice` `[maps, kept]` (i32 or u32) numbers the experts that each map goes to; numbers beyond them
 * are clamped. `weights` are `[experts, outputs, channels / groups, 3, 3]`, `bias` `[experts,
 * outputs]`. Experts that no map goes to get a gradient of zero. @throws E101.
 *
 * Interpolation multiplies every pixel that it reads, by 0 where that counts nothing: a NaN or an infinity
 * reaches the pixels up to three rows and columns away, at scale 1 too.
 */
export function scaledConvolution(
  x: Tensor,
  choice: Tensor,
  weights: Tensor,
  bias: Tensor,
  options: ScaledConvolutionOptions,
): Tensor<"f32"> {
  checkTensors("scaledConvolution", { x, choice, weights, bias });
  checkNames("scaledConvolution", options, { scales: true, groups: true }, "needed");
  const { scales, groups = 1 } = options;
  checkList("scaledConvolution", [x, choice, weights, bias], "scales", scales);
  checkNumber("scaledConvolution", [x, choice, weights, bias], "groups", groups, {
    least: 1,
    whole: true,
  });
  const attrs: ScaledAttrs = { scales, groups };
  return apply(op, [x, choice, weights, bias], attrs)[0] as Tensor<"f32">;
}

/** Adds up what pixels get from those around them: `[maps, height, width, channels]`. */
function ofPixels(
  patches: Tensor,
  { maps, kept, height, width, channels }: Sizes,
  reach: number,
): Tensor {
  const span = 2 * reach + 1;
  const apart = reshape(patches, [maps * kept, height, width, span, span, channels]) as Tensor;
  const windows = {
    kernel: [span, span],
    stride: [1, 1],
    padding: [reach, reach],
  } as const;
  const added = foldWindows(permute(apart, [0, 5, 3, 4, 1, 2]), [height, width], windows);
  const pixels = permute(added, [0, 2, 3, 1]);
  if (kept === 1) return pixels;
  return sum(reshape(pixels, [maps, kept, height, width, channels]) as Tensor, 1);
}

/** Adds up what maps send to the expert that they went to: `[experts, numbers]`, biases apart. */
function byExpert(
  parameters: Tensor,
  choice: Tensor,
  { experts, height, width, outputs }: Sizes,
): [weights: Tensor, bias: Tensor] {
  const count = parameters.shape.at(-1)!;
  const visits = elements(choice.shape);
  const each: Tensor = sum(reshape(parameters, [visits, height * width, count]) as Tensor, 1);
  const chosen = minimum(maximum(cast(reshape(choice, [visits, 1, 1]), "i32"), 0), experts - 1);
  const own: Tensor = eq(chosen as Tensor, iota([1, experts, 1], 1) as Tensor);
  const added = (from: number, to: number): Tensor => {
    const part = slice(each, [[], [from, to]]);
    return sum(where(own, reshape(part, [visits, 1, to - from]) as Tensor, 0), 0);
  };
  return [added(0, count - outputs), added(count - outputs, count)];
}
