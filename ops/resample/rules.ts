/**
 * Resample folding. A chain that enlarges maps a whole number of times, convolves them 3 x 3, applies
 * GELU and reduces them to their size again computes every sample of the large maps, of which the way
 * back reads few. `scaledConvolution` computes those alone, where that is less work.
 */
import { elements, type Rule, type Tensor } from "../../compiler/op-kit.ts";
import { scaledConvolution } from "../convolution/scaled-convolution.ts";
import { workAtScale } from "../convolution/scaled-convolution-work.ts";
import { op as addOp } from "../elementwise/add.ts";
import { full } from "../elementwise/full.ts";
import { op as geluOp } from "../elementwise/gelu.ts";
import { op as matmulOp } from "../matmul/matmul.ts";
import { op as broadcastOp } from "../views/broadcast.ts";
import { permute } from "../views/permute.ts";
import { reshape, op as reshapeOp } from "../views/reshape.ts";
import { op as unfoldOp, type Windows } from "../views/unfold.ts";
import { type Resampling, resampling } from "./kernel.ts";

type Step = Resampling & { readonly axis: number };

/** What is in front of a tensor, if only this reads it. */
type Peel = (tensor: Tensor) => Tensor | undefined;

export const resampleRules = (resampleOp: () => unknown): readonly Rule[] => [
  {
    name: "resampling folds into the convolution between",
    apply({ results: [y], isReadOnce }) {
      const isResample = (t: Tensor) => t.node.op === resampleOp();
      if (!isResample(y!)) return undefined;
      /** The input of two resamplings, of rows and then of columns, by `scale` or its inverse. */
      const resampled = (
        t: Tensor,
        scale?: number,
        isRoot = false,
      ): [Tensor, number] | undefined => {
        const rows = t.node.inputs[0]!;
        if (!isResample(t) || !isResample(rows) || !isReadOnce(rows)) return undefined;
        if (!isRoot && !isReadOnce(t)) return undefined;
        const x = rows.node.inputs[0]!;
        const steps = [rows, t].map((s) => s.node.attrs as Step);
        const found = scale ?? steps[0]!.to / steps[0]!.from;
        const fits = steps.every(
          (step, i) => step.axis === 2 + i && step.to === step.from * found && isPlain(step),
        );
        return fits ? [x, found] : undefined;
      };
      const back = resampled(y!, undefined, true);
      if (!back || back[0].node.op !== geluOp || !isReadOnce(back[0])) return undefined;
      const scale = 1 / back[1];
      if (!Number.isInteger(scale) || scale < 2) return undefined;
      const convolution = convolutionIn(back[0].node.inputs[0]!, (t) =>
        isReadOnce(t) ? t.node.inputs[0] : undefined,
      );
      const there = convolution && resampled(convolution.x, scale);
      if (!there) return undefined;
      const maps = permute(there[0], [0, 2, 3, 1]);
      const { weight, bias, windows } = convolution;
      const [batch, height, width, channels] = maps.shape as [number, number, number, number];
      const outputs = weight.shape[0]!;
      const kernels = reshape(weight, [1, outputs, channels, 3, 3]) as Tensor;
      const inputs = [maps, { shape: [batch, 1] }, kernels, { shape: [1, outputs] }];
      const literal =
        elements(windows.shape) * outputs +
        elements(y!.shape) * scale ** 2 * (sampling + activation);
      if (workAtScale(inputs, [scale], scale) >= literal) return undefined;
      const shift = bias ? (reshape(bias, [1, outputs]) as Tensor) : full(0, [1, outputs]);
      const choice = full(0, [batch, 1], "i32");
      const seen = scaledConvolution(maps, choice, kernels, shift, { scales: [scale] });
      return [permute(reshape(seen, [batch, height, width, outputs]) as Tensor, [0, 3, 1, 2])];
    },
  },
];

/** Whether corners are not aligned, and the scale is the ratio of the sizes. */
function isPlain({ axis: _, ...step }: Step): boolean {
  const plain = resampling(step.from, { size: step.to, mode: "bicubic" });
  return step.mode === "bicubic" && JSON.stringify(plain) === JSON.stringify(step);
}

/** Multiplications of one resampled pixel, both ways and both axes, and of a GELU. */
const [sampling, activation] = [4 * 36, 40];

/** A dense 3 x 3 convolution with padding 1, as conv2d writes it. */
function convolutionIn(t: Tensor, peel: Peel) {
  const around = t.node.op === addOp ? t.node.inputs : [t];
  const map = around.find((x) => x.node.op === reshapeOp && peel(x));
  const product = map && peel(map);
  const bias = around.find((x) => x !== map);
  if (!product || product.node.op !== matmulOp || product.node.inputs.length !== 2)
    return undefined;
  const [rows, columns] = product.node.inputs.map(through) as [Tensor, Tensor];
  if (columns.node.op !== unfoldOp || rows.shape.length !== 4) return undefined;
  const { kernel, stride, padding } = columns.node.attrs as Windows;
  if (`${kernel}|${stride}|${padding}` !== "3,3|1,1|1,1") return undefined;
  const shift = bias && through(bias);
  if (shift && String(shift.shape) !== String([rows.shape[0]])) return undefined;
  return { x: columns.node.inputs[0]!, weight: rows, bias: shift, windows: columns };
}

/** What a tensor is, apart from reshapes and broadcasts. */
function through(t: Tensor): Tensor {
  let inner = t;
  while (inner.node.op === reshapeOp || inner.node.op === broadcastOp)
    inner = inner.node.inputs[0]!;
  return inner;
}
