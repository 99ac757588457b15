/**
 * Runs a part in a process of its own and watches it. The process says which item it begins; where it
 * crashes or takes too long, that item is lost, and another process goes on behind it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Finding, Line, Signal, Verdict } from "./lines.ts";

export interface Watched {
  readonly part: string;
  readonly file: string;
  /** Arguments of a process that leaves out the first `skip` items. */
  readonly args: (skip: number) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export interface Limits {
  /** Seconds that one item may take, and those before the first. */
  readonly item: number;
  /** Seconds that the part may take. */
  readonly part: number;
  /** When everything must have ended: milliseconds, as `performance.now()` counts them. */
  readonly until: number;
}

/** Never throws: what goes wrong is a line. */
export async function watch(
  watched: Watched,
  limits: Limits,
  write: (line: Line) => void,
): Promise<void> {
  const { part } = watched;
  const begun = performance.now();
  const end = Math.min(begun + limits.part * 1000, limits.until);
  const overdue =
    end === limits.until ? "the run's time is over" : `the part's ${limits.part} s are over`;
  const state: State = { names: [], started: 0, current: undefined };
  const tell = (verdict: Verdict, item = state.current) =>
    write({ part, ...(item === undefined ? {} : { item }), ...verdict });
  for (;;) {
    if (performance.now() >= end) break;
    const before = state.started;
    const ending = await once(watched, state, { item: limits.item, end }, write);
    if (ending === "finished") break;
    if (ending !== "overdue") tell({ type: "failed", what: state.current ?? part, reason: ending });
    else if (state.current !== undefined)
      tell({ type: "left out", what: state.current, reason: overdue });
    state.current = undefined;
    // A process that dies before it begins anything would do so again.
    if (ending !== "overdue" && state.started === before)
      return tell({ type: "done", seconds: since(begun) });
    if (state.started >= state.names.length) break;
  }
  for (const what of state.names.slice(state.started))
    tell({ type: "left out", what, reason: overdue });
  if (state.names.length === 0 && performance.now() >= end)
    tell({ type: "left out", what: part, reason: overdue });
  tell({ type: "done", seconds: since(begun) });
}

const since = (begun: number) => Math.round((performance.now() - begun) / 100) / 10;

interface State {
  names: readonly string[];
  started: number;
  /** The item that runs. */
  current: string | undefined;
}

/** One process: "finished", "overdue" where the part's time ended it, or how it failed. */
function once(
  watched: Watched,
  state: State,
  { item, end }: { readonly item: number; readonly end: number },
  write: (line: Line) => void,
): Promise<string> {
  return new Promise((resolve) => {
    // A group of its own: what the process starts is ended with it.
    const child = spawn(watched.file, [...watched.args(state.started)], {
      ...{ env: watched.env, detached: true, stdio: ["ignore", "pipe", "pipe"] },
    });
    let killed: string | undefined;
    let timer: NodeJS.Timeout | undefined;
    let lastWords = "";
    const limit = () => {
      clearTimeout(timer);
      const left = end - performance.now();
      const isPart = left <= item * 1000;
      timer = setTimeout(
        () => {
          killed = isPart ? "overdue" : `no end after ${item} s`;
          killGroup(child);
        },
        Math.max(0, isPart ? left : item * 1000),
      );
    };
    limit();
    const lines = createInterface({ input: child.stdout! });
    lines.on("line", (text) => {
      const said = parse(text);
      if (said === undefined) return;
      switch (said.type) {
        case "items":
          state.names = said.names;
          break;
        case "begin":
          state.current = said.item;
          state.started++;
          limit();
          break;
        case "end":
          state.current = undefined;
          limit();
          break;
        default:
          write({
            part: watched.part,
            ...(state.current === undefined ? {} : { item: state.current }),
            ...said,
          });
      }
    });
    child.stderr!.on("data", (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString("utf8")).slice(-4000);
    });
    let failure: string | undefined;
    child.on("error", (error) => {
      failure = error.message;
    });
    // After its output has been read to the end.
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      killGroup(child);
      if (killed !== undefined) return resolve(killed);
      if (code === 0) return resolve("finished");
      const how =
        failure ??
        (signal ? `its process ended with ${signal}` : `its process ended with code ${code}`);
      resolve(`${how}${lastLine(lastWords)}`);
    });
  });
}

/** The process and those that it started. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}

/** What Dawn says of every software device. */
const noise = /^Warning: maxDynamic/;

function lastLine(words: string): string {
  const told = words.split("\n").filter((line) => line.trim() !== "" && !noise.test(line));
  const last = told.at(-1)?.trim();
  return last === undefined ? "" : `: ${last.slice(0, 300)}`;
}

/** Libraries print to stdout too: what is no line of ours is passed over. */
function parse(text: string): Finding | Signal | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const said = JSON.parse(text) as Finding | Signal;
    return typeof said.type === "string" ? said : undefined;
  } catch {
    return undefined;
  }
}
