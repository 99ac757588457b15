/** Several runs on one set, of which each holds out another part. */
import { join } from "node:path";
import { diagnose } from "../../../diagnostics/index.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import { meanOf } from "../../metrics/mean.ts";
import { type TrainRequest, train } from "./train.ts";
import type { TrainReport } from "./train-report.ts";

export interface FoldsReport {
  readonly folder: string;
  /** Of the best of each run: the mean over those that have a score, and the deviation of one run; null without any. */
  readonly score: { readonly mean: number | null; readonly deviation: number | null };
  readonly folds: readonly TrainReport[];
}

/**
 * Runs in `fold-1`, `fold-2`, … of the folder; `folds.json` there has what came of them.
 * @throws E1011 for a number of folds that the set does not have, E1106 beside a set to validate on, and what `train`
 * throws.
 */
export async function trainFolds(request: TrainRequest, folds: number): Promise<FoldsReport> {
  if (request.validation || request.part !== undefined)
    throw diagnose("E1106", {
      message: `folds hold out every picture once, and ${request.validation ? "a set to validate on" : "a part to hold out"} is given`,
      help: "leave one of them out",
    });
  if (!Number.isSafeInteger(folds) || folds < 2)
    throw diagnose("E1011", { message: `there are no ${folds} folds`, help: "give 2 or more" });
  const reports: TrainReport[] = [];
  for (let fold = 0; fold < folds; fold++) {
    request.onPhase?.(`fold ${fold + 1} of ${folds}`);
    const out = join(request.out, `fold-${fold + 1}`);
    reports.push(await train({ ...request, out, fold: { fold, of: folds } }));
  }
  const scores = reports.map(({ best }) => best.score ?? undefined);
  const { value: mean } = meanOf(scores);
  const squares = scores.map((score) =>
    score === undefined || mean === undefined ? undefined : (score - mean) ** 2,
  );
  const { value: variance, of } = meanOf(squares);
  const deviation = variance === undefined || of < 2 ? null : Math.sqrt((variance * of) / (of - 1));
  const report = { folder: request.out, score: { mean: mean ?? null, deviation }, folds: reports };
  if ((request.reducer?.rank ?? 0) === 0)
    await saveTo(join(request.out, "folds.json"), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}
