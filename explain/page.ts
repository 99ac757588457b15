/** The page as a whole: one HTML file that asks nothing of any network. */
import { createHash } from "node:crypto";
import { formatBytes } from "../diagnostics/bytes.ts";
import { arenaSvg } from "./arena.ts";
import type { ProgramFacts } from "./facts.ts";
import { blockSvg, overviewSvg } from "./graph.ts";
import { type Html, html, nothing, trusted } from "./html.ts";
import { kernelSections } from "./kernels.ts";
import type { Measured } from "./measure.ts";
import { digits, formatCount, formatTime, percent } from "./quantities.ts";
import { script } from "./script.ts";
import { style } from "./style.ts";
import { lawsTable, reasonsTable, regionsTable } from "./tables.ts";
import { type Weighing, weighingOf } from "./weighing.ts";

export interface PageFacts {
  readonly model: string;
  readonly doc: string | undefined;
  /** How the programs were compiled, in a sentence. */
  readonly settings: string;
  readonly programs: readonly ExplainedProgram[];
}

export interface ExplainedProgram {
  readonly facts: ProgramFacts;
  /** Times, or why there are none. */
  readonly measured: Measured | { readonly reason: string };
}

/** The text of the file. Every name in it is escaped; a policy forbids all scripts but its own. */
export function pageOf({ model, doc, settings, programs }: PageFacts): string {
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  const links = programs.map(
    ({ facts }, i) => html`<a href="#p${i}" data-program="p${i}">${facts.program}</a>`,
  );
  const sections = programs.map((program, i) => programSection(`p${i}`, program));
  const page = html`<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="${policy}" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>${model}: what inarch makes of it</title>
<style>${trusted(style)}</style>
</head>
<body>
<header><div><strong>${model}</strong><nav aria-label="Programs">${links}</nav><button type="button" id="theme">light or dark</button></div></header>
<main>
<h1>${model}</h1>
<p class="lead">${doc ?? "What the compiler makes of this model."}</p>
<p class="quiet">${settings}</p>
${sections}
</main>
<footer>Written by inarch explain. A multiplication is counted with the addition that goes with it; bytes are those that must move at least, each tensor of a region once.</footer>
<script>${trusted(script)}</script>
</body>
</html>`;
  return `<!doctype html>\n${page.markup}\n`;
}

function programSection(id: string, { facts, measured }: ExplainedProgram): Html {
  const times = "steps" in measured ? measured : undefined;
  const weighing = weighingOf(facts, times);
  const heaviest = facts.blocks.reduce(
    (best, { first, end }, i) => {
      const weight = weighing.weights.slice(first, end).reduce((a, b) => a + b, 0);
      return weight > best.weight ? { weight, i } : best;
    },
    { weight: -1, i: 0 },
  ).i;
  const blocks = facts.blocks.map(({ name }, i) => {
    const mark = i === heaviest ? html` data-heaviest="yes"` : nothing;
    return html`<div class="block" id="${id}-b${i}"${mark}><h3>${name}</h3>${blockSvg(id, facts, i, weighing)}</div>`;
  });
  return html`<section class="program" id="${id}">
<h2>Program ${facts.program}</h2>
${cards(facts, measured)}
${shares(weighing, times)}
<h2>The graph</h2>
<p>Blocks are modules, by the paths of their parameters; a region is one dispatch: an anchor and all that melted into it. Choose a block to see its regions; bars show ${times ? "measured time" : "counted multiplications"}.</p>
<div class="panes"><div class="pane overview">${overviewSvg(id, facts, weighing)}</div><div class="pane">${blocks}</div></div>
<h2>Where the work goes</h2>
<p>Every region in the order in which they run; a click on a heading sorts. Open a region to see what melted into it.</p>
${regionsTable(id, facts, times, weighing)}
<h2>What did not melt, and why</h2>
${reasonsTable(facts)}
<h2>What was rewritten</h2>
<p>Nodes that nobody wrote: laws of algebra put them in the place of others that cost more.</p>
${lawsTable(facts)}
<h2>Scratch memory over time</h2>
<p>Each rectangle is a result: as wide as it lives, as high as its bytes, in the colour of the op that makes it.</p>
<div class="scroll wide">${arenaSvg(facts, weighing)}</div>
<h2>Kernels</h2>
<p>Regions that compute the same share one kernel. Those that ${times ? "take most time" : "have most work"} come first.</p>
${kernelSections(id, facts, times)}
</section>`;
}

