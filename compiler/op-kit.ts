/** What authors of ops import: the contract of ops, tensors, the builder of kernels and its ports. */

export { shown } from "../diagnostics/options.ts";
export * from "./dsl.ts";
export { subgroups, wideSubgroups, workgroups } from "./forms/asks.ts";
export { form, portable } from "./forms/form.ts";
export { gradient } from "./grad/backward.ts";
export {
  checkDType,
  checkHolds,
  checkList,
  checkNames,
  checkNumber,
  checkOneOf,
  checkShape,
  type Limits,
} from "./graph/checks.ts";
export {
  apply,
  checkTensors,
  type Dim,
  type DType,
  elements,
  type Fail,
  isParameter,
  type Node,
  type Op,
  refuse,
  type Shape,
  sameShape,
  show,
  Tensor,
  type Type,
  tensorHelp,
} from "./graph/tensor.ts";
export {
  addNumbers,
  addWrapping,
  bitsOf,
  isFiniteOf,
  isNaNOf,
  mulNumbers,
  mulWrapping,
  rotateLeft,
  shiftLeft,
  shiftRight,
  xor,
} from "./kernel/bits.ts";
export { always, Builder, type Variable } from "./kernel/builder.ts";
export { castRange } from "./kernel/cast.ts";
export type { Buffer, Fold, Fragment, Kernel, Scalar } from "./kernel/ir.ts";
export { flatten, type In, type Out, type PlainMemory, unflatten } from "./kernel/ports.ts";
export { bounded, index, literal, type Operand, Value } from "./kernel/value.ts";
export type {
  Dense,
  ElementOp,
  ElementSite,
  Form,
  KernelOp,
  KernelSite,
  Problem,
  Pushed,
  Rule,
  RuleSite,
  Tile,
  Variant,
} from "./op.ts";
export type { MatrixProduct } from "./plan.ts";
export { type Profile, threadsFor } from "./profile.ts";
export type { Case, Sample, Tests } from "./sample.ts";
export { type Programmed, tileForms } from "./tile/forms.ts";
export type { Sizes, Walk, Work } from "./tile/lowering.ts";
export { type Span, single, span, type TileProgram, type Tiles } from "./tile/program.ts";
export { lowerShared } from "./tile/shared.ts";
export type { Threads } from "./tile/team.ts";
