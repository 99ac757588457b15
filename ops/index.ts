/** Every op, as the functions that models call. Tensors in, tensors out. */

export { attention, attentionWithStatistics } from "./attention/attention.ts";
export type { AttentionOptions, AttentionResults } from "./attention/options.ts";
export {
  convTranspose2d,
  type TransposedConvolutionOptions,
} from "./convolution/conv-transpose-2d.ts";
export { type ConvolutionOptions, conv2d } from "./convolution/conv2d.ts";
export {
  type ScaledConvolutionOptions,
  scaledConvolution,
} from "./convolution/scaled-convolution.ts";
export { abs } from "./elementwise/abs.ts";
export { add } from "./elementwise/add.ts";
export { and } from "./elementwise/and.ts";
export { cast } from "./elementwise/cast.ts";
export { div } from "./elementwise/div.ts";
export { binary, type Elementwise, elementwiseOp, unary } from "./elementwise/elementwise.ts";
export { eq } from "./elementwise/eq.ts";
export { erf } from "./elementwise/erf.ts";
export { exp } from "./elementwise/exp.ts";
export { finite } from "./elementwise/finite.ts";
export { full } from "./elementwise/full.ts";
export { ge } from "./elementwise/ge.ts";
export { gelu } from "./elementwise/gelu.ts";
export { gt } from "./elementwise/gt.ts";
export { iota } from "./elementwise/iota.ts";
export { le } from "./elementwise/le.ts";
export { log } from "./elementwise/log.ts";
export { lt } from "./elementwise/lt.ts";
export { maximum } from "./elementwise/maximum.ts";
export { minimum } from "./elementwise/minimum.ts";
export { mul } from "./elementwise/mul.ts";
export { ne } from "./elementwise/ne.ts";
export { neg } from "./elementwise/neg.ts";
export { not } from "./elementwise/not.ts";
export { oneMinusPower } from "./elementwise/one-minus-power.ts";
export { or } from "./elementwise/or.ts";
export { pow } from "./elementwise/pow.ts";
export { relu } from "./elementwise/relu.ts";
export { rsqrt } from "./elementwise/rsqrt.ts";
export { selectPositive } from "./elementwise/select-positive.ts";
export { sigmoid } from "./elementwise/sigmoid.ts";
export { cos, sin } from "./elementwise/sin.ts";
export { softplus } from "./elementwise/softplus.ts";
export { sqrt } from "./elementwise/sqrt.ts";
export { stopGradient } from "./elementwise/stop-gradient.ts";
export { sub } from "./elementwise/sub.ts";
export { tanh } from "./elementwise/tanh.ts";
export { where } from "./elementwise/where.ts";
export { layerNorm, layerNorm2d, normalize } from "./lines/layer-norm.ts";
export { max, mean, min, type Reduced, sum } from "./lines/reduce.ts";
export { softmax } from "./lines/softmax.ts";
export { argmax, type Ranked, topK } from "./lines/top-k.ts";
export { matmul, matmulSegments, transpose } from "./matmul/matmul.ts";
export { type ResampleOptions, resample, resampleAxis } from "./resample/resample.ts";
export { assignment, type Matching } from "./training/assignment.ts";
export { computeTogether } from "./training/compute-together.ts";
export { dropout, type RandomSource } from "./training/dropout.ts";
export { randomBits, randomNormal, randomUniform, streamOf } from "./training/random.ts";
export { broadcastTo, sumTo } from "./views/broadcast.ts";
export { bytes } from "./views/bytes.ts";
export { concat } from "./views/concat.ts";
export { gather } from "./views/gather.ts";
export { permute } from "./views/permute.ts";
export { reshape } from "./views/reshape.ts";
export { pad, type Range, slice } from "./views/slice.ts";
export { stack } from "./views/stack.ts";
export { fold, unfold, type WindowOptions } from "./views/unfold.ts";
