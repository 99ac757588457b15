#!/usr/bin/env node
/** `inarch`: the command line. What it does is in run.ts and in one file for each command. */
import { reportFailure, run } from "./run.ts";

// Whoever reads the output may stop early: `inarch show … | head`. That is no failure.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });

const args = process.argv.slice(2);
// What fails outside of the command's own promise is ours all the same.
process.on("uncaughtException", (error) => {
  process.exit(reportFailure(error, args));
});

process.exitCode = await run(args);
