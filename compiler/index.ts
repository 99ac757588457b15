/** inarch: the DSL's frame and the compiler. Ops are in `inarch/ops`, models in `inarch/models`. */
export { type Code, codes, InarchError } from "../diagnostics/index.ts";
export {
  type Compilation,
  type CompileOptions,
  compile,
  compileStages,
} from "./compile.ts";
export { gradient } from "./grad/backward.ts";
export {
  type Graph,
  graphOf,
  inputsOf,
  type Output,
  type Program,
  parametersOf,
  trace,
} from "./graph/graph.ts";
export { type Dims, input, Parameters, type Source } from "./graph/sources.ts";
export { type Dim, type DType, type Shape, show, Tensor, type Type } from "./graph/tensor.ts";
export { defineModel, type Model, traceProgram } from "./model.ts";
// For ops of one's own: see ops/ for how they are written.
export {
  always,
  apply,
  type Builder,
  bounded,
  type ElementOp,
  type ElementSite,
  flatGroups,
  flatten,
  type In,
  index,
  type KernelOp,
  type KernelSite,
  literal,
  type Out,
  type Tests,
  unflatten,
  type Value,
} from "./op.ts";
export type { Plan, PlanTensor, TargetName } from "./plan.ts";
export { adapterProfile, defaultProfile, type Profile } from "./profile.ts";
