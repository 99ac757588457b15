/** What `npm run fuzz` does: some minutes of each kind, findings as they come, the coverage at the end. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openDevice } from "../../runtime/node/index.ts";
import { calls } from "./calls/index.ts";
import { faults } from "./faults/index.ts";
import { files } from "./files/index.ts";
import { coverage, type Finding, fuzz } from "./fuzz.ts";
import { graphs, unknownOps } from "./graphs/index.ts";
import type { Kind } from "./kind.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

const tell = ({ kind, seed, words, lines }: Finding) =>
  say(
    `\nFOUND in ${kind}: ${words}\n  again: npm run fuzz -- --kind ${kind} --seed ${seed} --cases 1\n${lines.replace(/^/gm, "  ")}\n`,
  );

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string" },
      kind: { type: "string" },
      cases: { type: "string" },
      findings: { type: "string" },
      fault: { type: "string" },
      faults: { type: "boolean", default: false },
    },
  });
  if (values.faults) return findFaults(values);
  const unknown = unknownOps();
  for (const line of unknown) say(line);
  const opened = process.env.INARCH_DEVICE === "none" ? undefined : await openDevice();
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

/** Puts each fault back by itself, and looks for it: at most five minutes. */
async function findFaults({ seed: from = "1", ...sought }: Sought): Promise<number> {
  let missed = 0;
  for (const { name, kind } of faults) {
    if ((sought.kind ?? kind) !== kind || !name.includes(sought.fault ?? "")) continue;
    const start = performance.now();
    const looking = ["--minutes", "5", "--findings", "1", "--seed", from];
    const output = await run(["--kind", kind, "--fault", name, ...looking]);
    const seed = /--seed (\d+) --cases 1/.exec(output)?.[1];
    const words = /^FOUND in \w+: (.*)$/m.exec(output)?.[1];
    const seconds = Math.round((performance.now() - start) / 1000);
    // What is found without the fault too says nothing of it.
    const isOwn =
      seed && !/^FOUND/m.test(await run(["--kind", kind, "--seed", seed, "--cases", "1"]));
    say(`${isOwn ? `found in ${seconds} s, seed ${seed}` : "MISSED"}: ${name}`);
    say(`  ${words ?? output.slice(-2000)}`);
    if (!isOwn) missed++;
  }
  return missed === 0 ? 0 : 1;
}

/** Runs the fuzzer in a process of its own, with other sources. */
function run(args: readonly string[]): Promise<string> {
  const script = fileURLToPath(new URL("main.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output += chunk;
    });
  return new Promise((resolve) => child.on("close", () => resolve(output)));
}
