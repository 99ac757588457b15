/** The program behind `npm run verify`. Exit codes: 0 right, 1 wrong numbers or a mistake in use. */

import { reportFailure } from "./run.ts";
import { runVerify } from "./verify.ts";

const args = process.argv.slice(2);
try {
  process.exitCode = await runVerify(args);
} catch (failure) {
  process.exitCode = reportFailure(failure, args);
}
