#!/usr/bin/env node
/** `inarch`: the command line. Each other file of this folder is a command. */
import { reportFailure } from "./program/failure.ts";
import { run } from "./program/run.ts";

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
