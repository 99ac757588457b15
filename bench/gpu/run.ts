/** A run: finds the driver, then one part after another, each watched, until the time is over. */
import {
  accessSync,
  appendFileSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import { diagnose } from "../../diagnostics/index.ts";
import { saveTo } from "../../runtime/node/save.ts";
import { chooseDriver, withLibraries } from "./driver.ts";
import type { Line } from "./lines.ts";
import type { Part, Scale } from "./part.ts";
import { device } from "./parts/device.ts";
import { parts } from "./parts/index.ts";
import { tuningFile } from "./parts/tuning.ts";
import { root } from "./place.ts";
import { sizes } from "./sizes.ts";
import { asTable, isGood } from "./table.ts";
import { findTorch, problems, pythons, script, type TorchPart } from "./torch.ts";
import { type Watched, watch } from "./watch.ts";

export interface RunOptions {
  /** The folder for results. */
  readonly out: string;
  /** Minutes that it may take: 10 on a GPU, 60 on a software device, unless given. */
  readonly minutes?: number | undefined;
  /** Runs the parts whose names hold one of these, and the first. */
  readonly only?: readonly string[] | undefined;
  readonly print: (text: string) => void;
}

/**
 * @returns the exit code: 0, 1 where something was wrong, 3 without a device. @throws E241 for a folder
 * that cannot be written, E409 for a driver that lacks a file.
 */
export async function runAll({ out, minutes, only, print }: RunOptions): Promise<number> {
  const begun = performance.now();
  const folder = openFolder(out);
  const write = (line: Line) => {
    lines.push(line);
    appendFileSync(folder.lines, `${JSON.stringify(line)}\n`);
    if (line.type === "check" && !line.passed) print(`  wrong: ${line.what}: ${line.found}`);
    if (line.type === "failed") print(`  ended: ${line.what}: ${line.reason}`);
  };
  const wanted = ({ name }: { readonly name: string }) =>
    name === device.name || only === undefined || only.some((words) => name.includes(words));
  // What other parts found before stays.
  const again = new Set(["run", ...parts.filter(wanted).map(({ name }) => name)]);
  if (only === undefined) rmSync(tuningFile(folder.path), { force: true });
  const lines = only === undefined ? [] : linesIn(folder.lines).filter((l) => !again.has(l.part));
  await saveTo(folder.lines, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const tell = (text: string) => write({ part: "run", type: "note", text });
  for (const text of machineWords()) tell(text);
  const environment = chooseDriver({
    ...{ environment: process.env, out: folder.path, spare: join(root, "lib", "x11"), tell },
  });
  let scale: Scale = "full";
  let until = begun + (minutes ?? 10) * 60_000;
  const torch = commandsOf(tell);
  for (const part of parts.filter(wanted)) {
    const command =
      "group" in part ? torch(part, scale) : ours(part, scale, environment, folder.path);
    if (typeof command === "string") {
      write({ part: part.name, type: "left out", what: part.name, reason: command });
      continue;
    }
    print(`${clock(begun)}  ${part.name}: ${part.about}`);
    const [seconds, item] = "group" in part ? part.seconds : part.seconds[scale];
    await watch(command, { part: seconds, item, until }, write);
    if (part !== device) continue;
    const found = lines.find((line) => line.type === "device");
    if (found?.type !== "device") break;
    print(found.name);
    if (found.kind === "software") {
      scale = "small";
      until = begun + (minutes ?? 60) * 60_000;
      tell("a software device: sizes are small, and full models are left out");
      const { models } = sizes.full;
      for (const { name } of models)
        write({ part: "run", type: "left out", what: name, reason: "the device is software" });
    }
  }
  const table = asTable(lines, { seconds: (performance.now() - begun) / 1000 });
  await saveTo(folder.table, table);
  print(table);
  print(`written to ${folder.lines} and ${folder.table}`);
  if (!lines.some((line) => line.type === "device")) return 3;
  return isGood(lines) ? 0 : 1;
}

const ours = ({ name }: Part, scale: Scale, env: NodeJS.ProcessEnv, out: string): Watched => ({
  // A software GPU is measured too: unasked, the processor would be taken in its place.
  ...{ part: name, file: process.execPath, env: { ...env, INARCH_DEVICE: "webgpu" } },
  args: (skip) => [
    process.argv[1]!,
    ...["--part", name, "--skip", String(skip), "--scale", scale, "--out", out],
  ],
});

function openFolder(path: string) {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw diagnose("E241", {
      message: "the folder for results cannot be written",
      where: path,
      help: "give another: --out FOLDER",
      cause,
    });
  }
  return { path, lines: join(path, "results.jsonl"), table: join(path, "results.md") };
}

/** What an earlier run left; a last line that was cut off is none. */
function linesIn(file: string): Line[] {
  if (!existsSync(file)) return [];
  const texts = readFileSync(file, "utf8").split("\n");
  return texts.slice(0, -1).map((text) => JSON.parse(text) as Line);
}

function machineWords(): string[] {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const dawn = createRequire(import.meta.url)("webgpu/package.json") as { version: string };
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  return [
    `inarch ${version}, Node ${process.versions.node}, Dawn of webgpu ${dawn.version}; ${new Date().toISOString()}`,
    `${processor}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
  ];
}

/** Commands for parts of PyTorch; words where there is none. It is looked for once, when it is needed. */
function commandsOf(tell: (text: string) => void) {
  let found: ReturnType<typeof findTorch> | undefined;
  // Our own libraries are not for others, and what they compile is no result.
  const folders = (process.env.LD_LIBRARY_PATH ?? "").split(delimiter);
  const others = folders.filter((folder) => folder !== "" && !folder.startsWith(root));
  const env = {
    ...withLibraries(process.env, others.join(delimiter)),
    TORCHINDUCTOR_CACHE_DIR: join(tmpdir(), "inarch-inductor"),
  };
  return ({ name, group }: TorchPart, scale: Scale): Watched | string => {
    if (scale === "small") return "the device is software";
    if (found === undefined) {
      found = findTorch(pythons(process.env), env);
      if (typeof found !== "string") tell(`PyTorch ${found.version} (${found.python})`);
    }
    if (typeof found === "string") return `no PyTorch: ${found}`;
    return {
      ...{ part: name, file: found.python, env },
      args: (skip) => [
        script,
        ...["--problems", problems(), "--group", group, "--skip", String(skip)],
      ],
    };
  };
}

function clock(begun: number): string {
  const seconds = Math.round((performance.now() - begun) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
