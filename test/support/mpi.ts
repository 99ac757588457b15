/** Tests of several processes, where MPI is installed, and of their network, where namespaces are allowed. */
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";

const runs = (command: string, ...args: readonly string[]) => {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
};

/** The first of some launchers that is there and says whose it is. */
function launcherOf(library: string, names: readonly string[], says: RegExp): string | undefined {
  const found = names.find((name) => says.test(runs(name, "--version") ?? ""));
  if (!found) console.warn(`${library} is missing: training in its processes is not tested`);
  return found;
}

export const launchers = {
  openMpi: launcherOf("Open MPI", ["mpirun.openmpi", "mpirun"], /Open MPI/),
  mpich: launcherOf("MPICH", ["mpirun.mpich", "mpirun"], /HYDRA/),
};

/** Registers tests that start Open MPI's `mpirun`. */
export const describeWithMpi = describe.runIf(launchers.openMpi);

/** Registers tests that start the launchers of Open MPI and of MPICH. */
export const describeWithBoth = describe.runIf(launchers.openMpi && launchers.mpich);

const own = `inarch${process.pid}`;
const [near, far] = [`${own}a`, `${own}b`];

/** Two network namespaces, each with one end of a cable. */
function connect(): boolean {
  const made = [
    ["netns", "add", near],
    ["netns", "add", far],
    ["link", "add", "end", "netns", near, "type", "veth", "peer", "name", "end", "netns", far],
    ["-n", near, "addr", "add", "10.213.7.1/24", "dev", "end"],
    ["-n", far, "addr", "add", "10.213.7.2/24", "dev", "end"],
    ...[near, far].flatMap((name) => [
      ["-n", name, "link", "set", "lo", "up"],
      ["-n", name, "link", "set", "end", "up"],
    ]),
    // Processes in one place are told from those in another by the names of their hosts.
    ["netns", "exec", far, "unshare", "--uts", "hostname", own],
  ].every((args) => runs("ip", ...args) !== undefined);
  if (!made) disconnect();
  return made;
}

const disconnect = () => {
  for (const name of [near, far]) runs("ip", "netns", "del", name);
};

const areAllowed = launchers.openMpi !== undefined && connect();
if (areAllowed) disconnect();
else console.warn("network namespaces are not allowed: training over TCP is not tested");

/** Registers tests of processes that only a network joins: `wordsBetween` start Open MPI's. */
export const describeOverTcp = (name: string, tests: () => void) =>
  describe.runIf(areAllowed)(name, () => {
    beforeAll(() => {
      connect();
    });
    afterAll(disconnect);
    tests();
  });

/** What starts two processes in two network namespaces, up to their own command; a script for it lies in `folder`. */
export function wordsBetween(folder: string): string[] {
  const agent = join(folder, "agent.sh");
  const inside = `hostname ${own}; exec sh -c "$0"`;
  // What mpirun asks to run a command at an address.
  const text = `#!/bin/sh\nshift\nexec ip netns exec ${far} unshare --uts sh -c '${inside}' "$*"\n`;
  writeFileSync(agent, text);
  chmodSync(agent, 0o755);
  const settings = {
    plm_rsh_agent: agent,
    btl: "self,tcp",
    btl_tcp_if_include: "10.213.7.0/24",
    oob_tcp_if_include: "10.213.7.0/24",
  };
  return [
    ...["ip", "netns", "exec", near, launchers.openMpi!],
    ...Object.entries(settings).flatMap(([key, value]) => ["--mca", key, value]),
    ...["--host", "10.213.7.1:1,10.213.7.2:1"],
  ];
}
