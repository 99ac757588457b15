/**
 * dist/: compiled again when any source is newer than the last build.
 *
 *   node scripts/build.mjs           the packages that it needs, and dist/
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join, relative, sep } from "node:path";
import { alone } from "./lock.mjs";
import { installPackages } from "./packages.mjs";
import { capture, main, root, SetupError, say } from "./processes.mjs";

const settings = ["package-lock.json", "tsconfig.json", "tsconfig.build.json"];
/** What is compiled: the list that the compiler reads. */
const folders = JSON.parse(readFileSync(join(root, "tsconfig.build.json"), "utf8")).include;
const dist = join(root, "dist");
const stamp = join(dist, ".built");

/**
 * Builds what is out of date.
 * @returns whether the sources compile, and what the compiler said about them where they do not.
 */
export async function build() {
  if (upToDate()) return { ok: true, output: "" };
  return alone(async () => {
    if (upToDate()) return { ok: true, output: "" };
    say("building dist");
    // The stamp gets the time of the start: what is saved during the build is newer than it.
    const started = new Date();
    removeOrphans();
    const { code, output } = await capture(process.execPath, [
      join(root, "node_modules", "typescript", "bin", "tsc"),
      "-p",
      "tsconfig.build.json",
    ]);
    // With errors the compiler still writes files, but the next run must try again.
    if (code !== 0) return { ok: false, output: output.trim() };
    mkdirSync(dist, { recursive: true });
    // What `npx inarch` runs.
    chmodSync(join(dist, "cli", "main.js"), 0o755);
    writeFileSync(stamp, "");
    utimesSync(stamp, started, started);
    return { ok: true, output: "" };
  });
}

function upToDate() {
  if (!existsSync(stamp)) return false;
  const built = statSync(stamp).mtimeMs;
  return entries().every((path) => statSync(path).mtimeMs < built);
}

/** Sources and their folders: a folder is newer when a file in it was removed. */
function entries() {
  const walk = (folder) => [
    folder,
    ...readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isDirectory() || entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name)),
  ];
  const present = folders
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder));
  return [...present.flatMap(walk), ...settings.map((file) => join(root, file))];
}

/** Removes what no source compiles to any more: nothing imports it, and no package holds it. */
function removeOrphans() {
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const output = join(entry.parentPath, entry.name);
    const name = relative(dist, output);
    const source = name.replace(/(?:\.d\.ts|\.js)$/, ".ts");
    const isCompiled = source !== name && folders.includes(name.split(sep, 1)[0]);
    if (!isCompiled || !existsSync(join(root, source))) rmSync(output, { force: true });
  }
}

async function buildFromCommandLine() {
  await installPackages();
  const { ok, output } = await build();
  if (!ok) throw new SetupError(`the sources do not compile:\n${output}`);
  return 0;
}

if (process.argv[1] === import.meta.filename) await main(buildFromCommandLine);
