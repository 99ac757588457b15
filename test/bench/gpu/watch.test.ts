/** Parts in processes of their own: what crashes or hangs loses itself, and nothing else. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finding, Line, Signal } from "../../../bench/gpu/lines.ts";
import { type Limits, watch } from "../../../bench/gpu/watch.ts";
import { tree } from "../../support/folders.ts";

describe("a part in a process of its own", () => {
  /** A process of items: what it says, then how it ends. */
  const items = (...acts: readonly (readonly [name: string, act: string])[]) => {
    const say = (said: Finding | Signal) => `say(${JSON.stringify(said)});`;
    const text = [
      'const say = (said) => require("fs").writeSync(1, JSON.stringify(said) + "\\n");',
      "const skip = Number(process.argv[2]);",
      say({ type: "items", names: acts.map(([name]) => name) }),
      ...acts.map(([name, act], i) =>
        [
          `const act${i} = () => { ${say({ type: "begin", item: name })} ${act}; ${say({ type: "end", item: name })} };`,
          `if (skip <= ${i}) act${i}();`,
        ].join("\n"),
      ),
    ].join("\n");
    return join(tree({ "part.cjs": text }), "part.cjs");
  };
  const finds = (text: string) => `say(${JSON.stringify({ type: "note", text })})`;
  const hangs = "for (;;);";

  async function linesOf(file: string, limits: Partial<Limits> = {}): Promise<Line[]> {
    const lines: Line[] = [];
    const until = performance.now() + 60_000;
    await watch(
      {
        ...{ part: "part", file: process.execPath, env: process.env },
        args: (skip) => [file, String(skip)],
      },
      { item: 20, part: 60, until, ...limits },
      (line) => lines.push(line),
    );
    return lines.map((line) => (line.type === "done" ? { ...line, seconds: 0 } : line));
  }
  const done = { part: "part", type: "done", seconds: 0 };

  test("loses what crashes, and goes on behind it", async () => {
    const crash =
      'process.stderr.write("the driver is gone\\n"); process.kill(process.pid, "SIGSEGV")';
    const lines = await linesOf(
      items(["one", finds("1")], ["two", `${finds("half")}; ${crash}`], ["three", finds("3")]),
    );
    expect(lines).toEqual([
      { part: "part", item: "one", type: "note", text: "1" },
      { part: "part", item: "two", type: "note", text: "half" },
      {
        ...{ part: "part", item: "two", type: "failed", what: "two" },
        reason: "its process ended with SIGSEGV: the driver is gone",
      },
      { part: "part", item: "three", type: "note", text: "3" },
      done,
    ]);
  });

  test("loses what hangs", async () => {
    const file = items(["one", finds("1")], ["two", hangs], ["three", finds("3")]);
    expect(await linesOf(file, { item: 5 })).toEqual([
      { part: "part", item: "one", type: "note", text: "1" },
      { part: "part", item: "two", type: "failed", what: "two", reason: "no end after 5 s" },
      { part: "part", item: "three", type: "note", text: "3" },
      done,
    ]);
  });

  test("leaves out what its time does not reach", async () => {
    const file = items(["one", finds("1")], ["two", hangs], ["three", finds("3")]);
    const left = (what: string) => ({ type: "left out", what, reason: "the part's 5 s are over" });
    expect(await linesOf(file, { part: 5 })).toEqual([
      { part: "part", item: "one", type: "note", text: "1" },
      { part: "part", item: "two", ...left("two") },
      { part: "part", ...left("three") },
      done,
    ]);
  });

  test("does not begin when the whole run's time is over", async () => {
    const file = items(["one", finds("1")]);
    expect(await linesOf(file, { until: performance.now() - 1 })).toEqual([
      { part: "part", type: "left out", what: "part", reason: "the run's time is over" },
      done,
    ]);
  });

  test("is not begun again where its process ends before any item", async () => {
    const text = 'console.log("{ no JSON"); throw new TypeError("no device");';
    const file = join(tree({ "broken.cjs": text }), "broken.cjs");
    const [failed, ...rest] = await linesOf(file);
    expect(failed).toMatchObject({ part: "part", type: "failed", what: "part" });
    expect(failed).toMatchObject({
      reason: expect.stringMatching(/^its process ended with code 1/),
    });
    expect(rest).toEqual([done]);
  });

  test("says so where it cannot be started at all", async () => {
    const lines: Line[] = [];
    await watch(
      { part: "part", file: join(tree(), "nothing"), args: () => [], env: {} },
      { item: 5, part: 5, until: performance.now() + 5000 },
      (line) => lines.push(line),
    );
    expect(lines[0]).toMatchObject({ type: "failed", reason: expect.stringMatching(/ENOENT/) });
  });
});
