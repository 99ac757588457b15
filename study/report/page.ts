/** The report of a run: one HTML file that asks nothing of any network. */
import { formatBytes } from "../../diagnostics/bytes.ts";
import { type Html, html, nothing, trusted } from "../../explain/html.ts";
import { style } from "../../explain/style.ts";
import type { StepLine, ValidationLine } from "../train/log.ts";
import type { Validation } from "../train/scores.ts";
import { type Curve, chart, short } from "./chart.ts";
import type { DrawnPicture, ReportFacts } from "./facts.ts";
import { reportStyle } from "./style.ts";
import { confusionTable, distanceTable, expertTable } from "./tables.ts";
import { wordsOfMetric } from "./words.ts";

/** The text of the file. Every name in it is escaped, and it has no script. */
export function reportPage(facts: ReportFacts): string {
  const { settings, pictures, ended } = facts;
  const title = `${settings.method} on ${pictures.train} pictures`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const ends = {
    steps: "",
    patience: ", ended for want of anything better",
    time: ", ended by the time",
  };
  const page = html`<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="${policy}" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>${title}: a run of inarch train</title>
<style>${trusted(style)}${trusted(reportStyle)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p class="lead">${stepsOf(facts)} steps${ends[ended]}, ${pictures.validation} pictures held out.</p>
${cards(facts)}
${curves(facts)}
${scores(facts)}
${shown("Best", facts.drawn.best, facts.rank)}
${shown("Worst", facts.drawn.worst, facts.rank)}
${confusionTable(facts)}
${expertTable(facts)}
${distanceTable(facts)}
${cost(facts)}
</main>
<footer>Written by inarch train.</footer>
</body>
</html>`;
  return `<!doctype html>\n${page.markup}\n`;
}

const said = (value: number | null | undefined) =>
  value === null || value === undefined ? "undefined" : value.toFixed(4);

const stepsOf = ({ log }: ReportFacts) => log.at(-1)?.step ?? 0;

function cards({ settings, best, before, parameters, bytes, starts, classes }: ReportFacts): Html {
  const seconds = starts.reduce((sum, start) => sum + start.seconds, 0);
  const steps = starts.reduce((sum, { from, to }) => sum + to - from, 0);
  const mean = classes.length > 2 && settings.metric === "iou" ? "mean " : "";
  const card = (name: string, value: string, note: string) =>
    html`<div><dt>${name}</dt><dd class="value">${value}</dd><dd class="note">${note}</dd></div>`;
  return html`<dl class="cards">
${card(`${mean}${wordsOfMetric(settings.metric)}`, said(best.score), `after ${best.step} steps; ${said(before.score)} before the first`)}
${card("trained", parameters.trained.toLocaleString("en-US"), `parameters, ${((100 * parameters.trained) / parameters.all).toFixed(2)} % of ${parameters.all.toLocaleString("en-US")}`)}
${card("time", timeOf(seconds), `of steps and validations; ${short((settings.batch * steps) / seconds)} pictures a second`)}
${card("device memory", formatBytes(bytes), starts.at(-1)?.device ?? "")}
</dl>`;
}

