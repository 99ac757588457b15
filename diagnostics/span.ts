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

/** Captures the caller's place: the first frame outside the compiler, the ops and the runtime. */
export function captureSpan(): LazySpan {
  const limit = frames.stackTraceLimit;
  frames.stackTraceLimit = 16;
  const error = new Error();
  frames.stackTraceLimit = limit;
  let known: Span | undefined | null = null;
  return {
    resolve() {
      if (known === null) known = firstUserFrame(error.stack ?? "");
      return known;
    },
  };
}

/** How long stacks become, in Node and in pages of Chromium; elsewhere nobody reads it. */
const frames = Error as ErrorConstructor & { stackTraceLimit?: number | undefined };

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

/**
 * Where sources and dist/ lie: stacks that are mapped by source maps name the sources, whichever of them runs.
 * A path is not encoded as its address is. Undefined where there is no such place: in a module of an address
 * that holds its own text (`data:`, `blob:`), and in what a bundler has made a script of.
 */
const installation = folderAbove(import.meta.url);

function folderAbove(module: string | undefined): string | undefined {
  // Not by an address made of two, which bundlers take for one of a file.
  const [, folder] = /^\w+:\/\/[^/]*(\/.*\/)[^/]*\/[^/]*$/.exec(module ?? "") ?? [];
  return folder && decodeURIComponent(folder).replace(/([\\/])dist[\\/]$/, "$1");
}

/** An installation of another copy: what its stack frames look like. */
const packaged = /[\\/]inarch[\\/]dist[\\/]/;
/** The folders of the package. What lies beside them in a checkout is written as a user writes. */
const ownFolders =
  /^(?:dist[\\/])?(?:adapters|build|cli|compiler|diagnostics|entries|explain|export|formats|merge|models|ops|predict|runtime|study|training|tuning|verify)[\\/]/;

/** Whether a file is one of inarch's own sources, given as an absolute path. */
export function isOwnFile(file: string): boolean {
  if (
    installation &&
    file.startsWith(installation) &&
    ownFolders.test(file.slice(installation.length))
  )
    return true;
  return packaged.test(file);
}

const isLibrary = (file: string) => isOwnFile(file) || file.startsWith("node:");
