/** Every op, as the functions that models call. Tensors in, tensors out. */
export { abs } from "./abs.ts";
export { add } from "./add.ts";
export { and } from "./and.ts";
export { assignment, type Matching } from "./assignment.ts";
export {
  type AttentionOptions,
  type AttentionResults,
  attention,
  attentionWithStatistics,
} from "./attention.ts";
export { broadcastTo, sumTo } from "./broadcast.ts";
export { cast } from "./cast.ts";
export { concat } from "./concat.ts";
export { convTranspose2d, type TransposedConvolutionOptions } from "./conv-transpose-2d.ts";
export { type ConvolutionOptions, conv2d } from "./conv2d.ts";
export { div } from "./div.ts";
export { dropout, type RandomSource } from "./dropout.ts";
export { binary, type Elementwise, elementwiseOp, unary } from "./elementwise.ts";
export { eq } from "./eq.ts";
export { erf } from "./erf.ts";
export { exp } from "./exp.ts";
export { finite } from "./finite.ts";
export { full } from "./full.ts";
export { gate } from "./gate.ts";
export { gather } from "./gather.ts";
export { ge } from "./ge.ts";
export { gelu } from "./gelu.ts";
export { gt } from "./gt.ts";
export { iota } from "./iota.ts";
export { layerNorm, layerNorm2d, normalize } from "./layer-norm.ts";
export { le } from "./le.ts";
export { log } from "./log.ts";
export { lt } from "./lt.ts";
export { matmul, matmulSegments, transpose } from "./matmul.ts";
export { maximum } from "./maximum.ts";
export { minimum } from "./minimum.ts";
export { mul } from "./mul.ts";
export { ne } from "./ne.ts";
export { neg } from "./neg.ts";
export { not } from "./not.ts";
export { oneMinusPower } from "./one-minus-power.ts";
export { or } from "./or.ts";
export { permute } from "./permute.ts";
export { pow } from "./pow.ts";
export { randomBits, randomNormal, randomUniform, streamOf } from "./random.ts";
export { max, mean, min, type Reduced, sum } from "./reduce.ts";
export { relu } from "./relu.ts";
export { type ResampleOptions, resample, resampleAxis } from "./resample.ts";
export { reshape } from "./reshape.ts";
export { rsqrt } from "./rsqrt.ts";
export { type ScaledConvolutionOptions, scaledConvolution } from "./scaled-convolution.ts";
export { sigmoid } from "./sigmoid.ts";
export { cos, sin } from "./sin.ts";
export { pad, type Range, slice } from "./slice.ts";
export { softmax } from "./softmax.ts";
export { softplus } from "./softplus.ts";
export { sqrt } from "./sqrt.ts";
export { stack } from "./stack.ts";
export { stopGradient } from "./stop-gradient.ts";
export { sub } from "./sub.ts";
export { tanh } from "./tanh.ts";
export { together } from "./together.ts";
export { argmax, type Ranked, topK } from "./top-k.ts";
export { fold, unfold, type WindowOptions } from "./unfold.ts";
export { where } from "./where.ts";
