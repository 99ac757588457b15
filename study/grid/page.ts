/** The report of a study: one HTML file that asks nothing of any network. */
import { type Html, html, nothing, trusted } from "../../explain/html.ts";
import { style } from "../../explain/style.ts";
import { type Curve, chart } from "../report/chart.ts";
import { reportStyle } from "../report/style.ts";
import { wordsOfMetric } from "../report/words.ts";
import { presets } from "../train/presets.ts";
import { type KnownInterval, type StudyRow, wordOf } from "./table.ts";

export interface StudyFacts {
  readonly rows: readonly StudyRow[];
  /** The metric by which the best of a run is chosen. */
  readonly metric: string;
  readonly preset: string | undefined;
  readonly seeds: readonly number[];
}

/** The text of the file. Every name in it is escaped, and it has no script. */
export function studyPage(facts: StudyFacts): string {
  const { rows, seeds, metric } = facts;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const done = rows.reduce((sum, row) => sum + row.seeds.length, 0);
  const all = rows.length * seeds.length;
  const page = html`<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="${policy}" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>A study of ${all} runs</title>
<style>${trusted(style)}${trusted(reportStyle)}</style>
</head>
<body>
<main>
<h1>A study of ${all} runs</h1>
<p class="lead">${rows.length} settings, ${seeds.length} seeds; ${done === all ? "all have ended" : `${done} have ended`}.</p>
${table(facts)}
${published(facts)}
<h2>Curves</h2><div class="charts">
${chart(`${wordsOfMetric(metric)}, mean over seeds`, rows.map(curveOf))}
${axisCharts(facts)}
</div>
${oursOf(facts)}
</main>
<footer>Written by inarch study.</footer>
</body>
</html>`;
  return `<!doctype html>\n${page.markup}\n`;
}

const named = ({ values }: StudyRow, but?: string) =>
  Object.entries(values)
    .filter(([name]) => name !== but)
    .map(([name, value]) => (name === "method" ? wordOf(value) : `${name} ${wordOf(value)}`))
    .join(", ") || "all";

const curveOf = (row: StudyRow): Curve => ({
  name: named(row),
  points: row.curve.map(([step, score]) => [step, score ?? Number.NaN] as const),
  isSparse: true,
});

const said = (value: number | null | undefined) => (value ?? undefined)?.toFixed(4) ?? "";

const spread = ({ mean, error, low, high }: KnownInterval): Html =>
  html`<td>${said(mean)}${error === null ? "" : ` ± ${said(error)}`}</td><td>${low === null ? "" : `${said(low)} to ${said(high)}`}</td>`;

function table({ rows, metric }: StudyFacts): Html {
  const axes = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const others = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))].filter(
    (name) => name !== metric,
  );
  const lines = rows.map(
    ({ values, trained, score, seeds, metrics }) =>
      html`<tr>${axes.map((axis) => html`<th scope="row">${values[axis] === undefined ? "" : wordOf(values[axis])}</th>`)}${spread(score)}<td>${seeds.length}</td>${others.map((name) => html`<td>${said(metrics[name]?.mean)}</td>`)}<td>${trained === null ? "" : trained.toLocaleString("en-US")}</td></tr>`,
  );
  return html`<h2>Scores</h2><p class="quiet">Of the best of each run on what is held out: mean over seeds ± standard error, and the interval that holds the true mean with probability 0.95 (Student). What is not known is empty.</p>
<div class="wide"><table><thead><tr>${axes.map((axis) => html`<th>${axis}</th>`)}<th>${wordsOfMetric(metric)}</th><th>95 %</th><th>runs</th>${others.map((name) => html`<th>${wordsOfMetric(name)}</th>`)}<th>trained</th></tr></thead><tbody>${lines}</tbody></table></div>`;
}

function published({ rows, preset, metric }: StudyFacts): Html {
  if (preset === undefined && rows.every((row) => row.published.length === 0)) return nothing;
  const sets = [
    ...new Set(rows.flatMap((row) => row.published.map((one) => `${one.set}, ${one.metric}`))),
  ];
  const lines = rows.map((row) => {
    const cells = sets.map((set) => {
      const one = row.published.find((of) => `${of.set}, ${of.metric}` === set);
      return html`<td>${one ? `${one.value}${one.error === undefined ? "" : ` ± ${one.error}`}` : ""}</td>`;
    });
    const sources = [...new Set(row.published.map(({ source }) => source))];
    return html`<tr><th scope="row">${named(row)}</th><td>${said(row.score.mean)}</td>${cells}<td>${sources.join("; ")}</td></tr>`;
  });
  return html`<h2>Beside what is published</h2><p class="quiet">Published scores are of the papers' sets, models and schedules, at the methods' published settings. Cells that are not known are empty.</p>
<div class="wide"><table><thead><tr><th></th><th>here, ${wordsOfMetric(metric)}</th>${sets.map((set) => html`<th>${set}</th>`)}<th>source</th></tr></thead><tbody>${lines}</tbody></table></div>`;
}

/** Scores against each axis of numbers, a curve for each of the other settings. */
function axisCharts({ rows, metric }: StudyFacts): Html[] {
  const axes = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  return axes.flatMap((axis) => {
    const along = rows.filter(({ values }) => typeof values[axis] === "number");
    if (new Set(along.map(({ values }) => values[axis])).size < 2) return [];
    const groups = new Map<string, (readonly [number, number])[]>();
    for (const row of along) {
      const point = [row.values[axis] as number, row.score.mean ?? Number.NaN] as const;
      groups.set(named(row, axis), [...(groups.get(named(row, axis)) ?? []), point]);
    }
    const curves = [...groups].map(([name, points]) => ({
      ...{ name, isSparse: true, points: points.sort((a, b) => a[0] - b[0]) },
    }));
    return [chart(`${wordsOfMetric(metric)} by ${axis}`, curves, axis)];
  });
}

function oursOf({ preset }: StudyFacts): Html {
  const found = presets.find(({ name }) => name === preset);
  if (!found) return nothing;
  const lines = Object.entries(found.ours).map(
    ([name, why]) => html`<div><dt>${name}</dt><dd>${why}</dd></div>`,
  );
  return html`<h2>What of ${found.name} is ours</h2><p class="quiet">${found.source}. These values are not the source's:</p><dl class="settings">${lines}</dl>`;
}
