/** What a run found, as Markdown: the device, what is wrong, times side by side, what was left out. */
import type { Line, Time } from "./lines.ts";

type Of<T extends Line["type"]> = Extract<Line, { readonly type: T }>;

const all = <T extends Line["type"]>(lines: readonly Line[], type: T): Of<T>[] =>
  lines.filter((line): line is Of<T> => line.type === type);

/** Whether everything that ran was right: what is left out for a reason is no fault. */
export const isGood = (lines: readonly Line[]): boolean =>
  all(lines, "failed").length === 0 && all(lines, "check").every((check) => check.passed);

export function asTable(lines: readonly Line[], { seconds }: { readonly seconds: number }): string {
  const [device] = all(lines, "device");
  return [
    "# Measured on one GPU",
    "",
    device
      ? `${device.name} (${device.kind}); ${Math.round(seconds)} s in all.`
      : "There is no device.",
    ...all(lines, "note").map(
      ({ part, item, text }) => `- ${part}${item ? `, ${item}` : ""}: ${text}`,
    ),
    ...checks(lines),
    ...times(lines),
    ...tiles(lines),
    ...kernels(lines),
    ...leftOut(lines),
    "",
  ].join("\n");
}

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const head = (cells: readonly string[]) => [row(cells), row(cells.map(() => "---"))];

function checks(lines: readonly Line[]): string[] {
  const found = all(lines, "check");
  const failed = all(lines, "failed");
  if (found.length + failed.length === 0) return [];
  const names = [...new Set([...found, ...failed].map(({ part }) => part))];
  return [
    ...["", "## Right and wrong", ""],
    ...head(["part", "right", "wrong", "ended"]),
    ...names.map((name) => {
      const own = found.filter(({ part }) => part === name);
      const right = own.filter(({ passed }) => passed).length;
      const ended = failed.filter(({ part }) => part === name).length;
      return row([name, `${right}`, strong(own.length - right), strong(ended)]);
    }),
    "",
    ...found
      .filter(({ passed }) => !passed)
      .map(
        ({ part, what, found: words, allowed }) =>
          `- wrong: ${part}: ${what}: ${words}${allowed ? ` (${allowed})` : ""}`,
      ),
    ...failed.map(({ part, what, reason }) => `- ended: ${part}: ${what}: ${reason}`),
  ];
}

const strong = (count: number) => (count === 0 ? "0" : `**${count}**`);

/** A problem's times lie together, its fastest first; ratios are to the fastest of the others. */
function times(lines: readonly Line[]): string[] {
  const found = all(lines, "time");
  if (found.length === 0) return [];
  const problems = grouped(found, ({ what }) => what);
  return [
    ...["", "## Times", ""],
    "Medians of many runs one after another on the device; the range in brackets.",
    "",
    ...head(["what", "by", "how", "time", "TFLOP/s", "there and back", "to the fastest", ""]),
    ...[...problems].flatMap(([what, own]) => {
      const sorted = own.toSorted((a, b) => a.milliseconds - b.milliseconds);
      const least = sorted[0]!.milliseconds;
      return sorted.map((time) => timeRow(what, time, least));
    }),
  ];
}

function timeRow(what: string, time: Time, least: number): string {
  const { system, how, milliseconds, low, high, teraflops, latency, note } = time;
  return row([
    what,
    system,
    how,
    `${digits(milliseconds)} ms [${digits(low)}, ${digits(high)}]`,
    teraflops === undefined ? "" : digits(teraflops),
    latency === undefined ? "" : `${digits(latency)} ms`,
    `${(milliseconds / least).toFixed(2)} x`,
    note ?? "",
  ]);
}

const digits = (value: number) =>
  value >= 1000 ? value.toFixed(0) : `${Number(value.toPrecision(3))}`;

function tiles(lines: readonly Line[]): string[] {
  const found = all(lines, "tile");
  if (found.length === 0) return [];
  return [
    ...["", "## Tiles", ""],
    ...head(["kernel", "fastest", "times as fast as the default", "noise", "time", "lost"]),
    ...found.map(({ what, tile, gain, noise, milliseconds, lost }) =>
      row([
        ...[escaped(what), tile, gain.toFixed(2), `${(100 * noise).toFixed(1)} %`],
        ...[`${digits(milliseconds)} ms`, escaped(lost.join("; "))],
      ]),
    ),
  ];
}

function kernels(lines: readonly Line[]): string[] {
  return all(lines, "kernels").flatMap(({ what, kernels: spent }) => [
    ...["", `## Where the time goes: ${what}`, ""],
    ...head(["kernel", "steps", "time"]),
    ...spent.map(({ kernel, count, milliseconds }) =>
      row([kernel, `${count}`, `${digits(milliseconds)} ms`]),
    ),
  ]);
}

function leftOut(lines: readonly Line[]): string[] {
  const found = all(lines, "left out");
  if (found.length === 0) return [];
  const reasons = grouped(found, ({ part, reason }) => `${part}: ${reason}`);
  return [
    ...["", "## Left out", ""],
    ...[...reasons].map(([words, own]) => `- ${words}: ${own.map(({ what }) => what).join("; ")}`),
  ];
}

function grouped<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}

/** A bar within a cell would end it. */
const escaped = (words: string) => words.replaceAll("|", "\\|");
