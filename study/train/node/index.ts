/** Runs of fine-tuning, from files to a folder. */
export type { StepLine, Validation } from "./run-folder.ts";
export { type TrainReport, type TrainRequest, train } from "./train.ts";
