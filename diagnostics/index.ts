/**
 * What inarch says when something is wrong: one error type, one table of codes, one printer.
 *
 * A user's mistake and a missing environment are `InarchError`s made by `diagnose`; a broken
 * invariant of ours is `bug`. Both the compiler and the runtime use this leaf, and it imports nothing.
 */
import type { Code } from "./codes.ts";
import { type Kind, kindOf } from "./kind.ts";
import type { LazySpan, Span } from "./span.ts";

export { type Code, codes } from "./codes.ts";
export type { Kind } from "./kind.ts";
export { captureSpan, type LazySpan, type Span } from "./span.ts";

export interface Details {
  /** One sentence: what is wrong, with the names and numbers involved. */
  readonly message: string;
  /** Where in the user's source. */
  readonly at?: LazySpan | undefined;
  /** Where outside source code: a file, a byte offset, a tensor's name, a flag. */
  readonly where?: string | undefined;
  /** Other places that take part, each with a few words. */
  readonly labels?: readonly (readonly [at: LazySpan | undefined, words: string])[] | undefined;
  /** What to type instead. */
  readonly help?: string | undefined;
  readonly cause?: unknown;
}

/** Every error that inarch throws. `message` is the whole text; the parts stand beside it. */
export class InarchError extends Error {
  override readonly name = "InarchError";
  readonly code: Code;
  readonly kind: Kind;
  readonly details: Details;

  constructor(code: Code, details: Details) {
    super(render(code, details), "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.kind = kindOf(code);
    this.details = details;
  }

  /** The parts a program reads: what `--json` prints. */
  toJSON() {
    const { message, where, help, at } = this.details;
    return { code: this.code, kind: this.kind, message, where, at: at?.resolve(), help };
  }
}

/** Makes the error for a user's mistake or a missing environment. The caller throws it. */
export const diagnose = (code: Code, details: Details): InarchError =>
  new InarchError(code, details);

/** A broken invariant: never the user's fault. */
export function bug(message: string, detail?: string): never {
  throw new InarchError("E900", {
    message: `bug in inarch: ${message}${detail === undefined ? "" : `\n${detail}`}`,
    help: "please report this with the program that caused it",
  });
}

type SourceReader = (file: string) => string | undefined;
let readSource: SourceReader = () => undefined;

/** Lets error messages show the user's source lines. `inarch/node` installs a reader of files. */
export function setSourceReader(reader: SourceReader): void {
  readSource = reader;
}

/**
 * Prints
 * ```
 * error[E104] matmul: left has 256 columns but right has 64 rows
 *   model.ts:14:11
 *   12 | const h = silu(matmul(x, up));
 *      |           ------------------- left: f32[2, 256]
 *   14 | const y = matmul(h, up);
 *      |           ^
 *   help: ...
 * ```
 */
function render(code: Code, details: Details): string {
  const lines = [`error[${code}] ${details.message}`];
  const at = details.at?.resolve();
  if (at) lines.push(`  ${place(at)}`);
  if (details.where) lines.push(`  in ${details.where}`);
  lines.push(...frame(at, details.labels ?? []));
  if (details.help) lines.push(`  help: ${details.help}`);
  return lines.join("\n");
}

const place = (s: Span) => `${s.file}:${s.line}:${s.column}`;

function frame(at: Span | undefined, labels: NonNullable<Details["labels"]>): string[] {
  const marks: { span: Span; mark: string; words: string }[] = [];
  for (const [lazy, words] of labels) {
    const span = lazy?.resolve();
    if (span) marks.push({ span, mark: "-", words });
  }
  if (at) marks.push({ span: at, mark: "^", words: "" });
  marks.sort((a, b) => a.span.line - b.span.line || a.span.column - b.span.column);
  const out: string[] = [];
  for (const { span, mark, words } of marks) {
    const text =
      span.file === (at ?? span).file && readSource(span.file)?.split("\n")[span.line - 1];
    if (!text) {
      if (words) out.push(`  ${words} (${place(span)})`);
      continue;
    }
    const number = String(span.line).padStart(4);
    const width = Math.max(1, expressionWidth(text, span.column - 1));
    out.push(`  ${number} | ${text}`);
    out.push(`       | ${" ".repeat(span.column - 1)}${mark.repeat(width)} ${words}`.trimEnd());
  }
  return out;
}

/** Length of the call that starts at `column`: up to its matching parenthesis, or the word. */
function expressionWidth(text: string, column: number): number {
  let depth = 0;
  for (let i = column; i < text.length; i++) {
    if (text[i] === "(") depth++;
    if (text[i] === ")" && --depth <= 0) return i - column + 1;
    if (depth === 0 && /[;,\s]/.test(text[i]!)) return i - column;
  }
  return text.length - column;
}
