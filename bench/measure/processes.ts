/**
 * Opens contestants in processes of their own, one for each system. A peer that crashes or hangs then
 * ends its process and nothing else, and no two copies of Dawn meet.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Reply, Request } from "./host.ts";
import type { Handle, Opener } from "./rounds.ts";

/** Milliseconds after which a system is taken to hang. Compiling for a software device is slow. */
const patience = 600_000;

export interface Processes {
  readonly open: Opener;
  /** Ends them all: between comparisons, so that each begins with fresh ones. */
  end(): void;
}

export function systemProcesses(): Processes {
  const hosts = new Map<string, ChildProcess>();
  let next = 0;
  const hostOf = (system: string): ChildProcess => {
    const known = hosts.get(system);
    if (known?.connected) return known;
    const made = startHost();
    hosts.set(system, made);
    return made;
  };
  return {
    async open(comparison, contestant): Promise<Handle> {
      const host = hostOf(contestant.process);
      const key = next++;
      const names = { comparison: comparison.name, contestant: contestant.name };
      const { facts } = await ask(host, { kind: "open", key, ...names });
      return {
        facts,
        run: async () => (await ask(host, { kind: "run", key })).timing!,
        result: async () => (await ask(host, { kind: "result", key })).result!,
        close: async () => {
          if (host.connected) await ask(host, { kind: "close", key });
        },
      };
    },
    end() {
      for (const host of hosts.values()) host.kill("SIGKILL");
      hosts.clear();
    },
  };
}

/** Its stdout is ours to write to: what systems print goes to stderr, and Dawn's warnings nowhere. */
function startHost(): ChildProcess {
  const host = fork(fileURLToPath(new URL("./host.js", import.meta.url)), [], {
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  for (const stream of [host.stdout!, host.stderr!])
    stream.on("data", (chunk: Buffer) => {
      const lines = chunk.toString("utf8").split("\n");
      const told = lines.filter((line) => line.trim() !== "" && !noise.test(line));
      for (const line of told) process.stderr.write(`  ${line}\n`);
    });
  return host;
}

/** What Dawn and the peers say of every software device. */
const noise = /^Warning: maxDynamic|artificially reduced/;

type Done = Extract<Reply, { readonly kind: "done" }>;

/** One request and its reply: the host works on one at a time. */
function ask(host: ChildProcess, request: Request): Promise<Done> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      clearTimeout(timer);
      host.off("message", onMessage);
      host.off("exit", onExit);
      act();
    };
    const onMessage = (reply: Reply) =>
      settle(() => (reply.kind === "done" ? resolve(reply) : reject(new Error(reply.reason))));
    const onExit = (code: number | null, signal: string | null) =>
      settle(() => reject(new Error(`its process ended with ${signal ?? `code ${code}`}`)));
    const timer = setTimeout(() => {
      settle(() => reject(new Error(`no answer in ${patience / 60_000} minutes`)));
      host.kill("SIGKILL");
    }, patience);
    host.on("message", onMessage);
    host.on("exit", onExit);
    if (host.connected) host.send(request);
    else onExit(host.exitCode, host.signalCode);
  });
}
