/** Where a value was made in the user's source. Captured cheaply, resolved only when printed. */

export interface Span {
  readonly file: string;
  /** One-based, as editors count. */
  readonly line: number;
  readonly column: number;
}

/** A place that is worked out only when somebody asks: formatting a stack costs, making one does not. */
export interface LazySpan {
  resolve(): Span | undefined;
}

const library =
  /[\\/](?:inarch|dist)[\\/](?:compiler|ops|models|runtime|training|diagnostics)[\\/]|node:internal/;
const insideLibrary = new URL("..", import.meta.url).pathname;

/** Captures the caller's place: the first frame outside the compiler, the ops and the runtime. */
export function captureSpan(): LazySpan {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 16;
  const error = new Error();
  Error.stackTraceLimit = limit;
  let known: Span | undefined | null = null;
  return {
    resolve() {
      if (known === null) known = firstUserFrame(error.stack ?? "");
      return known;
    },
  };
}

function firstUserFrame(stack: string): Span | undefined {
  let nearest: Span | undefined;
  for (const line of stack.split("\n").slice(1)) {
    const match = frame.exec(line.trim());
    if (!match) continue;
    const file = pathOf(match[1]!);
    const span = { file, line: Number(match[2]), column: Number(match[3]) };
    if (isLibrary(file)) nearest ??= span;
    else return span;
  }
  return nearest;
}

/** `at build (/my models/x.graph.ts:3:11)` or `at file:///x.graph.ts:3:11`: paths may hold anything. */
const frame = /^at (?:async )?(?:(?!\/|file:).*? \()?(.+?):(\d+):(\d+)\)?$/;

const pathOf = (place: string) =>
  place.startsWith("file://") ? decodeURIComponent(place.slice(7)) : place;

const folders = ["compiler/", "ops/", "models/", "runtime/", "training/", "diagnostics/"];

function isLibrary(file: string): boolean {
  if (file.startsWith(insideLibrary)) {
    const inside = file.slice(insideLibrary.length);
    return folders.some((folder) => inside.startsWith(folder));
  }
  return library.test(file) || file.startsWith("node:");
}
