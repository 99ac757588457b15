/** Tests of several processes, where MPI is installed. */
import { spawnSync } from "node:child_process";
import { describe } from "vitest";

const hasMpi = spawnSync("mpirun", ["--version"]).status === 0;
if (!hasMpi) console.warn("mpirun is missing: training in several processes is not tested");

/** Registers tests that start `mpirun`. */
export const describeWithMpi = describe.runIf(hasMpi);
