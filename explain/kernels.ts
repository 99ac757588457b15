/** Every kernel once: what the compiler wrote, beside what each target makes of it. */

import type { PlanKernel } from "../compiler/plan.ts";
import { targetNamed } from "../compiler/targets/find.ts";
import { readable, type Target } from "../compiler/targets/target.ts";
import { formatBytes } from "../diagnostics/bytes.ts";
import type { KernelFacts, OtherText, ProgramFacts } from "./facts.ts";
import { type Html, html } from "./html.ts";
import type { Measured } from "./measure.ts";
import { formatCount, formatTime } from "./quantities.ts";

/** Kernels from the one that takes most on, `ID-kN`; by work where nothing was measured. */
export function kernelSections(
  id: string,
  facts: ProgramFacts,
  measured: Measured | undefined,
): Html {
  const target = targetNamed(facts.plan.target);
  const weigh = ({ steps }: KernelFacts, of: (step: number) => number) =>
    steps.reduce((sum, step) => sum + of(step), 0);
  const work = (step: number) => facts.work.regions[step]!.multiplications;
  const sections = facts.kernels.map((kernel, i) => {
    const count = weigh(kernel, work);
    const time = measured && weigh(kernel, (step) => measured.steps[step]!);
    const markup = kernelSection(`${id}-k${i}`, id, kernel, target, [
      `${formatCount(count)} multiplications`,
      ...(time === undefined ? [] : [formatTime(time)]),
    ]);
    return { markup, weight: time ?? count };
  });
  return html`${sections.sort((a, b) => b.weight - a.weight).map((s) => s.markup)}`;
}

function kernelSection(
  anchor: string,
  id: string,
  { name, steps, ir, texts, others }: KernelFacts,
  target: Target,
  totals: readonly string[],
): Html {
  const { threads, sharedBytes, subgroup } = texts[0]!;
  const words = [
    `${steps.length} ${steps.length === 1 ? "step" : "steps"}`,
    ...totals,
    `${threads.join(" × ")} threads`,
    ...(sharedBytes > 0 ? [`${formatBytes(sharedBytes)} shared`] : []),
    ...(subgroup > 0 ? [`subgroups of ${subgroup}`] : []),
  ];
  const users = steps.map((step) => html`<a href="#${id}-r${step}">${step}</a>`);
  return html`<details class="kernel" id="${anchor}"><summary><code>${name}</code> <span class="quiet">${words.join(" · ")}</span></summary>
<p class="quiet">Steps ${users}</p>
<div class="pair">
${figure("intermediate representation", "ir", ir)}
<div>${texts.map((text, i) => figure(titleOf(target, text, i, texts.length), target.name, readable(text.source)))}</div>
${others.map(otherFigure)}
</div></details>`;
}

/** One kernel has a text for each way in which its buffers are bound. */
const titleOf = ({ title }: Target, { params }: PlanKernel, i: number, all: number): string =>
  all === 1
    ? title
    : `${title}, ${i + 1} of ${all}: bound ${params.map((p) => (p.access === "read" ? "r" : "rw")).join(" ")}`;

const otherFigure = ({ target, ...text }: OtherText): Html =>
  "source" in text
    ? figure(target.title, target.name, readable(text.source))
    : html`<figure><figcaption>${target.title}</figcaption><p class="quiet">${text.reason}</p></figure>`;

const figure = (title: string, language: string, text: string): Html =>
  html`<figure><figcaption>${title}</figcaption><pre><code class="${language}">${text}</code></pre></figure>`;