function timeOf(seconds: number): string {
  if (seconds < 120) return `${seconds.toFixed(0)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function curves({ log, settings }: ReportFacts): Html {
  const steps = log.filter((line): line is StepLine => "loss" in line);
  const checks = log.filter((line): line is ValidationLine => "validation" in line);
  const ofSteps = (name: string, value: (line: StepLine) => number | undefined): Curve => ({
    name,
    points: steps.map((line) => [line.step, value(line) ?? Number.NaN] as const),
  });
  const ofChecks = (name: string, value: (v: Validation) => number | null | undefined): Curve => ({
    name,
    points: checks.map(({ step, validation }) => [step, value(validation) ?? Number.NaN] as const),
    isSparse: true,
  });
  const metrics = chartsOf(settings.metric, checks[0]?.validation.metrics ?? {});
  const terms = [...new Set(steps.flatMap((line) => Object.keys(line.terms)))];
  return html`<h2>Curves</h2><div class="charts">
${chart("Loss", [ofSteps("training", lossOf(terms, checks)), ofChecks("validation", (v) => v.loss)])}
${metrics.map(([title, names]) =>
  chart(
    title,
    names.map((name) =>
      ofChecks(names.length > 1 ? wordsOfMetric(name) : "validation", (v) => v.metrics[name]),
    ),
  ),
)}
${
  terms.length > 1
    ? chart(
        "Terms of the loss",
        terms.map((name) => ofSteps(name, (line) => line.terms[name])),
      )
    : nothing
}
${chart("Learning rate", [ofSteps("rate", (line) => line.rate)])}
${chart("Norm of the gradients", [ofSteps("norm", (line) => line.norm)])}
</div>`;
}

/** Of several tasks the loss is theirs, as on validation: what adapters add, and may be much larger, is a term alone. */
function lossOf(terms: readonly string[], [first]: readonly ValidationLine[]) {
  const names = Object.keys(first?.validation.metrics ?? {}).map((name) => name.split("/")[0]!);
  const own = terms.filter((term) => names.includes(term));
  return ({ loss, terms: of }: StepLine) =>
    own.length === 0 ? loss : own.reduce((sum, term) => sum + (of[term] ?? 0), 0);
}

/** Titles and metrics of the charts: what the best is chosen by, with the IoU; of several tasks the first of each. */
function chartsOf(metric: string, metrics: Validation["metrics"]): [string, string[]][] {
  const firsts = new Map(
    Object.keys(metrics)
      .filter((name) => name.includes("/"))
      .map((name) => [name.split("/")[0]!, name] as const)
      .reverse(),
  );
  if (firsts.size > 0)
    return [...firsts.values()]
      .reverse()
      .map((name): [string, string[]] => [wordsOfMetric(name), [name]]);
  return [[wordsOfMetric(metric), [metric, ...(metric === "iou" ? [] : ["iou"])]]];
}

function scores({ before, best, last, classes }: ReportFacts): Html {
  const columns = [before, best, last];
  const names = Object.keys(best.metrics);
  const row = (name: string, value: (v: Validation) => number | null | undefined) =>
    html`<tr><th scope="row">${name}</th>${columns.map((v) => html`<td>${said(value(v))}</td>`)}</tr>`;
  const overall = classes.length > 2 ? "mean IoU" : "IoU";
  const rows = [
    ...names.map((name) =>
      row(name === "iou" ? overall : wordsOfMetric(name), (v) => v.metrics[name]),
    ),
    ...(classes.length > 0 ? [row("accuracy", (v) => v.accuracy)] : []),
    ...Object.keys(best.iou).map((name) =>
      row(`IoU of ${name.split("/").reverse().join(" of ")}`, (v) => v.iou[name]),
    ),
  ];
  return html`<h2>Scores</h2><p class="quiet">On the pictures that are held out. What is not defined, such as the IoU of a class that is neither there nor found, is in no mean.</p>
<div class="wide"><table><thead><tr><th></th><th>before</th><th>best, after ${best.step}</th><th>last</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function shown(which: string, pictures: readonly DrawnPicture[], rank: string): Html {
  if (pictures.length === 0) return nothing;
  const image = (bytes: Uint8Array, { width, height }: DrawnPicture, what: string) =>
    html`<div><img alt="${what}" style="aspect-ratio: ${width} / ${height}" src="data:image/jpeg;base64,${Buffer.from(bytes).toString("base64")}" /><span>${what}</span></div>`;
  const pairsOf = (one: DrawnPicture) =>
    one.pairs.map(({ task, truth, found }) => {
      const of = one.pairs.length > 1 ? `${task}: ` : "";
      return html`<div class="pair">${image(truth, one, `${of}what is true`)}${image(found, one, `${of}what was found`)}</div>`;
    });
  const all = pictures.map(
    (one) =>
      html`<figure class="shown"><figcaption>${one.name} · ${rank} ${said(one.score)}</figcaption>
${pairsOf(one)}</figure>`,
  );
  return html`<h2>${which} pictures</h2><div class="pictures">${all}</div>`;
}

function cost({ settings, parts, starts }: ReportFacts): Html {
  const entries = Object.entries(settings).map(([name, value]) => [
    name,
    typeof value === "object" ? JSON.stringify(value) : String(value),
  ]);
  const trained = Object.entries(parts).map(
    ([name, count]) =>
      html`<tr><th scope="row">${name}</th><td>${count.toLocaleString("en-US")}</td></tr>`,
  );
  const times = starts.map(
    ({ device, from, to, seconds, setUp, memory }) =>
      html`<tr><th scope="row">${from} to ${to}</th><td>${timeOf(setUp)}</td><td>${timeOf(seconds)}</td><td>${formatBytes(memory)}</td><td>${device}</td></tr>`,
  );
  return html`<h2>What trained</h2><div class="wide"><table><thead><tr><th>part</th><th>parameters</th></tr></thead><tbody>${trained}</tbody></table></div>
<h2>What it cost</h2><div class="wide"><table><thead><tr><th>steps</th><th>set-up</th><th>steps and validations</th><th>process memory</th><th>device</th></tr></thead><tbody>${times}</tbody></table></div>
<h2>Settings</h2><dl class="settings">${entries.map(([name, value]) => html`<div><dt>${name!}</dt><dd>${value!}</dd></div>`)}</dl>`;
}
