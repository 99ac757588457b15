/** Processes that tests start to end: by a signal, at a moment of their choice. */
import { spawn, spawnSync } from "node:child_process";
import { repository } from "./command-line.ts";

/** The number of a process that is gone. */
export const goneProcess = (): number => spawnSync(process.execPath, ["--version"]).pid;

/**
 * `node ARGS` in `cwd`, killed after so many milliseconds or when it prints `at`. Whether it ended by itself before.
 */
export function killed(
  args: readonly string[],
  { cwd = repository, after, at }: { cwd?: string; after?: number; at?: string },
): Promise<"killed" | "ended"> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...args], { cwd, stdio: ["ignore", "pipe", "ignore"] });
    const kill = () => child.kill("SIGKILL");
    const timer = after === undefined ? undefined : setTimeout(kill, after);
    child.stdout.on("data", (text) => {
      if (at !== undefined && String(text).includes(at)) kill();
    });
    child.on("close", (_, signal) => {
      clearTimeout(timer);
      resolve(signal === null ? "ended" : "killed");
    });
  });
}
