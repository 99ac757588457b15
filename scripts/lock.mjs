/** One set-up at a time in a checkout: a file that holds the number of the process that works. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { root, say } from "./processes.mjs";

const ofCheckout = join(root, "out", "setup.lock");
// Nothing that set-up does takes longer. A process number is given out again after a restart.
const stale = 15 * 60_000;

/** Runs `work` while nobody else who names the same lock does: no other set-up of this checkout. */
export async function alone(work, lock = ofCheckout) {
  mkdirSync(dirname(lock), { recursive: true });
  for (let waits = 0; !take(lock); waits++) {
    if (waits === 0) say("waiting for another set-up in this folder to end");
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    // "wx" creates the file or fails: of two processes one wins.
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (failure) {
    if (failure.code !== "EEXIST") throw failure;
    if (abandoned(lock)) discard(lock);
    return false;
  }
}

function abandoned(lock) {
  try {
    const holder = Number(readFileSync(lock, "utf8"));
    // Empty for a moment after its creation.
    if (!holder) return age(lock) > 1000;
    return age(lock) > stale || !alive(holder);
  } catch (failure) {
    if (failure.code === "ENOENT") return false;
    throw failure;
  }
}

const age = (lock) => Date.now() - statSync(lock).mtimeMs;

function alive(id) {
  try {
    process.kill(id, 0);
    return true;
  } catch (failure) {
    return failure.code === "EPERM";
  }
}

/** Moves the file away before removing it: of two processes that see it abandoned, one succeeds. */
function discard(lock) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    rmSync(aside, { force: true });
  } catch (failure) {
    if (failure.code !== "ENOENT") throw failure;
  }
}
