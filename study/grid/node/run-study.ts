/**
 * Runs a study into a folder: a run's folder for each cell and seed, `study.json` with what the runs have found, and the
 * same as `study.csv` and `study.html`, written after each run. A study that was killed goes on where it stopped.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { diagnose } from "../../../diagnostics/index.ts";
import { makeFolder } from "../../../runtime/node/files.ts";
import { saveTo } from "../../../runtime/node/save.ts";
import { validationsIn } from "../../train/node/run-folder.ts";
import { checkRequests, type TrainRequest, train } from "../../train/node/train.ts";
import { settingsFrom } from "../../train/resolve.ts";
import type { AskedSettings } from "../../train/settings.ts";
import { type Cell, cellsOf } from "../cells.ts";
import { studyPage } from "../page.ts";
import { rowsOf, type StudyRow, type StudyRun, tableCsv } from "../table.ts";

export interface StudyRequest extends Omit<TrainRequest, "fold" | "reducer"> {
  /** Settings that all runs share; the seed is the runs' own. */
  readonly settings?: AskedSettings | undefined;
  /** Values by the name of a setting, of a setting of a method's adapter, or "share": all combinations run. */
  readonly grid?: Readonly<Record<string, readonly unknown[]>> | undefined;
  /** Each combination runs once with each; 1, 2 and 3 unless given. */
  readonly seeds?: readonly number[] | undefined;
}

export interface StudyReport {
  readonly folder: string;
  /** The metric by which the best of a run is chosen. */
  readonly metric: string;
  readonly rows: readonly StudyRow[];
}

/**
 * Every combination runs with every seed; a seed draws what is held out, the order, augmentation and first values.
 * @throws E1109 for a grid that cannot be, and for a study that goes on with other settings; what `train` throws.
 */
export async function runStudy(request: StudyRequest): Promise<StudyReport> {
  const { settings = {}, grid, share, seeds = [1, 2, 3], out, onPhase } = request;
  checkSeeds(seeds);
  const cells = cellsOf(settings, { grid, share });
  await makeFolder(out);
  const file = join(out, "study.json");
  const runs = existsSync(file) ? [...(await runsIn(file))] : [];
  const all = cells.flatMap((cell) => seeds.map((seed) => ({ cell, seed })));
  const isOf = ({ cell, seed }: (typeof all)[number], run: StudyRun) =>
    run.cell === cell.name && run.seed === seed;
  const shown = () => runs.filter((run) => all.some((one) => isOf(one, run)));
  const { preset } = settings;
  const tell = async (): Promise<StudyReport> => {
    const rows = rowsOf(cells, shown(), preset);
    const metric = await metricIn(out, cells, seeds);
    await saveTo(join(out, "study.csv"), tableCsv(rows));
    await saveTo(join(out, "study.html"), studyPage({ rows, metric, preset, seeds }));
    // It says what has ended, and comes last.
    await saveTo(file, `${JSON.stringify({ runs, rows }, null, 2)}\n`);
    return { folder: out, metric, rows };
  };
  // What a later run is refused for is found before the first.
  const left = cells.flatMap((cell) => {
    const seed = seeds.find((seed) => !runs.some((run) => isOf({ cell, seed }, run)));
    return seed === undefined ? [] : [requestOf(request, cell, seed)];
  });
  await checkRequests(left);
  for (const [i, one] of all.entries()) {
    request.signal?.throwIfAborted();
    const asked = askedOf(request, one.cell);
    const known = runs.find((run) => isOf(one, run));
    if (known) {
      checkAsked(known, asked, file);
      continue;
    }
    onPhase?.(`run ${i + 1} of ${all.length}: ${one.cell.name}, seed ${one.seed}`);
    runs.push({ ...(await runOf(request, one.cell, one.seed)), asked });
    await tell();
  }
  return tell();
}

function requestOf(request: StudyRequest, cell: Cell, seed: number): TrainRequest {
  const { grid: _, seeds: __, ...shared } = request;
  const out = join(request.out, cell.name, `seed-${seed}`);
  return { ...{ ...shared, out, share: cell.share }, settings: { ...cell.settings, seed } };
}

async function runOf(request: StudyRequest, cell: Cell, seed: number) {
  const asked = requestOf(request, cell, seed);
  const { out } = asked;
  const { best, parameters } = await train(asked);
  const { score, step, metrics } = best;
  const found = await validationsIn(out);
  const curve = found.map(({ step, validation }) => [step, validation.score] as const);
  return { cell: cell.name, seed, score, step, metrics, trained: parameters.trained, curve };
}

/** All that decides what a run finds, beside its seed. */
function askedOf({ set, validation, part, weights, config }: StudyRequest, cell: Cell): string {
  const { settings, share } = cell;
  return JSON.stringify({ settings, share, set, validation, part, weights, config });
}

function checkAsked({ cell, seed, asked }: StudyRun, now: string, where: string): void {
  if (asked === now) return;
  const [old, other] = [asked, now].map((text) => JSON.parse(text) as Record<string, unknown>);
  const flat = (all: Record<string, unknown>) => ({ ...all, ...(all.settings as object) });
  const [was, is] = [flat(old!), flat(other!)] as Record<string, unknown>[];
  const name = Object.keys({ ...was, ...is }).find(
    (key) => key !== "settings" && JSON.stringify(was![key]) !== JSON.stringify(is![key]),
  );
  throw diagnose("E1109", {
    message: `the study has a run of ${cell}, seed ${seed}, with another ${name}: ${JSON.stringify(was![name!])}, not ${JSON.stringify(is![name!])}`,
    where,
    help: "ask for what it was begun with, or give another folder",
  });
}

function checkSeeds(seeds: readonly number[]): void {
  const isWhole = seeds.length > 0 && seeds.every((s) => Number.isSafeInteger(s) && s >= 0);
  if (isWhole && new Set(seeds).size === seeds.length) return;
  throw diagnose("E1109", {
    message: `seeds are ${JSON.stringify(seeds)}`,
    help: "give whole numbers from 0 up, each once: seeds: [1, 2, 3]",
  });
}

async function runsIn(file: string): Promise<readonly StudyRun[]> {
  try {
    const { runs } = JSON.parse(await readFile(file, "utf8")) as { readonly runs: StudyRun[] };
    if (Array.isArray(runs)) return runs;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw diagnose("E1109", {
    message: "the file holds no study",
    where: file,
    help: "give the folder of a study that inarch study has made, or another",
  });
}

/** What a run chose its best by: the same in all, unless the grid asks for several. */
async function metricIn(out: string, cells: readonly Cell[], seeds: readonly number[]) {
  for (const { name, settings } of cells)
    for (const seed of seeds) {
      const path = join(out, name, `seed-${seed}`, "run.json");
      if (!existsSync(path)) continue;
      const run = JSON.parse(await readFile(path, "utf8")) as { settings: { metric: string } };
      return run.settings.metric ?? settingsFrom(settings).metric ?? "score";
    }
  return "score";
}
