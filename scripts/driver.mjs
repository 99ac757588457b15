/**
 * A device to compute on. A GPU with its driver is used as it is; without one, Linux needs Mesa's
 * software driver lavapipe, which this installs on Debian and Ubuntu where it may.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./lock.mjs";
import { installDriver, installWords, whyNotInstall } from "./mesa.mjs";
import { capture, root, say } from "./processes.mjs";

/**
 * Finds a device, installing the software driver when that is what is missing.
 * @returns the environment for child processes, and in `missing` what to type when there is none.
 */
export async function findDevice() {
  const env = deviceEnvironment();
  let found = await probe(env);
  if (mesaHelps(found)) found = await withDriver(env, found);
  if (found.ok) {
    if (found.driver) env.VK_DRIVER_FILES = found.driver;
    say(`device: ${found.description}${found.kind === "software" ? " (software)" : ""}`);
    return { env, missing: undefined };
  }
  const missing = mesaHelps(found) ? installWords() : found.message;
  return { env: { ...env, INARCH_WEBGPU_TESTS: "skip" }, missing };
}

async function withDriver(env, before) {
  const reason = await whyNotInstall();
  if (reason) {
    say(`no GPU and no software driver, and ${reason}`);
    return before;
  }
  return alone(async () => {
    // Another set-up may have installed it while this one waited.
    const found = await probe(env);
    if (!mesaHelps(found)) return found;
    say("no GPU driver that Dawn accepts: installing Mesa's software driver");
    await installDriver();
    return probe(env);
  });
}

/**
 * No loader or no device, and nobody has chosen a driver that does not work. Anything else that
 * goes wrong, another driver does not put right.
 */
function mesaHelps(found) {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, DAWNNODE_BACKEND } = process.env;
  if (VK_DRIVER_FILES || VK_ICD_FILENAMES || DAWNNODE_BACKEND) return false;
  return process.platform === "linux" && (found.code === "E402" || found.code === "E403");
}

async function probe(env) {
  const { code, stdout, output } = await capture(
    process.execPath,
    [join(root, "scripts", "probe.mjs")],
    { env },
  );
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1));
  } catch {
    return { ok: false, message: `asking for a device ended with code ${code}:\n${output.trim()}` };
  }
}

/** Mesa expects a folder of the user's own for its sockets, and warns without one. */
function deviceEnvironment() {
  const env = { ...process.env };
  if (process.platform !== "linux" || env.XDG_RUNTIME_DIR) return env;
  const folder = join(root, "out", "runtime");
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return { ...env, XDG_RUNTIME_DIR: folder };
}
