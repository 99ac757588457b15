/** The arenas over time as SVG: each tensor a rectangle of its steps and its bytes. */
import { formatBytes } from "../diagnostics/bytes.ts";
import type { ArenaFacts, ArenaTensor } from "./arena-facts.ts";
import type { ProgramFacts } from "./facts.ts";
import { type Html, html } from "./html.ts";
import type { Weighing } from "./weighing.ts";

/** Pixels. */
const margin = { left: 74, right: 14, top: 22 } as const;
const heights = { arenas: 300, live: 110, gap: 40 } as const;

/** Arenas above, and below them the bytes that live at each step against arena and lower bound. */
export function arenaSvg(facts: ProgramFacts, weighing: Weighing): Html {
  const { arena, plan } = facts;
  if (arena.tensors.length === 0)
    return html`<p class="quiet">No result waits in scratch memory.</p>`;
  const steps = plan.steps.length;
  const wide = Math.max(1080, Math.min(2400, steps * 10));
  const across = (step: number) => round(margin.left + (step * wide) / steps);
  const down = heights.arenas / arena.bytes;
  const tops = new Map<number, number>();
  let y = margin.top;
  for (const { buffer, bytes } of arena.arenas) {
    tops.set(buffer, y);
    y += bytes * down + heights.gap;
  }
  const [width, height] = [margin.left + wide + margin.right, Math.ceil(y + heights.live + 26)];
  const frames = arena.arenas.map(({ buffer, bytes }, i) => {
    const top = round(tops.get(buffer)!);
    return html`<text class="words" x="${margin.left}" y="${round(top - 7)}">arena ${i}, ${formatBytes(bytes)}</text>
<rect class="frame" x="${margin.left}" y="${top}" width="${wide}" height="${round(bytes * down)}"></rect>`;
  });
  const rectangles = arena.tensors.map((tensor) => {
    const top = tops.get(tensor.buffer)! + tensor.offset * down;
    const right = across(Math.min(steps, tensor.last + 1));
    const hue = weighing.hueOf(facts.regions[tensor.first]!.op);
    return html`<rect class="tensor ${hue}" x="${across(tensor.first)}" y="${round(top)}" width="${round(right - across(tensor.first))}" height="${round(Math.max(0.7, tensor.bytes * down))}"><title>${describe(tensor, facts)}</title></rect>`;
  });
  return html`<svg class="arena" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Scratch memory over the steps of ${facts.program}">
${frames}
${rectangles}
${liveChart(arena, y, wide, across)}
</svg>`;
}

const describe = ({ name, type, offset, bytes, first, last }: ArenaTensor, facts: ProgramFacts) => {
  const { title } = facts.regions[first]!;
  const until = last >= facts.plan.steps.length ? "the end" : `step ${last}`;
  return `${name} ${type}, ${formatBytes(bytes)} at ${offset}: made by ${title} in step ${first}, lives until ${until}`;
};

function liveChart(
  { live, bytes, lowerBound }: ArenaFacts,
  top: number,
  wide: number,
  across: (step: number) => number,
): Html {
  const bottom = round(top + heights.live);
  const up = (amount: number) => round(bottom - (amount * heights.live) / Math.max(bytes, 1));
  const outline = live.map((amount, i) => `V${up(amount)}H${across(i + 1)}`).join("");
  const line = (kind: string, amount: number, words: string) =>
    html`<line class="${kind}" x1="${margin.left}" x2="${margin.left + wide}" y1="${up(amount)}" y2="${up(amount)}"><title>${words}: ${formatBytes(amount)}</title></line>`;
  const stride = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, live.length / 4))));
  const ticks = live.flatMap((_, i) =>
    i % stride === 0
      ? [html`<text class="words tick" x="${across(i)}" y="${bottom + 16}">${i}</text>`]
      : [],
  );
  return html`<text class="words" x="${margin.left}" y="${round(top - 7)}">bytes that live at each step; all arenas together (solid), and the most that live at once (dashed)</text>
<path class="live" d="M${margin.left} ${bottom}${outline}V${bottom}Z"></path>
${line("whole", bytes, "all arenas")}
${line("bound", lowerBound, "lower bound")}
<text class="words" text-anchor="end" x="${margin.left - 8}" y="${up(bytes) + 4}">${formatBytes(bytes)}</text>
<text class="words" text-anchor="end" x="${margin.left - 8}" y="${bottom + 4}">0</text>
<text class="words" text-anchor="end" x="${margin.left - 8}" y="${bottom + 16}">step</text>
${ticks}`;
}

const round = (n: number) => Number(n.toFixed(2));