function cards(
  { plan, work, kernels, arena }: ProgramFacts,
  measured: ExplainedProgram["measured"],
) {
  const weights = plan.buffers.reduce((s, b) => s + (b.role === "weights" ? b.bytes : 0), 0);
  const above =
    arena.lowerBound > 0 ? (100 * (arena.bytes - arena.lowerBound)) / arena.lowerBound : 0;
  const meter = html`<div class="meter"><span style="--part:${percent(arena.lowerBound, arena.bytes)}"></span></div>`;
  return html`<dl class="cards">${[
    card("dispatches", `${work.dispatches}`, `of ${kernels.length} different kernels`),
    card(
      "multiplications",
      formatCount(work.multiplications),
      "with what melted, as often as computed",
    ),
    card(
      "bytes moved",
      formatBytes(work.bytes),
      `${digits(work.multiplications / Math.max(1, work.bytes))} multiplications a byte`,
    ),
    card("weights", formatBytes(weights), `${plan.parameters.length} parameters`),
    arena.bytes === 0
      ? card("scratch memory", "none", "no result waits for another step")
      : card(
          "scratch memory",
          formatBytes(arena.bytes),
          above > 0
            ? `${digits(above)} % above the ${formatBytes(arena.lowerBound)} that live at once`
            : "exactly what lives at once",
          meter,
        ),
    timeCard(work.multiplications, measured),
  ]}</dl>`;
}

const card = (name: string, value: string, note: string, more: Html = nothing): Html =>
  html`<div><dt>${name}</dt><dd class="value">${value}</dd><dd class="note">${note}</dd>${more.markup === "" ? nothing : html`<dd>${more}</dd>`}</div>`;

function timeCard(multiplications: number, measured: ExplainedProgram["measured"]): Html {
  if ("reason" in measured) return card("time", "—", `not measured: ${measured.reason}`);
  const { steps, runs, device } = measured;
  const total = steps.reduce((a, b) => a + b, 0);
  const rate = `${digits((2 * multiplications) / Math.max(total, 1e-9) / 1e6)} GFLOP/s on ${device}`;
  const how = runs === 1 ? "one run after another" : `median of ${runs} runs`;
  return card(
    "time",
    formatTime(total),
    `${rate}; ${how}, steps one at a time, weights and inputs made up`,
  );
}

/** How ops share the time or the work, which is also the legend of their colours. */
function shares({ ops, hueOf, format }: Weighing, measured: Measured | undefined): Html {
  const total = ops.reduce((sum, { weight }) => sum + weight, 0);
  const parts = ops.map(
    ({ op, weight }) =>
      html`<span class="${hueOf(op)}" style="--part:${percent(weight, total)}" title="${op}: ${format(weight)}"></span>`,
  );
  const legend = ops.map(
    ({ op, weight }) =>
      html`<li><span class="${hueOf(op)}"></span>${op} ${share(weight, total)}</li>`,
  );
  return html`<div class="shares" role="img" aria-label="${measured ? "Time" : "Multiplications"} by op">${parts}</div>
<ul class="legend">${legend}</ul>`;
}

function share(part: number, whole: number): string {
  const rounded = whole > 0 ? Math.round((100 * part) / whole) : 0;
  return rounded === 0 && part > 0 ? "< 1 %" : `${rounded} %`;
}
