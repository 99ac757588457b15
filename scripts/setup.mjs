/**
 * Makes a fresh checkout ready: Node's version, packages, dist/, a device. Each step looks first
 * and does nothing when all is there, so that every other script can begin with it.
 *
 *   node scripts/setup.mjs           all of it
 *   node scripts/setup.mjs driver    the software driver alone (with sudo: the packages stay yours)
 *
 * INARCH_INSTALL=never keeps it from installing a driver.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { findDevice } from "./driver.mjs";
import { installDriver, whyNotInstall } from "./mesa.mjs";
import { installPackages } from "./packages.mjs";
import { main, root, SetupError, say } from "./processes.mjs";

/**
 * @returns `env` for child processes; `missing`, what to type when there is no device; `built`,
 * whether the sources compile and what the compiler said.
 */
export async function setUp() {
  checkNode();
  await installPackages();
  const built = await build();
  const { env, missing } = await findDevice();
  return { env, missing, built };
}

/** As `setUp`, for scripts that can do nothing without a build. A device they find missing themselves. */
export async function setUpToRun() {
  const { env, missing, built } = await setUp();
  if (!built.ok) throw new SetupError(`the sources do not compile:\n${beginning(built.output)}`);
  if (missing) say(`no WebGPU device. To get one, type: ${missing}`);
  return env;
}

function beginning(output) {
  const lines = output.split("\n");
  const rest = lines.length - 20;
  return [...lines.slice(0, 20), ...(rest > 0 ? [`and ${rest} lines more`] : [])].join("\n");
}

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (satisfies(process.versions.node, engines.node)) return;
  throw new SetupError(`Node ${process.versions.node} is not supported: install ${engines.node}`);
}

/** For the forms that package.json uses: "^20.19.0 || >=24.0.0". */
export function satisfies(version, range) {
  const [major, minor] = version.split(".").map(Number);
  return range.split("||").some((part) => {
    const [, operator, wantedMajor, wantedMinor] = /(\^|>=)(\d+)\.(\d+)/.exec(part) ?? [];
    if (major === Number(wantedMajor)) return minor >= Number(wantedMinor);
    return operator === ">=" && major > Number(wantedMajor);
  });
}

async function setUpFromCommandLine([only]) {
  if (only === "driver") {
    const reason = await whyNotInstall();
    if (reason) throw new SetupError(reason);
    await installDriver();
    return 0;
  }
  await setUpToRun();
  return 0;
}

if (process.argv[1] === import.meta.filename) await main(setUpFromCommandLine);
