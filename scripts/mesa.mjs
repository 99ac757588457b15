/**
 * Installs Mesa's software Vulkan driver with apt. Dawn needs Mesa 25 or about; Debian 12 has 22.3,
 * so there it comes from Debian's own backports, named by the machine's own list of sources.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { capture, SetupError, say } from "./processes.mjs";

const packages = ["libvulkan1", "mesa-vulkan-drivers"];
const neededMajor = 25;
const sourcesFolder = "/etc/apt/sources.list.d";

/** Why the driver cannot be installed from here, or undefined when it can. */
export async function whyNotInstall() {
  if (process.env.INARCH_INSTALL === "never")
    return "INARCH_INSTALL=never forbids to install a driver";
  if (!existsSync("/usr/bin/apt-get")) return "this system has no apt-get to install a driver with";
  if (process.getuid() === 0) return undefined;
  const { code } = await capture("sudo", ["-n", "true"]);
  return code === 0
    ? undefined
    : "installing a driver needs the administrator's rights: sudo node scripts/setup.mjs driver";
}

/** What a user types who has to install the driver by hand. */
export function installWords(system = distribution()) {
  const like = `${system.ID ?? ""} ${system.ID_LIKE ?? ""}`;
  if (/debian|ubuntu/.test(like)) return "sudo node scripts/setup.mjs driver";
  if (/fedora|rhel/.test(like)) return "sudo dnf install vulkan-loader mesa-vulkan-drivers";
  if (/arch/.test(like)) return "sudo pacman -S vulkan-icd-loader vulkan-swrast";
  if (/suse/.test(like)) return "sudo zypper install libvulkan1 libvulkan_lvp";
  return "install the Vulkan loader and Mesa's lavapipe driver, version 25 or newer";
}

/** Installs loader and driver; needs root or sudo without a password. */
export async function installDriver() {
  await apt("update");
  const system = distribution();
  const target =
    (await candidateIsOld()) && system.ID === "debian" ? await addBackports(system) : [];
  const installed = await apt("install", "-y", "--no-install-recommends", ...target, ...packages);
  if (installed.code === 0) return;
  throw new SetupError(
    `apt-get could not install ${packages.join(" and ")}:\n${installed.output.trim()}\n` +
      `put right what it says, then type: ${installWords(system)}`,
  );
}

async function candidateIsOld() {
  const { output } = await capture("apt-cache", ["policy", "mesa-vulkan-drivers"]);
  const candidate = /Candidate:\s*(\S+)/.exec(output)?.[1] ?? "";
  return majorVersion(candidate) < neededMajor;
}

/** The first number of a Debian version: 22 of "22.3.6-1", 25 of "1:25.0.7-2~bpo12+1". */
export const majorVersion = (version) => Number(/^(?:\d+:)?(\d+)/.exec(version)?.[1] ?? 0);

async function addBackports(system) {
  const suite = `${system.VERSION_CODENAME}-backports`;
  const text = backportsSource(aptSources(), suite);
  if (!text) return [];
  const path = join(sourcesFolder, "inarch-backports.sources");
  say(`adding ${suite} to apt's sources: ${path}`);
  await privileged("tee", [path], text);
  await apt("update");
  return ["-t", suite];
}

/** Debian's own list of sources, in either of its two formats. */
export function aptSources() {
  const own = join(sourcesFolder, "debian.sources");
  if (existsSync(own)) return readFileSync(own, "utf8");
  const list = "/etc/apt/sources.list";
  const others = existsSync(sourcesFolder) ? readdirSync(sourcesFolder).sort() : [];
  const files = [list, ...others.map((name) => join(sourcesFolder, name))];
  return files
    .filter((path) => /\.(?:list|sources)$/.test(path) && existsSync(path))
    .map((path) => readFileSync(path, "utf8"))
    .join("\n\n");
}

/**
 * The text of a sources file for `suite`, served from where the first archive in `text` is.
 * Reads stanzas ("Types: deb") and lines ("deb [options] place suite components").
 */
export function backportsSource(text, suite) {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  const stanza = lines
    .join("\n")
    .split(/\n\s*\n/)
    .find((block) => /^Types:.*\bdeb\b/m.test(block) && /^Suites:/m.test(block));
  if (stanza) return `${stanza.trim().replace(/^Suites:.*$/m, `Suites: ${suite}`)}\n`;
  const line = lines
    .map((one) => /^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+\S+\s+(.*)$/.exec(one))
    .find(Boolean);
  if (!line) return undefined;
  const [, options, place, components] = line;
  const signed = /signed-by=(\S+)/.exec(options ?? "")?.[1];
  return [
    "Types: deb",
    `URIs: ${place}`,
    `Suites: ${suite}`,
    `Components: ${components.trim()}`,
    ...(signed ? [`Signed-By: ${signed}`] : []),
    "",
  ].join("\n");
}

/** /etc/os-release as an object. */
function distribution() {
  if (!existsSync("/etc/os-release")) return {};
  const lines = readFileSync("/etc/os-release", "utf8").matchAll(/^(\w+)="?(.*?)"?$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
}

/** Another program may hold apt's lock, and a source that is down must not hold us for minutes. */
const apt = (...args) =>
  privileged("apt-get", [
    "-q",
    "-o=DPkg::Lock::Timeout=300",
    "-o=Acquire::http::Timeout=30",
    "-o=Acquire::Retries=2",
    ...args,
  ]);

function privileged(command, args, input = "") {
  const quiet = ["DEBIAN_FRONTEND=noninteractive", command, ...args];
  return process.getuid() === 0
    ? capture("env", quiet, { input })
    : capture("sudo", ["-n", "env", ...quiet], { input });
}
