/**
 * Makes a fresh checkout ready: Node's version, packages, dist/. Each step looks first and does nothing
 * when all is there, so that every other script can begin with it. No system package is needed.
 *
 *   node scripts/setup.mjs           all of it
 *   node scripts/setup.mjs driver    Mesa's software driver, for the tests of WebGPU (with sudo: the packages stay yours)
 *
 * INARCH_INSTALL=never keeps it from installing a driver.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { childEnvironment, provideDriver } from "./driver.mjs";
import { installPackages } from "./packages.mjs";
import { main, root, SetupError } from "./processes.mjs";

/**
 * @returns `env` for child processes; `built`, whether the sources compile and what the compiler said.
 */
export async function setUp() {
  checkNode();
  await installPackages();
  return { env: childEnvironment(), built: await build() };
}

/** As `setUp`, for scripts that can do nothing without a build. */
export async function setUpToRun() {
  const { env, built } = await setUp();
  if (!built.ok) throw new SetupError(`the sources do not compile:\n${beginning(built.output)}`);
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
  if (only === "driver") await provideDriver();
  else await setUpToRun();
  return 0;
}

if (process.argv[1] === import.meta.filename) await main(setUpFromCommandLine);
