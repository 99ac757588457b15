/** The program behind `npm run verify`. Exit codes: 0 right, 1 wrong numbers or a mistake in use. */

import { runVerify } from "../verify/command.ts";
import { reportFailure } from "./run.ts";

const args = process.argv.slice(2);
try {
  process.exitCode = await runVerify(args);
} catch (failure) {
  process.exitCode = reportFailure(failure, args);
}
