/**
 * `npm run bench -- gpu [--out FOLDER] [--only NAME]... [--minutes N] [--list]`: what can be learnt of
 * a GPU in ten minutes, on this machine: whether every op and model is right on it, the fastest tiles,
 * and the times of products, attention, SAM's encoders and training steps, beside PyTorch where it is
 * installed. Writes results.jsonl as it goes, and results.md at the end, to out/gpu/. Ends with 1 where
 * something was wrong, with 3 without a device.
 *
 * `npm run bench -- gpu --pack FOLDER` makes a folder that does the same on a bare x86-64 Linux machine
 * with a GPU's driver and no network, and FOLDER.tar.gz of it. There:
 *
 *     tar -xzf FOLDER.tar.gz && FOLDER/run
 *
 * On a machine that is lent for a few minutes and gives back the files in $OUT, the archive carried along
 * as out/pack.tar.gz, one command does all, and what it was doing when its time is over is not lost:
 *
 *     mkdir /tmp/inarch && tar -xzf out/pack.tar.gz -C /tmp/inarch && /tmp/inarch/pack/run --out "$OUT" --minutes 9
 *
 * A second one, with what is left of the time, does a part again: `run --out "$OUT" --only matmul --only encoders`.
 * What is given to --out already keeps what other parts found.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { diagnose, InarchError } from "../diagnostics/index.ts";
import { pack } from "./gpu/pack.ts";
import { runPart, type Scale } from "./gpu/part.ts";
import { parts } from "./gpu/parts/index.ts";
import { root } from "./gpu/place.ts";
import { runAll } from "./gpu/run.ts";

const flags = parse();
try {
  if (flags.part !== undefined) await runOne(flags.part);
  else if (flags.list) for (const { name, about } of parts) console.log(`${name}: ${about}`);
  else if (flags.pack !== undefined) await pack(flags.pack, console.log);
  else await measure();
} catch (cause) {
  if (!(cause instanceof InarchError)) throw cause;
  console.error(cause.message);
  process.exitCode = cause.kind === "environment" ? 3 : 1;
}
// Dawn may keep the process alive.
process.exit();

async function measure(): Promise<void> {
  const { minutes, only } = flags;
  process.exitCode = await runAll({
    out: flags.out ?? join(root, "out", "gpu"),
    ...{ minutes: minutes === undefined ? undefined : Number(minutes), only },
    print: console.log,
  });
}

/** What the watching process starts. */
async function runOne(name: string): Promise<void> {
  const part = parts.find((one) => one.name === name);
  if (!part || "group" in part) throw misused(`there is no part "${name}"`);
  const { skip = "0", scale = "small", out = "." } = flags;
  await runPart(part, { scale: scale as Scale, out, skip: Number(skip) });
}

function parse() {
  try {
    const { values } = parseArgs({
      options: {
        ...{
          pack: { type: "string" },
          out: { type: "string" },
          only: { type: "string", multiple: true },
        },
        ...{ minutes: { type: "string" }, list: { type: "boolean", default: false } },
        ...{ part: { type: "string" }, skip: { type: "string" }, scale: { type: "string" } },
      },
    });
    const { minutes, only = [] } = values;
    const unknown = only.find((words) => !parts.some(({ name }) => name.includes(words)));
    if (unknown !== undefined)
      throw misused(`no part's name holds --only "${unknown}": --list has them`);
    if (minutes !== undefined && !(Number(minutes) > 0))
      throw misused(`--minutes cannot be "${minutes}"`);
    return values;
  } catch (cause) {
    console.error(
      cause instanceof InarchError ? cause.message : misused((cause as Error).message).message,
    );
    process.exit(1);
  }
}

function misused(message: string) {
  return diagnose("E370", {
    message,
    where: "bench gpu",
    help: "npm run bench -- gpu [--out FOLDER] [--only NAME]... [--minutes N] [--list] [--pack FOLDER]",
  });
}
