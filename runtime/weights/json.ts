/** JSON as files must have it: `JSON.parse` keeps the last of two equal keys and says nothing. */

/** A problem with the text, in words; the caller knows the file and the code. */
export interface JsonProblem {
  readonly problem: string;
}

/**
 * Parses bytes as UTF-8 JSON and refuses an object with the same key twice, at any depth; where numbers
 * are to be `whole`, also one that is not digits alone: -0, 2.0, 1e3.
 */
export function parseJson(
  bytes: Uint8Array,
  numbers: "any" | "whole" = "any",
): { readonly value: unknown } | JsonProblem {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { problem: "it is not UTF-8 text" };
  }
  try {
    const value: unknown = JSON.parse(text);
    const key = duplicateKey(text);
    if (key !== undefined) return { problem: `the key ${key} occurs twice in one object` };
    const number = numbers === "whole" ? notWhole(text) : undefined;
    if (number === undefined) return { value };
    return { problem: `${number} is not spelled as a whole number` };
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The first key that an object repeats, quoted. The text is known to be valid JSON. */
function duplicateKey(text: string): string | undefined {
  // One set of keys per open object, `undefined` per open array. By hand and not by a regular
  // expression, because headers of many megabytes exhaust the stack of one.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === "{") open.push(new Set());
    else if (c === "[") open.push(undefined);
    else if (c === "}" || c === "]") open.pop();
    else if (c === '"') {
      const quoted = text.slice(at, stringEnd(text, at));
      at += quoted.length - 1;
      if (!isKey(text, at + 1)) continue;
      const key: string = JSON.parse(quoted);
      const keys = open.at(-1);
      if (keys?.has(key)) return quoted;
      keys?.add(key);
    }
  }
  return undefined;
}

/** The first number that is not digits alone. The text is known to be valid JSON. */
function notWhole(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = stringEnd(text, at) - 1;
    else if (/[-\d]/.test(text[at]!)) {
      const start = at;
      while (/[-+.\deE]/.test(text[at + 1] ?? "")) at++;
      const number = text.slice(start, at + 1);
      if (!/^\d+$/.test(number)) return number;
    }
  }
  return undefined;
}

/** One past the quote that closes the string whose opening quote stands at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Whether a colon comes next: a string that a colon follows is a key. */
function isKey(text: string, start: number): boolean {
  let at = start;
  while (" \t\n\r".includes(text[at] ?? "x")) at++;
  return text[at] === ":";
}
