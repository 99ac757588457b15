/** The graph as SVG: blocks in an overview, and inside each block its regions. */
import { formatBytes } from "../diagnostics/bytes.ts";
import { blocksDiagram, type Diagram, type Flow, regionsDiagram, type Vertex } from "./diagram.ts";
import type { ProgramFacts, RegionFacts } from "./facts.ts";
import { type Html, html, shorten } from "./html.ts";
import { type Box, curve, layOut, type Point } from "./layout.ts";
import { formatCount } from "./quantities.ts";
import type { Weighing } from "./weighing.ts";

/** Pixels. */
const sizes = {
  block: { width: 216, height: 50 },
  region: { width: 204, height: 62 },
  end: { width: 168, height: 26 },
} as const satisfies Record<Vertex["kind"], Box>;

/** All blocks; each leads to its regions, `#ID-bN`. */
export const overviewSvg = (id: string, facts: ProgramFacts, weighing: Weighing): Html =>
  draw(blocksDiagram(facts), `The blocks of ${facts.program}`, (vertex, at) =>
    vertex.kind === "block" ? blockNode(id, facts, vertex.block, weighing, at) : html``,
  );

/** The regions of one block, with what comes in above and goes out below. */
export const blockSvg = (
  id: string,
  facts: ProgramFacts,
  block: number,
  weighing: Weighing,
): Html =>
  draw(
    regionsDiagram(facts, block),
    `The regions of ${facts.blocks[block]!.name}`,
    (vertex, at) => {
      switch (vertex.kind) {
        case "block":
          return html``;
        case "region":
          return regionNode(id, facts, vertex.region, weighing, at);
        case "end":
          return endNode(id, vertex.name, vertex.block, at);
      }
    },
  );

function draw(
  { vertices, flows }: Diagram,
  title: string,
  node: (vertex: Vertex, corner: Point) => Html,
): Html {
  const boxes = vertices.map((v) => sizes[v.kind]);
  const drawing = layOut(boxes, flows);
  const [width, height] = [Math.ceil(drawing.width), Math.ceil(drawing.height)];
  const nodes = vertices.map((vertex, i) => {
    const { x, y } = drawing.boxes[i]!;
    const corner = { x: x - boxes[i]!.width / 2, y: y - boxes[i]!.height / 2 };
    return node(vertex, { x: Number(corner.x.toFixed(1)), y: Number(corner.y.toFixed(1)) });
  });
  return html`<svg class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
${flows.map((flow, i) => flowPath(flow, drawing.edges[i]!))}
${nodes}
</svg>`;
}

/** The more bytes, the wider: from 1 pixel for a few to 5 for a gibibyte. */
function flowPath({ tensors }: Flow, points: readonly Point[]): Html {
  const bytes = tensors.reduce((sum, t) => sum + t.bytes, 0);
  const width = Math.max(1, Math.min(5, (Math.log2(bytes + 1) - 10) / 4)).toFixed(1);
  const words = tensors.map((t) => `${t.name} ${t.type}`).join(", ");
  return html`<path class="flow" d="${curve(points)}" stroke-width="${width}"><title>${shorten(words, 300)}: ${formatBytes(bytes)}</title></path>`;
}

function blockNode(
  id: string,
  facts: ProgramFacts,
  at: number,
  weighing: Weighing,
  { x, y }: Point,
): Html {
  const block = facts.blocks[at]!;
  const { width, height } = sizes.block;
  const inside = facts.regions.slice(block.first, block.end);
  const sum = (step: (r: RegionFacts) => number) => inside.reduce((s, r) => s + step(r), 0);
  const total = sum((r) => weighing.weights[r.step]!);
  const words = `${inside.length} ${inside.length === 1 ? "region" : "regions"} · ${weighing.format(total)}`;
  const scale = weighing.largestBlock > 0 ? (width - 24) / weighing.largestBlock : 0;
  let left = x + 12;
  const bars = inside.map((region) => {
    const wide = weighing.weights[region.step]! * scale;
    left += wide;
    return html`<rect class="${weighing.hueOf(region.op)}" x="${round(left - wide)}" y="${y + height - 9}" width="${round(wide)}" height="4"></rect>`;
  });
  return html`<a class="node" href="#${id}-b${at}" data-block="${id}-b${at}"><title>${block.name}: ${words}, ${formatCount(sum((r) => r.work.multiplications))} multiplications, ${formatBytes(sum((r) => r.work.bytes))} moved</title>
<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="7"></rect>
<text class="name" x="${x + 12}" y="${y + 19}">${shorten(block.name, 26)}</text>
<text class="words" x="${x + 12}" y="${y + 34}">${words}</text>
${bars}</a>`;
}

function regionNode(
  id: string,
  { kernels }: ProgramFacts,
  region: RegionFacts,
  weighing: Weighing,
  { x, y }: Point,
): Html {
  const { width, height } = sizes.region;
  const { step, op, title, melted, work, writes } = region;
  const weight = weighing.weights[step]!;
  const bar = weighing.largest > 0 ? ((width - 26) * weight) / weighing.largest : 0;
  const { arithmetic } = melted;
  const words = arithmetic.length > 0 ? `with ${arithmetic.join(", ")}` : "alone";
  const hue = weighing.hueOf(op);
  const shape = writes.map((t) => t.type).join(", ");
  return html`<a class="node" href="#${id}-r${step}"><title>step ${step}, ${kernels[region.kernel]!.name}: makes ${shape}; ${words}; ${weighing.format(weight)}, ${formatCount(work.multiplications)} multiplications, ${formatBytes(work.bytes)} moved</title>
<rect class="box" x="${x}" y="${y}" width="${width}" height="${height}" rx="7"></rect>
<rect class="${hue}" x="${x}" y="${y + 8}" width="4" height="${height - 16}" rx="2"></rect>
<text class="name" x="${x + 14}" y="${y + 18}">${shorten(title, 25)}</text>
<text class="words" x="${x + 14}" y="${y + 33}">${shorten(`${op} ${shape}`, 33)}</text>
<text class="words faint" x="${x + 14}" y="${y + 47}">${shorten(words, 33)}</text>
<rect class="${hue}" x="${x + 14}" y="${y + height - 9}" width="${round(bar)}" height="3"></rect></a>`;
}

function endNode(id: string, name: string, block: number | undefined, { x, y }: Point): Html {
  const { width, height } = sizes.end;
  const inside = html`<title>${name}</title>
<rect class="end" x="${x}" y="${y}" width="${width}" height="${height}" rx="13"></rect>
<text class="words" text-anchor="middle" x="${x + width / 2}" y="${y + 17}">${shorten(name, 26)}</text>`;
  return block === undefined
    ? html`<g>${inside}</g>`
    : html`<a class="node" href="#${id}-b${block}" data-block="${id}-b${block}">${inside}</a>`;
}

const round = (n: number) => Number(n.toFixed(1));
