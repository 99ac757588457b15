/**
 * The results as a picture: a bar for each ratio, a comparison below the other. Bars that go right
 * of the line at 1 took longer than what they are compared with; the axis is logarithmic, so that
 * twice and half look alike.
 */
import type { Compared, Ratio, Results } from "./results.ts";
import { time } from "./table.ts";

const [width, left, right] = [960, 330, 190];
const [bar, gap, head] = [15, 5, 24];
const colours = { faster: "#2e7d32", slower: "#c62828", cost: "#1565c0", text: "#222" };

export function asSvg({ machine, comparisons }: Results): string {
  const shown = comparisons.filter((c) => c.rows.length > 0);
  const all = shown.flatMap((c) => c.rows.flatMap(({ low, high }) => [low, high]));
  const place = axis(Math.min(0.5, ...all), Math.max(2, ...all));
  const parts: string[] = [];
  let y = 48;
  for (const compared of shown) {
    parts.push(text(12, y + 14, titleOf(compared), 'font-weight="bold"'));
    y += head;
    for (const row of compared.rows) {
      parts.push(...drawRow(compared, row, y, place));
      y += bar + gap;
    }
    y += 10;
  }
  const height = y + 34;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(12, 22, title),
    ...lines(place, 40, y - 6),
    ...parts,
    text(12, y + 18, `${machine.processor}, ${machine.cores} cores; ${machine.device}`, small),
    "</svg>",
    "",
  ].join("\n");
}

const title =
  "Time divided by inarch's (green: inarch is faster, red: slower), or by the bare encoder's (blue)";
const small = 'font-size="10" fill="#555"';

const titleOf = ({ name, against, rows }: Compared) =>
  against === "peers" ? `${name}: inarch ${time(rows[0]!.toMilliseconds)}` : name;

type Place = (ratio: number) => number;

function axis(low: number, high: number): Place {
  const span = Math.log(high / low);
  return (ratio) => left + (Math.log(ratio / low) / span) * (width - left - right);
}

function drawRow({ against }: Compared, row: Ratio, y: number, place: Place): string[] {
  const { of, to, ofMilliseconds, median, low, high } = row;
  const [from, until] = [place(1), place(median)].sort((a, b) => a - b) as [number, number];
  const colour =
    against === "itself" ? colours.cost : median >= 1 ? colours.faster : colours.slower;
  const middle = y + bar / 2;
  const label = against === "itself" && !to.startsWith("bare") ? `${of} / ${to}` : of;
  const beyond = Math.max(place(high), place(1)) + 6;
  return [
    text(left - 8, y + 12, label, 'text-anchor="end"'),
    `<rect x="${pixel(from)}" y="${y}" width="${pixel(Math.max(1, until - from))}" height="${bar}" fill="${colour}"/>`,
    `<path d="M${pixel(place(low))} ${middle}H${pixel(place(high))}" stroke="#000" stroke-width="1.5"/>`,
    text(pixel(beyond), y + 12, `${median.toFixed(2)} (${time(ofMilliseconds)})`),
  ];
}

/** Lines at round ratios, the one at 1 darker. */
function lines(place: Place, top: number, bottom: number): string[] {
  const inside = (x: number) => x >= left && x <= width - right;
  return [0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32].flatMap((ratio) => {
    const x = pixel(place(ratio));
    if (!inside(x)) return [];
    const stroke = ratio === 1 ? "#444" : "#ddd";
    return [
      `<path d="M${x} ${top}V${bottom}" stroke="${stroke}"/>`,
      text(x, top - 4, `${ratio}`, `text-anchor="middle" ${small}`),
    ];
  });
}

const pixel = (x: number) => Math.round(x * 10) / 10;

function text(x: number, y: number, words: string, attributes = `fill="${colours.text}"`): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(words)}</text>`;
}

const escaped = (words: string) => words.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
