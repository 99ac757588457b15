/**
 * `npm run fuzz -- [--minutes N] [--seed S] [--kind graphs|calls|files] [--device KIND] [--fault NAME]
 * [--faults]`: random programs, calls and damaged files, against the sources as they are. All arguments go
 * to test/fuzz/.
 */
import { findWebGpu } from "./driver.mjs";
import { main, run } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

await main(async (args) =>
  run(
    process.execPath,
    ["test/fuzz/main.mjs", ...args],
    (await findWebGpu(await setUpToRun())).env,
  ),
);
