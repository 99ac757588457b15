/** Child processes and lines on the screen, for the scripts beside this file. */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * One line about what the scripts themselves do. On stderr: stdout belongs to what they run, which may
 * print JSON.
 */
export const say = (line) => process.stderr.write(`inarch: ${line}\n`);

/** Something that the user must put right: printed as one line, without a stack. */
export class SetupError extends Error {}

/** Runs a command on the same screen and returns its exit code; death by a signal is 128. */
export function run(command, args, env = process.env) {
  const stdio = ["inherit", "inherit", "pipe"];
  const child = spawn(command, args, { cwd: root, env, stdio });
  child.stderr.pipe(withoutNoise()).pipe(process.stderr, { end: false });
  return finished(child);
}

/** Dawn itself writes these for every device of the software driver, and they mean nothing. */
const noise = /^Warning: maxDynamic\w+PerPipelineLayout artificially reduced .*\n/gm;

function withoutNoise() {
  let rest = "";
  return new Transform({
    transform(chunk, _, done) {
      const text = rest + chunk;
      const end = text.lastIndexOf("\n") + 1;
      rest = text.slice(end);
      done(null, text.slice(0, end).replace(noise, ""));
    },
    flush: (done) => done(null, rest),
  });
}

/** Runs a command and keeps what it prints, both streams together in `output`. */
export async function capture(command, args, { env = process.env, input = "" } = {}) {
  const child = spawn(command, args, { cwd: root, env, stdio: "pipe" });
  const chunks = [];
  const stdout = [];
  child.stdout.on("data", (chunk) => chunks.push(chunk) && stdout.push(chunk));
  child.stderr.on("data", (chunk) => chunks.push(chunk));
  // A command that is missing or ends early closes the pipe; its exit code says so.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await finished(child);
  return { code, output: text(chunks), stdout: text(stdout) };
}

const text = (chunks) => Buffer.concat(chunks).toString("utf8");

function finished(child) {
  return new Promise((resolve) => {
    child.on("error", () => resolve(127));
    child.on("close", (code, signal) => {
      if (signal) say(`${child.spawnfile} was ended by ${signal}`);
      resolve(code ?? 128);
    });
  });
}

/** Runs a script's main function: its result is the exit code, a SetupError is one line. */
export async function main(script) {
  try {
    process.exitCode = await script(process.argv.slice(2));
  } catch (failure) {
    if (!(failure instanceof SetupError)) throw failure;
    say(failure.message);
    process.exitCode = 3;
  }
}
