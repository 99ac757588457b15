/**
 * `npm run verify -- FILE… [--device KIND]`: checks reference files against what the
 * compiled model computes, a line for each tensor. All arguments go to the command.
 */
import { main, run } from "./processes.mjs";
import { setUpToRun } from "./setup.mjs";

await main(async (args) =>
  run(process.execPath, ["dist/cli/main.js", "verify", ...args], await setUpToRun()),
);
