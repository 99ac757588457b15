/** Runs of fine-tuning, from files to a folder. */

export type { Reducer } from "../../../runtime/training/reducer.ts";
export type { Status } from "./clock.ts";
export { type FoldsReport, trainFolds } from "./folds.ts";
export type { RunForecast } from "./forecast.ts";
export type { Events, Scores } from "./loop.ts";
export { type MpiWorld, openMpi } from "./mpi.ts";
export type { Start } from "./run-folder.ts";
export { readStudy } from "./study-file.ts";
export { type TrainRequest, train } from "./train.ts";
export type { TrainReport } from "./train-report.ts";
