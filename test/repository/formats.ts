/** The rule about number formats: nothing but formats/ compares their names or multiplies by their widths. */
import { weightFormats } from "../../formats/index.ts";
import type { SourceFile } from "./imports.ts";

/** Formats that are no dtype of a tensor: what is compared with their names is a format. */
const narrow = [...weightFormats, "packed-f16"].filter((name) => name !== "f32").join("|");

/** A factor or divisor that is a width. `4 * 2 ** 20` and `bytes / 2 ** 20` are none. */
const width = [
  String.raw`(?<![\w.])[248] \* (?!2 \*\*)`,
  String.raw`(?<!\*)\* [248]\b(?! \*)`,
  String.raw`\/ [248]\b(?! \*\*|\))`,
  String.raw`\? [248] : [248]\b`,
].join("|");

const patterns = [
  new RegExp(`[=!]==\\s*"(?:${narrow})"|"(?:${narrow})"\\s*[=!]==|case "(?:${narrow})"`),
  // A field that holds the name of a format; dtypes of tensors are another matter.
  /\b(?:scalar|stored|operand|\w*[fF]ormat)\s*[=!]==\s*"[a-z]+\d+"/,
  // In a line that speaks of bytes.
  new RegExp(`ytes.*(?:${width})|(?:${width}).*(?<!mebib|kibib|gibib)[bB]ytes`),
  /BYTES_PER_ELEMENT|itemBytes\[/,
];

const isComment = (line: string) => /^\s*(?:\*|\/\/|\/\*)/.test(line);

export function formatsNotAsked({ path, text }: SourceFile): string[] {
  if (!/\.(?:ts|mjs)$/.test(path) || /^(?:formats|test|bench)\//.test(path)) return [];
  return text.split("\n").flatMap((line, i) => {
    const isBroken = !isComment(line) && patterns.some((pattern) => pattern.test(line));
    return isBroken ? [`${path}:${i + 1}: the name or the width of a number format`] : [];
  });
}
