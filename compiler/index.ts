/** inarch: the DSL's frame and the compiler. Ops are in `inarch/ops`, models in `inarch/models`. */
export { type Code, codes, InarchError } from "../diagnostics/index.ts";
export { type WeightFormat, weightFormats } from "../formats/index.ts";
export type { Capabilities } from "./capabilities.ts";
export {
  type AsyncOptions,
  type Compilation,
  type CompileOptions,
  compile,
  compileAsync,
  compileStages,
  compileStagesAsync,
} from "./compile.ts";
export { gradient } from "./grad/backward.ts";
export { type AdaptOptions, adapt, type Report, report, trains } from "./graph/adapt.ts";
export type { KeptPlans } from "./graph/describe.ts";
export {
  type Graph,
  graphOf,
  inputsOf,
  type Output,
  type Program,
  parametersOf,
  statesOf,
  trace,
} from "./graph/graph.ts";
export { type Init, kaiming, ones, zeros } from "./graph/init.ts";
export { defineModel, type Model, traceProgram } from "./graph/model.ts";
export { Parameters } from "./graph/parameters.ts";
export { matchesPath, selects } from "./graph/path.ts";
export {
  type Adapter,
  type Binding,
  emptyScope,
  type Graft,
  type Scope,
  type Site,
  type SiteFacts,
} from "./graph/site.ts";
export { type Dims, input, type Source, state } from "./graph/sources.ts";
export { type Dim, type DType, type Shape, show, Tensor, type Type } from "./graph/tensor.ts";
// For ops of one's own: see ops/ for how they are written.
export {
  always,
  apply,
  type Builder,
  bounded,
  type ElementOp,
  type ElementSite,
  type Form,
  flatten,
  form,
  type In,
  index,
  type KernelOp,
  type KernelSite,
  literal,
  type Out,
  type PlainMemory,
  type Problem,
  portable,
  subgroups,
  type Tests,
  type Tile,
  unflatten,
  type Value,
  workgroups,
} from "./op-kit.ts";
export type { Pass } from "./passes.ts";
export type { Plan, PlanTensor, TargetName } from "./plan.ts";
export { adapterProfile, defaultProfile, deviceProfile, type Profile } from "./profile.ts";
export type { Precision } from "./storage/formats.ts";
export type { Layout, Residence } from "./storage/layout.ts";
export { parseTuning, type TuningFile, tuningFor } from "./tuning/file.ts";
export { deviceKey, type TunedKernel, type Tuning } from "./tuning/tuning.ts";
export type { TurnOptions } from "./turns.ts";
