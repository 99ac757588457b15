/**
 * The folder that measures a GPU elsewhere: Node, this package as it is built, Dawn, the Vulkan loader,
 * koffi, by which CUDA's driver is called, reference files, and a script that needs nothing of the machine but a driver.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";
import { findVulkan } from "../../runtime/node/vulkan.ts";
import { kinds } from "../../verify/kinds.ts";
import { openReference } from "../../verify/reference.ts";
import { type Library, leastGlibc, librariesOf } from "./libraries.ts";
import { root } from "./place.ts";
import { readmeText, runScript } from "./script.ts";

/** What the archive may take. */
export const most = 64 * 2 ** 20;

/** What NVIDIA's driver opens for windows that nobody sees; bare machines lack them. */
const forWindows = ["libX11.so.6", "libXext.so.6"] as const;

/**
 * Makes the folder, and an archive of it beside it.
 * @throws E241 for a folder that holds other things, E402 without a Vulkan loader, E520 where this
 * machine is another kind or lacks a tool.
 */
export async function pack(to: string, print: (text: string) => void): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw diagnose("E520", {
      message: `packs are for x86-64 Linux and made there, not on ${process.platform}-${process.arch}`,
      help: "pack on such a machine",
    });
  const folder = resolve(to);
  clear(folder);
  const at = (...path: string[]) => {
    const full = join(folder, ...path);
    mkdirSync(dirname(full), { recursive: true });
    return full;
  };
  copyBinary(realpathSync(process.execPath), at("bin", "node"));
  copyDawn(at);
  copyKoffi(at);
  const binaries = [at("bin", "node"), dawnIn(folder)];
  binaries.push(...copyLibraries(binaries, at, print));
  copyOurs(at);
  await copyReferences(at);
  const glibc = leastGlibc(binaries);
  writeFileSync(at("run"), runScript(glibc));
  chmodSync(at("run"), 0o755);
  writeFileSync(at("README.txt"), readmeText(glibc));
  writeFileSync(at(marker), `${JSON.stringify(factsOf(glibc), null, 2)}\n`);
  archive(folder, print);
}

const marker = "pack.json";

function clear(folder: string): void {
  const holds = existsSync(folder) ? readdirSync(folder) : [];
  if (holds.length > 0 && !holds.includes(marker))
    throw diagnose("E241", {
      message: "the folder for a pack holds other files",
      where: folder,
      help: "give another folder, or an empty one",
    });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // First of all: what an attempt that failed has left may be replaced too.
  writeFileSync(join(folder, marker), "{}\n");
}

/** Without the symbols that only debuggers read, where the machine can take them out. */
function copyBinary(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, 0o755);
  try {
    execFileSync("strip", ["--strip-all", to], { stdio: "ignore" });
  } catch {
    // Larger, and as good.
    copyFileSync(from, to);
  }
}

type At = (...path: string[]) => string;

const dawnIn = (folder: string) =>
  join(folder, "node_modules", "webgpu", "dist", "linux-x64", "dawn.node");

/** Dawn, built for this kind of machine. */
function copyDawn(at: At): void {
  const from = folderOf("webgpu");
  for (const file of ["package.json", "index.js", "LICENSE.md"])
    copyFileSync(join(from, file), at("node_modules", "webgpu", file));
  const dawn = ["dist", "linux-x64", "dawn.node"];
  copyBinary(join(from, ...dawn), at("node_modules", "webgpu", ...dawn));
}

/** What koffi loads on this kind of machine, without its sources. */
function copyKoffi(at: At): void {
  const from = folderOf("koffi");
  for (const file of ["package.json", "index.js", "index.cjs", "LICENSE.txt", "src/koffi"])
    cpSync(join(from, file), at("node_modules", "koffi", file), {
      recursive: true,
      filter: (path) => !/\.(?:cc|hh|S|asm)$/.test(path),
    });
  const built = ["@koromix", "koffi-linux-x64"];
  for (const file of ["package.json", "index.js"])
    copyFileSync(join(from, "..", ...built, file), at("node_modules", ...built, file));
  const binary = ["linux_x64", "koffi.node"];
  copyBinary(join(from, "..", ...built, ...binary), at("node_modules", ...built, ...binary));
}

const folderOf = (name: string): string =>
  packageFolder(dirname(createRequire(import.meta.url).resolve(name)));

function packageFolder(folder: string): string {
  return existsSync(join(folder, "package.json")) ? folder : packageFolder(dirname(folder));
}

/** @returns the Vulkan loader's copy. */
function copyLibraries(
  binaries: readonly string[],
  at: At,
  print: (text: string) => void,
): string[] {
  const [loader] = findVulkan().loaders;
  if (loader === undefined)
    throw diagnose("E402", {
      message: "there is no Vulkan loader (libvulkan.so.1) to pack",
      help: "on Debian and Ubuntu: sudo apt-get install libvulkan1",
    });
  const vulkan: Library = { name: "libvulkan.so.1", path: loader, of: "others" };
  const needed = [vulkan, ...[...binaries, loader].flatMap(librariesOf)];
  for (const { name, path, of } of needed)
    copyFileSync(path, at("lib", of === "compiler" ? "compiler" : "base", name));
  const beside = dirname(loader);
  for (const name of forWindows) {
    const path = join(beside, name);
    if (!existsSync(path)) {
      print(`${name} is not here: a machine whose driver needs it must have it`);
      continue;
    }
    for (const one of [{ name, path }, ...librariesOf(path)])
      copyFileSync(one.path, at("lib", "x11", one.name));
  }
  return [at("lib", "base", vulkan.name)];
}

/** The package as it is built, without what only editors and debuggers read. */
function copyOurs(at: At): void {
  cpSync(join(root, "dist"), at("dist"), {
    recursive: true,
    filter: (path) => !/\.(?:d\.ts|map)$|[/\\]\.built$/.test(path),
  });
  for (const file of [["package.json"], ["LICENSE"], ["bench", "gpu", "torch_times.py"]])
    copyFileSync(join(root, ...file), at(...file));
}

/** Reference files of the kinds that are checked, and the weights that they name. */
async function copyReferences(at: At): Promise<void> {
  const fixtures = join(root, "test", "fixtures");
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith(".safetensors"))) {
    const reference = await openReference(join(fixtures, file));
    const { kind = "", weights } = reference.metadata;
    await reference.close();
    if (!Object.hasOwn(kinds, kind)) continue;
    for (const name of [file, ...(weights === undefined ? [] : [basename(weights)])])
      copyFileSync(join(fixtures, name), at("test", "fixtures", name));
  }
}

const factsOf = (glibc: string) => ({
  format: "inarch gpu pack 1",
  made: new Date().toISOString(),
  node: process.versions.node,
  glibc,
});

function archive(folder: string, print: (text: string) => void): void {
  const file = `${folder}.tar.gz`;
  try {
    execFileSync("tar", ["-czf", file, "-C", dirname(folder), basename(folder)]);
  } catch (cause) {
    throw diagnose("E520", {
      message: `tar cannot make ${file}: ${(cause as Error).message.split("\n")[0]}`,
      help: "the folder is ready: carry it as it is",
      cause,
    });
  }
  const { size } = statSync(file);
  print(`${folder}: ${mebibytes(sizeOf(folder))}`);
  print(`${file}: ${mebibytes(size)}`);
  if (size > most)
    throw diagnose("E520", {
      message: `${file} is larger than ${mebibytes(most)}`,
      help: "install strip (binutils), which takes a third out of Node, then pack again",
    });
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const sizeOf = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
