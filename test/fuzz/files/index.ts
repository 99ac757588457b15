/** Random damage to every file that inarch reads. */
import { InarchError } from "../../../diagnostics/index.ts";
import type { Device } from "../../../runtime/devices/device.ts";
import type { Kind } from "../kind.ts";
import { randomOf } from "../random.ts";
import {
  changed,
  type Damage,
  damaged,
  drawChange,
  drawDamage,
  type JsonChange,
  same,
} from "./damage.ts";
import { formatsOf } from "./formats.ts";
import type { Files, Format } from "./whole.ts";

interface FilesCase {
  readonly format: string;
  readonly seed: number;
  /** Drawn when the whole file is there: its size is not known before. */
  readonly only?: readonly number[];
}

interface Harm {
  readonly path: string;
  readonly damages: readonly Damage[];
  readonly changes: readonly JsonChange[];
}

/** Milliseconds of the processor: a file that takes more to be refused hangs. */
const tooLong = 10_000;

export function files(gpu: Device | undefined): Kind<FilesCase> {
  const formats = formatsOf(gpu);
  const names = Object.keys(formats);
  const notes = new Map<FilesCase, string>();
  return {
    name: "files",
    draw(seed) {
      const random = randomOf(seed);
      return { format: random.pick(names), seed: random.seed() };
    },
    async fault(drawn) {
      const format = formats[drawn.format]!;
      const whole = await format.files();
      const harm = harmOf(drawn, format, whole);
      notes.set(drawn, showHarm(harm));
      let hurt: Files;
      try {
        hurt = harmed(whole, harm, format);
      } catch {
        // What the writer itself cannot write is no file.
        return undefined;
      }
      if ([...hurt].every(([path, bytes]) => whole.has(path) && same(bytes, whole.get(path)!)))
        return undefined;
      const start = process.cpuUsage();
      const words = await outcome(format, hurt);
      const { user, system } = process.cpuUsage(start);
      const took = (user + system) / 1000;
      return (
        words ?? (took > tooLong ? `${drawn.format} took ${Math.round(took / 1000)} s` : undefined)
      );

      async function outcome(of: Format, given: Files): Promise<string | undefined> {
        try {
          await of.read(given);
        } catch (error) {
          if (error instanceof InarchError && error.code !== "E900") return undefined;
          const text =
            error instanceof Error
              ? `${error.name}: ${error.message.split("\n")[0]}`
              : String(error);
          const place =
            error instanceof Error
              ? (/\/((?:compiler|runtime|predict|training|build|formats)\/[\w./-]+:\d+)/.exec(
                  error.stack ?? "",
                )?.[1] ?? "")
              : "";
          return `${drawn.format}: no coded error, but ${text} at ${place}`;
        }
        return of.own
          ? `${drawn.format}: ${harm.path || "the file"} was damaged, and read without a word`
          : undefined;
      }
    },
    *smaller(drawn) {
      if (drawn.only)
        for (const n of drawn.only) yield { ...drawn, only: drawn.only.filter((m) => m !== n) };
      else for (const n of [0, 1, 2]) yield { ...drawn, only: [n] };
    },
    show: (drawn) => `// ${drawn.format}\n${notes.get(drawn) ?? ""}`,
    sameness: (words) => words.replace(/-?\d[\d.e+-]*/g, "#"),
    covered: ({ format }) => ({ formats: [format] }),
    all: { formats: names },
  };
}

function harmOf({ seed, only }: FilesCase, { share, json }: Format, whole: Files): Harm {
  const random = randomOf(seed);
  const path = random.pick([...whole.keys()]);
  const size = whole.get(path)!.length;
  const kept = <T>(list: readonly T[]) => (only ? list.filter((_, i) => only.includes(i)) : list);
  const count = random.pick([1, 1, 1, 2, 3]);
  if (json && (share === 1 || random.chance(0.6))) {
    const of = json.of(whole);
    return {
      path,
      damages: [],
      changes: kept(Array.from({ length: count }, () => drawChange(random, of))),
    };
  }
  return {
    path,
    changes: [],
    damages: kept(Array.from({ length: count }, () => drawDamage(random, size, share))),
  };
}

function harmed(whole: Files, { path, damages, changes }: Harm, { json }: Format): Files {
  if (changes.length > 0 && json) {
    let now = json.of(whole);
    for (const change of changes) now = changed(now, change);
    return json.put(whole, now);
  }
  let bytes = whole.get(path)!;
  for (const damage of damages) bytes = damaged(bytes, damage);
  return new Map([...whole, [path, bytes]]);
}

const showHarm = ({ path, damages, changes }: Harm): string =>
  [
    ...damages.map((d) => `${path || "the file"}: ${JSON.stringify(d)}`),
    ...changes.map(
      ({ path: at, to }) => `${at.join(".") || "all of it"} = ${JSON.stringify(to)?.slice(0, 120)}`,
    ),
  ].join("\n");
