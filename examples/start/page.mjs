/** The page that compares runs: a table, a chart and pictures, without a script. */

const words = {
  "decoder-only": "Mask decoder",
  lora: "LoRA",
  "conv-lora": "Conv-LoRA",
};
const colours = ["var(--first)", "var(--second)", "var(--third)"];

/**
 * @param {object} facts
 * @param {readonly Run[]} facts.runs
 * @param {readonly string[]} facts.pictures data URLs
 * @param {readonly string[]} facts.truth data URLs, in the same order
 *
 * @typedef {object} Run
 * @property {string} name of the method
 * @property {{ score: number }} before
 * @property {{ score: number, step: number }} best
 * @property {{ trained: number, all: number }} parameters
 * @property {number} seconds
 * @property {readonly (readonly [step: number, score: number])[]} curve
 * @property {readonly string[]} found data URLs
 */
export function page({ runs, pictures, truth }) {
  const columns = [
    { title: "Picture", images: pictures },
    { title: "Truth", images: truth },
    ...runs.map(({ name, best, found }) => ({
      title: words[name] ?? name,
      note: `IoU ${best.score.toFixed(2)}`,
      images: found,
    })),
  ];
  const head = columns.map(
    ({ title, note }) =>
      `<div class="head"><strong>${title}</strong>${note ? `<span>${note}</span>` : ""}</div>`,
  );
  const cells = pictures.flatMap((_, row) =>
    columns.map(
      ({ title, images }) => `<img alt="${title}, picture ${row + 1}" src="${images[row]}">`,
    ),
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A small SAM, fine-tuned in ${runs.length} ways</title>
<style>${style(columns.length)}</style>
<main>
<h1>A small SAM, fine-tuned in ${runs.length} ways</h1>
<p>Camouflaged shapes on drawn scenes. Scores and masks are of scenes that nothing was trained on, by the adapter that did best in a check on them.</p>
<section class="facts">
<table>
<thead><tr><th>trained</th><th>parameters</th><th>IoU before</th><th>after</th><th>time</th></tr></thead>
<tbody>${runs.map(rowOf).join("\n")}</tbody>
</table>
${chart(runs)}
</section>
<section class="sheet">${head.join("")}${cells.join("")}</section>
</main>
</html>
`;
}

function rowOf({ name, parameters, before, best, seconds }, i) {
  const share = ((100 * parameters.trained) / parameters.all).toFixed(1);
  return `<tr><th><i style="background:${colours[i]}"></i>${words[name] ?? name}</th><td>${parameters.trained.toLocaleString("en-US")} <small>${share} %</small></td><td>${before.score.toFixed(3)}</td><td><b>${best.score.toFixed(3)}</b></td><td>${seconds.toFixed(0)} s</td></tr>`;
}

/** IoU by step, between the tenths around all scores. */
function chart(runs) {
  const points = runs.flatMap(({ curve }) => curve);
  const last = Math.max(...points.map(([step]) => step));
  const scores = points.map(([, score]) => score ?? 0);
  const low = Math.floor(10 * Math.min(...scores));
  const high = Math.max(low + 1, Math.ceil(10 * Math.max(...scores)));
  const [left, right, top, bottom] = [34, 392, 12, 148];
  const x = (step) => left + ((right - left) * step) / last;
  const y = (score) => bottom - ((bottom - top) * (10 * score - low)) / (high - low);
  const rules = Array.from({ length: high - low + 1 }, (_, i) => {
    const score = (low + i) / 10;
    return `<line x1="${left}" x2="${right}" y1="${y(score)}" y2="${y(score)}"/><text x="${left - 6}" y="${y(score) + 4}" text-anchor="end">${score}</text>`;
  }).filter((_, i) => high - low < 6 || i % 2 === 0);
  const lines = runs.map(({ curve }, i) => {
    const places = curve.map(([step, score]) => [x(step), y(score ?? 0)].map((v) => v.toFixed(1)));
    const dots = places.map(
      ([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colours[i]}"/>`,
    );
    return `<polyline points="${places.join(" ")}" stroke="${colours[i]}"/>${dots.join("")}`;
  });
  return `<svg viewBox="0 0 400 172" role="img" aria-label="IoU by step">${rules.join("")}${lines.join("")}
<text x="${left}" y="168">IoU after 0</text><text x="${right}" y="168" text-anchor="end">${last} steps</text></svg>`;
}

const style = (columns) => `
:root { color-scheme: light dark; --paper: light-dark(#fbfaf8, #16181c); --ink: light-dark(#1d2129, #e6e4df); --soft: light-dark(#646a72, #9a9ea6); --rule: light-dark(#e3e0da, #31353d); --first: light-dark(#80858d, #8f959e); --second: light-dark(#3567b0, #6f9fe0); --third: light-dark(#c8642a, #ee9a63); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 62rem; margin: 0 auto; padding: 1.6rem 1rem 3rem; }
h1 { font: 600 1.9rem/1.2 ui-serif, Georgia, serif; letter-spacing: -.02em; margin: 0 0 .3rem; }
p { margin: 0 0 1.2rem; color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem 2rem; align-items: center; margin-bottom: 1.4rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: right; padding: .35rem .3rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child { text-align: left; white-space: normal; }
thead th { color: var(--soft); font-weight: 400; font-size: .8rem; white-space: normal; }
tbody th { font-weight: 600; }
small { display: block; color: var(--soft); }
i { display: inline-block; width: .65rem; height: .65rem; border-radius: 50%; margin-right: .45rem; }
svg { width: 100%; height: auto; }
svg line { stroke: var(--rule); }
svg text { fill: var(--soft); font-size: 11px; }
polyline { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.sheet { display: grid; grid-template-columns: repeat(${columns}, minmax(0, 1fr)); gap: .4rem; }
.head { font-size: clamp(.68rem, 2.2vw, .85rem); line-height: 1.25; align-self: end; overflow-wrap: anywhere; }
.head span { display: block; color: var(--soft); }
.sheet img { width: 100%; display: block; height: auto; border-radius: .25rem; }
`;
