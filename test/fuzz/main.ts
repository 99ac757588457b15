/** What `npm run fuzz` does: some minutes of each kind, findings as they come, the coverage at the end. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type DeviceKind, openDevice } from "../../runtime/node/index.ts";
import { calls } from "./calls/index.ts";
import type { Fault } from "./faults/fault.ts";
import { faults } from "./faults/index.ts";
import { files } from "./files/index.ts";
import { coverage, type Finding, fuzz } from "./fuzz.ts";
import { graphs, unknownOps } from "./graphs/index.ts";
import type { Kind } from "./kind.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Seconds that this process has worked, which is what a busy machine does not change. */
const worked = () => Math.round((process.cpuUsage().user + process.cpuUsage().system) / 1e6);

function tell({ kind, seed, after, words, lines }: Finding): void {
  say(`\nFOUND in ${kind}: ${words}`);
  say(`  case ${after}, after ${worked()} s of work`);
  say(`  again: npm run fuzz -- --kind ${kind} --seed ${seed} --cases 1`);
  say(lines.replace(/^/gm, "  "));
}

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string" },
      kind: { type: "string" },
      device: { type: "string" },
      cases: { type: "string" },
      findings: { type: "string" },
      patience: { type: "string" },
      trying: { type: "string" },
      fault: { type: "string" },
      faults: { type: "boolean", default: false },
    },
  });
  if (values.faults) return findFaults(values);
  const unknown = unknownOps();
  for (const line of unknown) say(line);
  const { device } = values;
  const asked = { kind: (device ?? "webgpu") as DeviceKind };
  const isThere = device !== undefined || process.env.INARCH_WEBGPU_TESTS !== "skip";
  const opened = isThere ? await openDevice(asked) : undefined;
  const all = [graphs, calls, files].map((make) => make(opened?.device) as Kind<unknown>);
  const kinds = all.filter(({ name }) => !values.kind || name === values.kind);
  const seed = Number(values.seed ?? Date.now() % 2 ** 32);
  say(`seed ${seed}`);
  let found = unknown.length;
  const lines: string[] = [];
  for (const kind of kinds) {
    const outcome = await fuzz(kind, {
      seed,
      time: (Number(values.minutes) * 60_000) / kinds.length,
      ...(values.cases ? { cases: Number(values.cases) } : {}),
      ...(values.findings ? { findings: Number(values.findings) } : {}),
      ...(values.trying ? { trying: values.trying.split(";") } : {}),
      ...(values.patience ? { patience: Number(values.patience) } : {}),
      onFinding: tell,
    });
    lines.push(...coverage(kind, outcome));
    lines.push(`${kind.name}: ${outcome.cases} cases, ${outcome.findings.length} findings`);
    found += outcome.findings.length;
  }
  for (const line of lines) say(line);
  opened?.device.destroy();
  return found === 0 ? 0 : 1;
}

/** Which faults are looked for: those of a kind, or with some words in their names. */
interface Sought {
  readonly seed?: string | undefined;
  readonly kind?: string | undefined;
  readonly fault?: string | undefined;
}

/** Puts each fault back by itself, and looks for it: at most five minutes of work. */
async function findFaults({ seed = "1", ...sought }: Sought): Promise<number> {
  let missed = 0;
  for (const fault of faults) {
    if ((sought.kind ?? fault.kind) !== fault.kind) continue;
    if (!fault.name.includes(sought.fault ?? "")) continue;
    const found = await find(fault, seed);
    say(`${found ?? "MISSED"}: ${fault.name}`);
    if (!found) missed++;
  }
  return missed === 0 ? 0 : 1;
}

const mostWork = 300;

/** The first case that fails with the fault, and passes without it. */
async function find({ name, kind, trying }: Fault, from: string): Promise<string | undefined> {
  // On a busy machine minutes of work take hours.
  const looking = ["--minutes", "60", "--patience", "0", "--seed", from];
  const only = trying ? ["--trying", trying.join(";")] : [];
  const { child, lines } = run(["--kind", kind, "--fault", name, ...looking, ...only]);
  let [words, place] = ["", ""];
  try {
    for await (const line of lines) {
      words = /^FOUND in \w+: (.*)$/.exec(line)?.[1] ?? words;
      place = /^ {2}(case \d+, after \d+ s of work)$/.exec(line)?.[1] ?? place;
      const seed = /--seed (\d+) --cases 1/.exec(line)?.[1];
      if (seed === undefined) continue;
      if (Number(/after (\d+)/.exec(place)?.[1]) > mostWork) return undefined;
      if (await passes(kind, seed)) return `found by ${place}, seed ${seed}, "${words}"`;
    }
    return undefined;
  } finally {
    child.kill();
  }
}

/** Whether a case passes with the sources as they are. */
async function passes(kind: string, seed: string): Promise<boolean> {
  const { lines } = run(["--kind", kind, "--seed", seed, "--cases", "1"]);
  const said: string[] = [];
  for await (const line of lines) said.push(line);
  return said.some((line) => line.endsWith("1 cases, 0 findings"));
}

/** Runs the fuzzer in a process of its own, with other sources. */
function run(args: readonly string[]) {
  const script = fileURLToPath(new URL("main.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  return { child, lines: createInterface(child.stdout) };
}
