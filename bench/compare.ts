/**
 * `npm run bench [-- --device KIND] [--threads N,N] [--only GROUP,GROUP] [--pairs N] [--out FOLDER [--add]]
 * [--list]`: inarch against its peers, and adapters and training against the bare encoder, on one device: that which is
 * used unasked unless given. A processor is measured with one thread and with two, unless given. Writes results.json,
 * results.md, results.svg and times.csv to bench/results/ (of a processor, to a folder of its kind there), or to
 * out/bench/ where only a part was measured; with --add, what the folder has of other comparisons stays. Ends with 1
 * if results disagree or something of ours gave none.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type DeviceKind, openDevice } from "../runtime/node/index.ts";
import { openProgress, progressStyle } from "../runtime/node/progress.ts";
import { saveTo } from "../runtime/node/save.ts";
import { type Comparison, groups } from "./measure/comparison.ts";
import { isProcessor, type Place } from "./measure/place.ts";
import { systemProcesses } from "./measure/processes.ts";
import { type Measured, measure } from "./measure/rounds.ts";
import { comparisons } from "./problems/index.ts";
import { describeMachine } from "./report/machine.ts";
import { asSvg } from "./report/picture.ts";
import { type Compared, faults, type Results, summarise, timesAsCsv } from "./report/results.ts";
import { asMarkdown } from "./report/table.ts";

const { values: flags } = parseArgs({
  options: {
    device: { type: "string" },
    threads: { type: "string" },
    only: { type: "string" },
    pairs: { type: "string" },
    out: { type: "string" },
    add: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

if (flags.threads !== undefined) process.env.INARCH_BENCH_THREADS = flags.threads;
// Systems are told so too, in processes of their own.
const { kind, device } = await openDevice({ kind: flags.device as DeviceKind | undefined });
device.destroy();
process.env.INARCH_DEVICE = kind;
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
  const kept = keptBeside(all);
  const measured: Measured[] = [];
  for (const [i, comparison] of all.entries()) {
    progress.note(`${i + 1}/${all.length} ${comparison.name}`);
    const options = { open: processes.open, progress, ...(pairs === undefined ? {} : { pairs }) };
    measured.push(await measure(comparison, options));
    processes.end();
    // After each, so that a run that is stopped leaves what it has measured.
    await write({ machine, comparisons: measured.map(summarise) }, measured, kept);
  }
  progress.end();
  const results: Results = { machine, comparisons: measured.map(summarise) };
  console.log(asMarkdown(results));
  for (const fault of faults(results)) {
    console.error(fault);
    process.exitCode = 1;
  }
}

/** What the folder holds of other comparisons. */
interface Kept {
  readonly comparisons: readonly Compared[];
  /** Lines of times.csv. */
  readonly lines: readonly string[];
}

function keptBeside(all: readonly Comparison[]): Kept {
  const file = join(folder(), "results.json");
  if (!flags.add || !existsSync(file)) return { comparisons: [], lines: [] };
  const isNew = (name: string) => all.some((one) => one.name === name);
  const { comparisons: old } = JSON.parse(readFileSync(file, "utf8")) as Results;
  const lines = readFileSync(join(folder(), "times.csv"), "utf8").trimEnd().split("\n").slice(1);
  return {
    comparisons: old.filter(({ name }) => !isNew(name)),
    lines: lines.filter((line) => !isNew(/^"(.*?)",/.exec(line)?.[1] ?? "")),
  };
}

function folder(): string {
  const part = flags.only !== undefined || pairs !== undefined;
  const whole = join("bench", "results", ...(isProcessor({ kind } as Place) ? [kind] : []));
  return flags.out ?? (part ? join("out", "bench") : whole);
}

async function write(found: Results, measured: readonly Measured[], kept: Kept): Promise<void> {
  const order = comparisons().map(({ name }) => name);
  const all = [...kept.comparisons, ...found.comparisons].sort(
    (a, b) => order.indexOf(a.name) - order.indexOf(b.name),
  );
  const results: Results = { ...found, comparisons: all };
  mkdirSync(folder(), { recursive: true });
  const files = {
    "results.json": `${JSON.stringify(results, null, 2)}\n`,
    "results.md": asMarkdown(results),
    "results.svg": asSvg(results),
    "times.csv": timesAsCsv(measured, kept.lines),
  };
  for (const [name, content] of Object.entries(files)) await saveTo(join(folder(), name), content);
}
