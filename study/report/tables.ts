/** Tables of a report: which class was taken for which, which experts were chosen, how far attention reaches. */
import { type Html, html, nothing } from "../../explain/html.ts";
import type { ReportFacts } from "./facts.ts";

/** Rows are what is true; parts are of a row. */
export function confusionTable({ best: { counts }, classes }: ReportFacts): Html {
  const n = classes.length;
  if (n === 0 || counts.length !== n * n) return nothing;
  const rows = classes.map((name, row) => {
    const own = counts.slice(row * n, (row + 1) * n);
    const all = own.reduce((a, b) => a + b, 0);
    const cells = own.map((count, column) => {
      const part = all === 0 ? 0 : (100 * count) / all;
      const words = `${name} taken for ${classes[column]}: ${count} pixels`;
      return html`<td class="cell" style="--part:${part.toFixed(1)}%" title="${words}">${all === 0 ? "" : part.toFixed(0)}</td>`;
    });
    return html`<tr><th scope="row">${name}</th>${cells}</tr>`;
  });
  const heads = classes.map(
    (name) => html`<th scope="col"><span class="turned">${name}</span></th>`,
  );
  return html`<h2>What was taken for what</h2><p class="quiet">Of the pixels of each class (row), how many percent were given which class (column).</p>
<div class="wide"><table><thead><tr><th></th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** As many pictures as the table has columns for. */
const most = 24;

/** Which expert most maps of a picture chose, at each gate. */
export function expertTable({ looked }: ReportFacts): Html {
  const shown = looked.slice(0, most);
  const places = Object.keys(shown[0]?.experts ?? {});
  if (places.length === 0) return nothing;
  const rows = places.map((place) => {
    const cells = shown.map(({ name, experts }) => {
      const parts = experts[place] ?? [];
      const chosen = parts.indexOf(Math.max(...parts));
      const part = Math.round(100 * (parts[chosen] ?? 0));
      const words = parts.flatMap((one, i) =>
        one > 0 ? [`${i + 1}: ${Math.round(100 * one)} %`] : [],
      );
      return html`<td class="expert" title="${name}: ${words.join(", ")}"><span style="background: hsl(${(chosen * 360) / parts.length} 45% 42% / ${Math.max(35, part)}%)">${chosen + 1}</span></td>`;
    });
    return html`<tr><th scope="row">${place}</th>${cells}</tr>`;
  });
  const heads = shown.map(
    ({ name }) => html`<th scope="col"><span class="turned">${name}</span></th>`,
  );
  return html`<h2>Which expert each block chose</h2><p class="quiet">The expert that most maps of a picture went to: a window of it, or in global blocks the whole; paler where fewer did.</p>
<div class="wide"><table><thead><tr><th></th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** How far from a token what it attends to is, for each head. */
export function distanceTable({ distances }: ReportFacts): Html {
  if (distances.length === 0) return nothing;
  const far = Math.max(...distances.flatMap(({ heads }) => heads));
  const rows = distances.map(({ layer, heads }) => {
    const mean = heads.reduce((a, b) => a + b, 0) / heads.length;
    const dots = heads.map(
      (value, i) =>
        html`<span style="--part:${((100 * value) / far).toFixed(1)}%" title="head ${i + 1}: ${value.toFixed(1)} pixels"></span>`,
    );
    return html`<tr><th scope="row">${layer}</th><td>${mean.toFixed(1)}</td><td><div class="dots">${dots}</div></td></tr>`;
  });
  return html`<h2>How far attention reaches</h2><p class="quiet">The mean distance between a token and those it attends to, in pixels of the model's input; each dot is a head, in windowed blocks within the window.</p>
<div class="wide"><table><thead><tr><th>block</th><th>mean</th><th>heads, 0 to ${far.toFixed(0)}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
