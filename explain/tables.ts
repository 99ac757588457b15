/** Tables: every region with its work, bytes and time, and what did not melt. */
import { formatBytes } from "../diagnostics/bytes.ts";
import type { ProgramFacts, RegionFacts, TensorFacts } from "./facts.ts";
import { type Html, html, nothing, shorten } from "./html.ts";
import type { Measured } from "./measure.ts";
import { digits, formatCount, formatTime, percent } from "./quantities.ts";
import type { Weighing } from "./weighing.ts";

interface Column {
  readonly title: string;
  readonly hint: string;
  /** What rows are sorted by. */
  readonly value: (region: RegionFacts) => string | number;
  readonly cell: (region: RegionFacts) => Html | string;
  /** Draws a bar behind the cell: a part of the largest. */
  readonly bar?: boolean;
}

/** One row for each region, `ID-rN`, to be sorted by any column. */
export function regionsTable(
  id: string,
  facts: ProgramFacts,
  measured: Measured | undefined,
  weighing: Weighing,
): Html {
  const columns = columnsOf(id, facts, measured, weighing);
  const head = columns.map(({ title, hint, value }) => {
    const kind = typeof value(facts.regions[0]!) === "number" ? "n" : "t";
    return html`<th scope="col" class="${kind}" title="${hint}"><button type="button">${title}</button></th>`;
  });
  const largest = columns.map(({ bar, value }) =>
    bar ? Math.max(...facts.regions.map((r) => Number(value(r)))) : 0,
  );
  const rows = facts.regions.map((region) => {
    const cells = columns.map(({ value, cell, bar }, i) => {
      const sortable = value(region);
      const kind = typeof sortable === "number" ? (bar ? "n bar" : "n") : "t";
      const part = percent(Number(sortable), largest[i]!);
      const style = bar ? html` style="--part:${part}"` : nothing;
      return html`<td class="${kind}" data-sort="${sortable}"${style}>${cell(region)}</td>`;
    });
    return html`<tr id="${id}-r${region.step}">${cells}</tr>`;
  });
  return html`<div class="scroll"><table class="sortable"><thead><tr>${head}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function columnsOf(
  id: string,
  { blocks, kernels }: ProgramFacts,
  measured: Measured | undefined,
  weighing: Weighing,
): Column[] {
  const blockOf = blocks.flatMap((b) => new Array<string>(b.end - b.first).fill(b.name));
  const intensity = ({ work }: RegionFacts) => work.multiplications / Math.max(1, work.bytes);
  const counted: Column[] = [
    {
      title: "step",
      hint: "In which order regions run",
      value: (r) => r.step,
      cell: (r) => `${r.step}`,
    },
    {
      title: "region",
      hint: "The anchor, and what melted into it",
      value: (r) => r.title,
      cell: (r) => regionCell(r, weighing.hueOf(r.op)),
    },
    {
      title: "block",
      hint: "The module whose parameters it reads",
      value: (r) => blockOf[r.step]!,
      cell: (r) => html`<span title="${blockOf[r.step]!}">${shorten(blockOf[r.step]!, 32)}</span>`,
    },
    {
      title: "kernel",
      hint: "Regions that compute the same share one",
      value: (r) => kernels[r.kernel]!.name,
      cell: (r) => html`<a href="#${id}-k${r.kernel}">${shorten(kernels[r.kernel]!.name, 30)}</a>`,
    },
    {
      title: "work",
      hint: "Multiplications, with what melted in as often as it is computed",
      value: (r) => r.work.multiplications,
      cell: (r) => formatCount(r.work.multiplications),
      bar: true,
    },
    {
      title: "bytes",
      hint: "Each tensor that it reads or writes, once",
      value: (r) => r.work.bytes,
      cell: (r) => formatBytes(r.work.bytes),
      bar: true,
    },
    {
      title: "intensity",
      hint: "Multiplications for each byte that must be moved",
      value: intensity,
      cell: (r) => digits(intensity(r)),
    },
  ];
  return measured ? [...counted, ...timeColumns(measured.steps)] : counted;
}

function timeColumns(times: readonly number[]): Column[] {
  const rate = (amount: number, step: number) =>
    times[step]! > 0 ? amount / times[step]! / 1e6 : 0;
  return [
    {
      title: "time",
      hint: "Measured by the device's timestamps",
      value: (r) => times[r.step]!,
      cell: (r) => formatTime(times[r.step]!),
      bar: true,
    },
    {
      title: "Gmul/s",
      hint: "Billions of multiplications a second; GFLOP/s are twice as many",
      value: (r) => rate(r.work.multiplications, r.step),
      cell: (r) => digits(rate(r.work.multiplications, r.step)),
    },
    {
      title: "GB/s",
      hint: "Bytes that must be moved, a second",
      value: (r) => rate(r.work.bytes, r.step),
      cell: (r) => digits(rate(r.work.bytes, r.step)),
    },
  ];
}

function regionCell(region: RegionFacts, hue: string): Html {
  const { title, op, melted, reads, writes, groups, place, work } = region;
  const typed = (t: TensorFacts) =>
    `${t.name} ${t.type}${t.output === undefined ? "" : `, returned as ${t.output}`}`;
  const listed = (what: string, list: readonly string[]) =>
    list.length === 0 ? [] : [html`<dt>${what}</dt><dd>${list.join("; ")}</dd>`];
  const counted = `${formatCount(work.anchor)} in the kernel, ${formatCount(work.melted)} melted in`;
  return html`<details><summary><span class="dot ${hue}"></span>${shorten(title, 40)}${title === op ? nothing : html` <span class="quiet">${op}</span>`}</summary>
<dl>${[
    ...listed("as views", melted.views),
    ...listed("in front", melted.front),
    ...listed("behind", melted.behind),
    ...listed("reads", reads.map(typed)),
    ...listed("writes", writes.map(typed)),
    ...listed("multiplications", [counted]),
    ...listed("workgroups", [groups]),
    ...listed("written at", place === undefined ? [] : [place]),
  ]}</dl></details>`;
}

/** What could have melted and did not, with the reason. */
export const reasonsTable = ({ reasons }: ProgramFacts): Html =>
  reasons.length === 0
    ? html`<p class="quiet">Everything that could melt into a neighbour did.</p>`
    : groupsTable(reasons, "reason");

/** The laws by which the graph was rewritten; nothing where none was of use. */
export const lawsTable = ({ laws }: ProgramFacts): Html =>
  laws.length === 0
    ? html`<p class="quiet">No law of algebra made anything of it cheaper.</p>`
    : groupsTable(laws, "law");

function groupsTable(groups: ProgramFacts["reasons"], what: string): Html {
  const text = (cell: string) => html`<td class="t" data-sort="${cell}">${cell}</td>`;
  // Of built-in models nothing has a place of the user's.
  const hasPlaces = groups.some(({ places }) => places.length > 0);
  const rows = groups.map(({ op, reason, nodes, places }) => {
    const count = html`<td class="n" data-sort="${nodes.length}">${nodes.length}</td>`;
    const names = html`<td class="t nodes" data-sort="${nodes[0]!}">${nodes.join(" ")}</td>`;
    const place = hasPlaces ? text(places.join(", ")) : nothing;
    return html`<tr>${[count, text(op), text(reason), names, place]}</tr>`;
  });
  const titles = ["times", "op", what, "nodes", ...(hasPlaces ? ["written at"] : [])];
  const head = titles.map((title, i) => {
    const kind = i === 0 ? "n" : "t";
    return html`<th scope="col" class="${kind}"><button type="button">${title}</button></th>`;
  });
  return html`<div class="scroll"><table class="sortable"><thead><tr>${head}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
