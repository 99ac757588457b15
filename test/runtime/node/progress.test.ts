/** Progress on a terminal, in a log, and not at all. */
import { expect, test } from "vitest";
import { openProgress, progressStyle } from "../../../runtime/node/progress.ts";

function sink(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

test("the style follows the stream, and --json or --quiet silence it", () => {
  expect(progressStyle(false, sink(true))).toBe("line");
  expect(progressStyle(false, sink(false))).toBe("steps");
  expect(progressStyle(true, sink(true))).toBe("silent");
});

test("in a log each quarter is one line", () => {
  const stream = sink(false);
  const { report, end } = openProgress("steps", stream, 0);
  for (let done = 1; done <= 40; done++) report(done, 40, "kernels");
  end();
  expect(stream.written).toEqual([
    "kernels 10/40 25 %\n",
    "kernels 20/40 50 %\n",
    "kernels 30/40 75 %\n",
    "kernels 40/40 100 %\n",
  ]);
});

test("bytes are printed in MiB", () => {
  const stream = sink(false);
  openProgress("steps", stream, 0).report(3 * 2 ** 20, 4 * 2 ** 20, "bytes of weights");
  expect(stream.written).toEqual(["weights 3.0 of 4.0 MiB 75 %\n"]);
});

test("on a terminal one line changes, and is gone at the end", () => {
  const stream = sink(true);
  const { report, note, end } = openProgress("line", stream);
  report(1, 4, "kernels");
  note("done with that");
  expect(stream.written).toEqual(["\r  kernels 1/4 25 %", "\r\u001b[K", "done with that\n"]);
  for (let done = 2; done <= 4; done++) report(done, 4, "kernels");
  end();
  // What is drawn within a few milliseconds of the last line is left out.
  expect(stream.written.slice(3)).toEqual([]);
});

test("silent is silent", () => {
  const stream = sink(true);
  const { report, note, end } = openProgress("silent", stream);
  report(1, 2, "kernels");
  note("x");
  end();
  expect(stream.written).toEqual([]);
});
