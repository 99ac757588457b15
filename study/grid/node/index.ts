/** Studies: a grid of runs over seeds, with a table beside what is published. */
export { type PublishedScore, publishedScores } from "../published.ts";
export type { KnownInterval, StudyRow, StudyRun } from "../table.ts";
export { runStudy, type StudyReport, type StudyRequest } from "./run-study.ts";
