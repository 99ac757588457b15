/** Runs plans, compiled just now or ahead of time. */
export type { Capabilities } from "../compiler/capabilities.ts";
export type { Plan, PlanBuffer, PlanDType, PlanTensor, TargetName } from "../compiler/plan.ts";
export { type Code, codes, InarchError } from "../diagnostics/index.ts";
export {
  type AdaptedBundleOptions,
  loadAdapted,
  type SwitchedAdapters,
} from "./bundle/adapters.ts";
export {
  type Bundle,
  type BundleAdapter,
  type BundleProfile,
  type BundleSource,
  type BundleWeights,
  bundleFormat,
  type OpenBundleOptions,
  type OpenedBundle,
  type OpenedTraining,
  openBundle,
  openTrainingBundle,
  type ProfileContent,
} from "./bundle/bundle.ts";
export {
  type BundleModel,
  type BundleOptions,
  loadBundle,
} from "./bundle/model.ts";
export { type TrainBundleOptions, trainBundle } from "./bundle/training.ts";
export type { CallOptions } from "./calls.ts";
export type {
  Device,
  DeviceBuffer,
  Numbers,
  Progress,
  StepTime,
} from "./devices/device.ts";
export { type WebGpuOptions, webgpuDevice } from "./devices/webgpu.ts";
export { bytesFromJson, bytesToJson } from "./plan-json.ts";
export { createSessions, type ProgramsOptions } from "./programs.ts";
export {
  createSession,
  type DeviceTensor,
  type Inputs,
  type RestorableSession,
  type RestoreOptions,
  type Session,
  type SessionOptions,
} from "./session.ts";
export { type Adapted, useAdapter } from "./switching.ts";
export { type TrainingPlan, trainingFormat } from "./training/plan.ts";
export {
  createTrainingSession,
  type Evaluation,
  type LossReport,
  type StepReport,
  type TrainingOptions,
  type TrainingSession,
  type UpdateReport,
} from "./training/session.ts";
export * from "./weights/index.ts";
