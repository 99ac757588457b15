/**
 * Markup whose every hole is escaped: names of models, tensors and ops come from other people's
 * files, and what is text there must be text here.
 */

/** Markup that is known to be safe. Only `html` and `trusted` make it. */
export interface Html {
  readonly markup: string;
}

export type Hole = string | number | Html | readonly Html[];

/**
 * A tagged template: text and numbers are escaped, markup stays as it is, lists are joined.
 * Attributes must be quoted with double quotes.
 */
export function html(parts: TemplateStringsArray, ...holes: readonly Hole[]): Html {
  const filled = holes.map((hole, i) => `${fill(hole)}${parts[i + 1]}`);
  return { markup: parts[0] + filled.join("") };
}

/** Text of our own that is markup already: the page's style and its script. */
export const trusted = (markup: string): Html => ({ markup });

export const nothing: Html = { markup: "" };

function fill(hole: Hole): string {
  if (typeof hole === "string" || typeof hole === "number") return escapeText(String(hole));
  return "markup" in hole ? hole.markup : hole.map((h) => h.markup).join("\n");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for quoted attributes. What no document may hold, or what turns text around, is replaced. */
export const escapeText = (text: string): string =>
  text
    .replace(/(?![\n\t])\p{Cc}|\p{Cs}|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")
    .replace(/[&<>"']/g, (c) => entities[c]!);

/** At most so many characters, the middle left out: both ends of a path tell something. */
export function shorten(text: string, most: number): string {
  const letters = [...text];
  if (letters.length <= most) return text;
  const head = Math.floor((most - 1) / 3);
  return `${letters.slice(0, head).join("")}…${letters.slice(head + 1 - most).join("")}`;
}
