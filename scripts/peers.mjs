/**
 * The packages that inarch is compared with: those of bench/peers/, in out/peers/, where nothing but
 * the comparison finds them.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./lock.mjs";
import { capture, root, SetupError, say } from "./processes.mjs";

const wanted = join(root, "bench", "peers");
const folder = join(root, "out", "peers");
const stamp = join(folder, "node_modules", ".inarch-peers");

/** Installs what is missing or out of date. @returns the folder. */
export async function installPeers() {
  if (upToDate()) return folder;
  await alone(async () => {
    if (upToDate()) return;
    say("installing what inarch is compared with in out/peers (360 MB, without install scripts)");
    mkdirSync(folder, { recursive: true });
    for (const file of ["package.json", "package-lock.json"])
      copyFileSync(join(wanted, file), join(folder, file));
    await installWithNpm();
    writeFileSync(stamp, lock());
  });
  return folder;
}

const lock = () => readFileSync(join(wanted, "package-lock.json"), "utf8");

const upToDate = () => existsSync(stamp) && readFileSync(stamp, "utf8") === lock();

async function installWithNpm() {
  const args = ["ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund"];
  // Under `npm run` this is the npm that runs us, which need not be the first in PATH.
  const npm = process.env.npm_execpath;
  const { code, output } = npm?.endsWith("npm-cli.js")
    ? await capture(process.execPath, [npm, ...args])
    : await capture(process.platform === "win32" ? "npm.cmd" : "npm", args);
  if (code === 0) return;
  throw new SetupError(`npm ci in out/peers failed:\n${output.trim()}`);
}
