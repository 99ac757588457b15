/** The results as Markdown: one table against peers, one of what adapters and training cost. */
import type { Compared, Ratio, Results } from "./results.ts";

export function asMarkdown(results: Results): string {
  const { machine, comparisons } = results;
  const of = (against: Compared["against"]) => comparisons.filter((c) => c.against === against);
  const versions = Object.entries(machine.versions).map(([name, v]) => `${name} ${v}`);
  return [
    "# Measured",
    "",
    `${machine.processor}, ${machine.cores} cores, ${machine.memory}, ${machine.system}; device: ${machine.device}.`,
    `${versions.join(", ")}. ${machine.date}, \`${machine.command}\`.`,
    "",
    "Times are medians, from inputs on the host to results on the host. Ratios are medians of ratios within",
    "rounds, with 95 % intervals (or as much as few rounds can give, as said). A/A is the same program of ours",
    "twice: what ratios do when nothing differs.",
    ...section("Against others", againstPeers, of("peers")),
    ...section("What it costs", againstItself, of("itself")),
    "",
  ].join("\n");
}

interface Columns {
  readonly intro: string;
  readonly head: readonly string[];
  readonly cells: (compared: Compared, row: Ratio) => readonly string[];
}

const againstPeers: Columns = {
  intro: "A ratio above 1 means that inarch is faster.",
  head: ["what", "inarch", "peer", "its time", "peer / inarch", "A/A", "inarch is", "difference"],
  cells: (compared, row) => [
    compared.name,
    time(row.toMilliseconds),
    row.of,
    time(row.ofMilliseconds),
    interval(row),
    compared.same ? interval(compared.same) : "",
    verdict(row),
    differenceOf(compared, row.of),
  ],
};

const againstItself: Columns = {
  intro: "A ratio of 1 means that it costs nothing.",
  head: ["what", "time", "against", "its time", "ratio", "A/A", "difference"],
  cells: (compared, row) => [
    row.of,
    time(row.ofMilliseconds),
    row.to,
    time(row.toMilliseconds),
    interval(row),
    compared.same ? interval(compared.same) : "",
    differenceOf(compared, row.of),
  ],
};

function section(title: string, columns: Columns, comparisons: readonly Compared[]): string[] {
  if (comparisons.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const { intro, head, cells } = columns;
  return [
    "",
    `## ${title}`,
    "",
    intro,
    "",
    line(head),
    line(head.map(() => "---")),
    ...comparisons.flatMap((c) => c.rows.map((row) => line(cells(c, row)))),
    "",
    ...comparisons.flatMap(notesOf),
  ];
}

function notesOf(compared: Compared): string[] {
  const { name, note, rounds, idleCores, same, rows, failures, facts } = compared;
  const told = Object.entries(facts).filter(([who]) => who !== same?.of);
  const coverage = rows[0]?.coverage ?? same?.coverage ?? 1;
  const sure = coverage < 0.95 ? `, intervals of ${(100 * coverage).toFixed(1)} %` : "";
  const busy =
    idleCores > 0.05 ? ` A process used ${idleCores} cores while others were measured.` : "";
  return [
    `- ${name}: ${rounds} rounds${sure}.${note ? ` ${note}` : ""}${busy}`,
    ...told.map(([who, words]) => `  - ${who} (${words})`),
    ...failures.map((f) => `  - ${f.name} gave no result: ${f.reason}`),
  ];
}

export const time = (milliseconds: number): string =>
  milliseconds >= 1000
    ? `${(milliseconds / 1000).toFixed(2)} s`
    : `${milliseconds.toFixed(milliseconds >= 100 ? 0 : 1)} ms`;

const interval = ({ median, low, high }: Ratio) =>
  `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;

/** Only what the whole interval says. */
export const verdict = ({ low, high }: Ratio): string =>
  low > 1 ? "faster" : high < 1 ? "**slower**" : "neither";

function differenceOf({ agreements }: Compared, name: string): string {
  const found = agreements.find((a) => a.of === name || a.to === name);
  if (!found) return "";
  return found.agrees ? `${found.difference}` : `**${found.difference}**`;
}
