/**
 * WebGPU on this machine, for the tests of it: a GPU with its driver, or Mesa's software driver lavapipe,
 * which `node scripts/setup.mjs driver` installs on Debian and Ubuntu. Nothing else needs one.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { alone } from "./lock.mjs";
import { installDriver, installWords, whyNotInstall } from "./mesa.mjs";
import { capture, root, SetupError, say } from "./processes.mjs";

/**
 * Looks for a WebGPU device; dist/ must be there.
 * @returns the environment for child processes, and in `missing` what to do when there is none, in one line.
 */
export async function findWebGpu(env) {
  const found = await probe(env);
  if (found.ok) {
    say(`webgpu: ${found.description}${found.kind === "software" ? " (software)" : ""}`);
    const driver = found.driver === undefined ? {} : { VK_DRIVER_FILES: found.driver };
    return { env: { ...env, ...driver }, missing: undefined };
  }
  const { message, help } = found;
  const missing = mesaHelps(found, env)
    ? installWords()
    : `${message}${help === undefined ? "" : `; ${help}`}`;
  return { env: { ...env, INARCH_WEBGPU_TESTS: "skip" }, missing };
}

/** Installs the software driver where a driver is what is missing. */
export async function provideDriver() {
  const env = childEnvironment();
  const mayInstall = async () => !existsSync(library) || mesaHelps(await probe(env), env);
  if (!(await mayInstall())) return say("there is nothing that Mesa's driver would put right");
  const reason = await whyNotInstall();
  if (reason) throw new SetupError(reason);
  await alone(async () => {
    // Another set-up may have installed it while this one waited.
    if (!(await mayInstall())) return;
    say("installing Mesa's software driver");
    await installDriver();
  });
}

/** What the probe imports. */
const library = join(root, "dist", "runtime", "node", "gpu.js");

/**
 * No loader or no device, and nobody has chosen a driver that does not work. Anything else that
 * goes wrong, another driver does not put right.
 */
function mesaHelps(found, env) {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, DAWNNODE_BACKEND } = env;
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
    const end = output.trim().split("\n").at(-1);
    return { ok: false, message: `asking for a device ended with code ${code}: ${end}` };
  }
}

/** Mesa expects a folder of the user's own for its sockets, and warns without one. */
export function childEnvironment() {
  const env = { ...process.env };
  if (process.platform !== "linux" || env.XDG_RUNTIME_DIR) return env;
  const folder = join(root, "out", "runtime");
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  return { ...env, XDG_RUNTIME_DIR: folder };
}
