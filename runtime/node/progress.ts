/**
 * Progress of long work, on stderr: one line that changes on a terminal, a line per quarter
 * elsewhere, nothing where a program reads the output.
 */
export type ProgressStyle = "line" | "steps" | "silent";

export interface ProgressDisplay {
  /** `done` of `total` units of `what`; quantities in bytes are called "bytes…". `more` is printed behind. */
  readonly report: (done: number, total: number, what: string, more?: string) => void;
  /** A line of its own: what begins now. */
  note(text: string): void;
  /** Removes the changing line. Call it before anything else is printed, and at the end. */
  end(): void;
}

/** What a stream is for the display: a terminal or a file. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** The style for a command that was given `--json` or `--quiet`. */
export const progressStyle = (
  silent: boolean,
  stream: ProgressStream = process.stderr,
): ProgressStyle => (silent ? "silent" : stream.isTTY ? "line" : "steps");

export function openProgress(
  style: ProgressStyle,
  stream: ProgressStream = process.stderr,
  patience = 2000,
): ProgressDisplay {
  switch (style) {
    case "silent":
      return { report: () => {}, note: () => {}, end: () => {} };
    case "line":
      return changingLine(stream);
    case "steps":
      return quarters(stream, patience);
  }
}

/** A terminal is redrawn at most this often, in milliseconds. */
const redraw = 80;

function changingLine(stream: ProgressStream): ProgressDisplay {
  // Weights are uploaded while kernels compile, so several things advance at once.
  const current = new Map<string, string>();
  let drawn = false;
  let last = 0;
  const clear = () => {
    if (drawn) stream.write("\r\u001b[K");
    drawn = false;
  };
  return {
    report(done, total, what, more) {
      current.set(what, amount(done, total, what, more));
      if (done >= total) current.delete(what);
      const now = performance.now();
      if (now - last < redraw && current.size > 0) return;
      last = now;
      clear();
      if (current.size === 0) return;
      stream.write(`\r  ${[...current.values()].join("   ")}`);
      drawn = true;
    },
    note(text) {
      clear();
      stream.write(`${text}\n`);
    },
    end: clear,
  };
}

/** Work that ends within `patience` milliseconds is not worth a line. */
function quarters(stream: ProgressStream, patience: number): ProgressDisplay {
  const start = performance.now();
  const printed = new Map<string, number>();
  return {
    report(done, total, what, more) {
      const quarter = Math.floor((4 * done) / Math.max(1, total));
      const before = printed.get(what) ?? 0;
      // A second round of the same work begins at the bottom again.
      printed.set(what, quarter);
      if (quarter > before && performance.now() - start >= patience)
        stream.write(`${amount(done, total, what, more)}\n`);
    },
    note: (text) => stream.write(`${text}\n`),
    end: () => {},
  };
}

function amount(done: number, total: number, what: string, more?: string): string {
  const behind = more === undefined ? "" : ` ${more}`;
  const percent = `${Math.floor((100 * done) / Math.max(1, total))} %${behind}`;
  const bytes = /^bytes(?: of (.*))?$/.exec(what);
  if (!bytes) return `${what} ${done}/${total} ${percent}`;
  const mebibytes = (n: number) => (n / 2 ** 20).toFixed(1);
  return `${bytes[1] ?? "bytes"} ${mebibytes(done)} of ${mebibytes(total)} MiB ${percent}`;
}
