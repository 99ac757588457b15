/** The npm packages: installed when they are missing or are not those of package-lock.json. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./lock.mjs";
import { capture, root, SetupError, say } from "./processes.mjs";

const stamp = join(root, "node_modules", ".inarch-packages");
const lockFile = join(root, "package-lock.json");
// npm writes this file at the end of every installation.
const installed = join(root, "node_modules", ".package-lock.json");

export async function installPackages() {
  if (upToDate()) return;
  await alone(async () => {
    if (upToDate()) return;
    say("installing packages (npm ci, without install scripts)");
    await installWithNpm();
    writeFileSync(stamp, fingerprint());
  });
}

/** By content where we installed them; a `git checkout` touches files without changing them. */
function upToDate() {
  if (!existsSync(installed)) return false;
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(installed).mtimeMs) {
    return readFileSync(stamp, "utf8") === fingerprint();
  }
  return statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs;
}

/** Packages with binaries are different ones on another system or processor. */
const fingerprint = () =>
  `${createHash("sha256").update(readFileSync(lockFile)).digest("hex")} ${process.platform}-${process.arch}`;

async function installWithNpm() {
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  // Under `npm test` this is the npm that runs us, which need not be the first in PATH.
  const npm = process.env.npm_execpath;
  const { code, output } = npm?.endsWith("npm-cli.js")
    ? await capture(process.execPath, [npm, ...args])
    : await capture(process.platform === "win32" ? "npm.cmd" : "npm", args);
  if (code === 0) return;
  throw new SetupError(
    code === 127
      ? "npm is missing: install Node together with npm"
      : `npm ci failed:\n${reason(output)}\nput right what it says, then type: npm ci --ignore-scripts`,
  );
}

/** What npm says before it starts to explain its own flags. */
const reason = (output) => output.split(/^npm error (?:Usage|Clean install)/m)[0].trim();
