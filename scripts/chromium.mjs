/**
 * The Chromium of the tests in a browser: INARCH_CHROMIUM, or what the system calls it. `node scripts/chromium.mjs`
 * prints its path, or says what to do and ends with 3.
 */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { main, SetupError } from "./processes.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** @returns its path, or undefined where there is none. A name in INARCH_CHROMIUM is not looked up. */
export function findChromium({ INARCH_CHROMIUM, PATH = "" } = process.env) {
  if (INARCH_CHROMIUM) return INARCH_CHROMIUM;
  return [
    ...PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find((path) => existsSync(path));
}

/** What a user types, or sets, where there is none. */
export const chromiumWords = existsSync("/usr/bin/apt-get")
  ? "sudo apt-get install chromium, or let INARCH_CHROMIUM name one"
  : "install Chromium or Chrome, or let INARCH_CHROMIUM name one";

/**
 * Whether the tests in a browser run.
 * @returns the environment for child processes, and in `missing` what to do where they do not. Where
 * INARCH_REQUIRE=chromium they run all the same, and fail.
 */
export function findBrowser(env, path = findChromium(env)) {
  if (path || env.INARCH_REQUIRE === "chromium") return { env, missing: undefined };
  return { env: { ...env, INARCH_BROWSER_TESTS: "skip" }, missing: chromiumWords };
}

async function print() {
  const path = findChromium();
  if (!path) throw new SetupError(`no Chromium is installed: ${chromiumWords}`);
  process.stdout.write(`${path}\n`);
  return 0;
}

if (process.argv[1] === import.meta.filename) await main(print);
