/**
 * `npm run bench [-- --only GROUP,GROUP] [--pairs N] [--out FOLDER] [--list]`: inarch against its peers,
 * and adapters and training against the bare encoder, on one device. Writes results.json, results.md,
 * results.svg and times.csv to bench/results/, or to out/bench/ where only a part was measured. Ends
 * with 1 if results disagree or something of ours gave none.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { saveTo } from "../runtime/node/save.ts";
import { type Comparison, groups } from "./measure/comparison.ts";
import { systemProcesses } from "./measure/processes.ts";
import { type Measured, measure } from "./measure/rounds.ts";
import { comparisons } from "./problems/index.ts";
import { describeMachine } from "./report/machine.ts";
import { asSvg } from "./report/picture.ts";
import { faults, type Results, summarise, timesAsCsv } from "./report/results.ts";
import { asMarkdown } from "./report/table.ts";

const { values: flags } = parseArgs({
  options: {
    only: { type: "string" },
    pairs: { type: "string" },
    out: { type: "string" },
    list: { type: "boolean", default: false },
  },
});

const chosen = choose(flags.only);
const pairs = flags.pairs === undefined ? undefined : Number(flags.pairs);
if (chosen.length === 0 || (pairs !== undefined && !(Number.isInteger(pairs) && pairs > 0))) {
  console.error(
    chosen.length === 0
      ? `--only names groups (${groups.join(", ")}) or a part of a comparison's name`
      : `--pairs is a whole number from 1 up, not ${flags.pairs}`,
  );
  process.exitCode = 1;
} else if (flags.list) for (const { group, name } of chosen) console.log(`${group}: ${name}`);
else await compareAll(chosen);

function choose(only: string | undefined): Comparison[] {
  const wanted = only?.split(",");
  return comparisons().filter(
    ({ group, name, onlyByName = false }) =>
      wanted?.some((w) => w === group || name.includes(w)) ?? !onlyByName,
  );
}

async function compareAll(all: readonly Comparison[]): Promise<void> {
  const given = process.argv
    .slice(2)
    .map((word) => (word.includes(" ") ? JSON.stringify(word) : word))
    .join(" ");
  const command = `npm run bench${given === "" ? "" : ` -- ${given}`}`;
  const machine = await describeMachine(command);
  const progress = openProgress(progressStyle(false));
  const processes = systemProcesses();
  const measured: Measured[] = [];
  for (const [i, comparison] of all.entries()) {
    progress.note(`${i + 1}/${all.length} ${comparison.name}`);
    const options = { open: processes.open, progress, ...(pairs === undefined ? {} : { pairs }) };
    measured.push(await measure(comparison, options));
    processes.end();
    // After each, so that a run that is stopped leaves what it has measured.
    await write({ machine, comparisons: measured.map(summarise) }, measured);
  }
  progress.end();
  const results: Results = { machine, comparisons: measured.map(summarise) };
  console.log(asMarkdown(results));
  for (const fault of faults(results)) {
    console.error(fault);
    process.exitCode = 1;
  }
}

async function write(results: Results, measured: readonly Measured[]): Promise<void> {
  const part = flags.only !== undefined || pairs !== undefined;
  const folder = flags.out ?? (part ? join("out", "bench") : join("bench", "results"));
  mkdirSync(folder, { recursive: true });
  const files = {
    "results.json": `${JSON.stringify(results, null, 2)}\n`,
    "results.md": asMarkdown(results),
    "results.svg": asSvg(results),
    "times.csv": timesAsCsv(measured),
  };
  for (const [name, content] of Object.entries(files)) await saveTo(join(folder, name), content);
}
