/** Runs cases of printed CUDA on this machine's processor, by the script that runs them on a GPU. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Case } from "../../bench/cuda/cases.ts";
import { shared, writePack } from "../../bench/cuda/pack.ts";

export interface Outcome {
  /** Of cases: what is wrong, by name. */
  readonly faults: Readonly<Record<string, string>>;
  readonly passed: number;
  /** Barriers that threads came to, and how many of them nobody missed when they were left out. */
  readonly barriers: number;
  readonly unmissed: number;
  /** Lines of timed cases. */
  readonly timed: readonly string[];
}

interface Line {
  readonly case?: string;
  readonly unit?: string;
  readonly passed?: boolean;
  readonly fault?: string;
  readonly barriers?: number;
  readonly unnoticed?: readonly number[];
}

/** In `units` files, each compiled by a compiler of its own. @throws what the script says where there is no g++. */
export async function runPrinted(
  cases: readonly Case[],
  { units, flags = [] }: { readonly units: number; readonly flags?: readonly string[] },
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "inarch-cuda-"));
  try {
    writePack(folder, shared("cases", cases, units));
    const { code, said } = await ended(join(folder, "run"), ["--processor", ...flags]);
    if (code !== 0 && code !== 1) throw new Error(`the script ended with ${code}: ${said}`);
    const text = readFileSync(join(folder, "out", "results.jsonl"), "utf8");
    return outcomeOf(text.trim().split("\n"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function outcomeOf(texts: readonly string[]): Outcome {
  const lines = texts.map((text) => JSON.parse(text) as Line);
  const wrong = lines.filter(({ passed }) => passed === false);
  const sum = (of: (line: Line) => number) => lines.reduce((total, line) => total + of(line), 0);
  return {
    faults: Object.fromEntries(
      wrong.map((line) => [(line.case ?? line.unit)!, line.fault ?? "no reason"]),
    ),
    passed: lines.filter((line) => line.case !== undefined && line.passed).length,
    barriers: sum(({ barriers = 0 }) => barriers),
    unmissed: sum(({ unnoticed = [] }) => unnoticed.length),
    timed: texts.filter((text) => text.includes('"ms":')),
  };
}

const ended = (file: string, args: readonly string[]) =>
  new Promise<{ readonly code: number | null; readonly said: string }>((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += String(chunk);
      });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
  });
