/** Runs of fine-tuning, from files to a folder, and masks by what they kept. */
export { type PredictReport, type PredictRequest, predict } from "./predict.ts";
export type { StepLine, Validation } from "./run-folder.ts";
export { type TrainReport, type TrainRequest, train } from "./train.ts";
