/** The guides of docs/: their code is taken from their text, and their commands are run. */
import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildPackage,
  file,
  inarch,
  node,
  type Outcome,
  repository,
  scratchFolder,
} from "../support/command-line.ts";
import { type CopiedSources, copySources } from "../support/copied-sources.ts";

interface Guide {
  /** Code whose first line is a comment with the name of its file. */
  readonly files: ReadonlyMap<string, string>;
  /** Lines to add to a file behind one that holds `after`. */
  readonly lines: readonly {
    readonly path: string;
    readonly after: string;
    readonly line: string;
  }[];
  /** What is typed. */
  readonly commands: readonly (readonly string[])[];
}

function readGuide(name: string): Guide {
  const text = readFileSync(join(repository, "docs", name), "utf8");
  const files = new Map<string, string>();
  const lines: { path: string; after: string; line: string }[] = [];
  const commands: string[][] = [];
  for (const [, language, code] of text.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    const [first = "", ...rest] = code!.trimEnd().split("\n");
    if (language === "sh") commands.push(...[first, ...rest].map((line) => line.split(" ")));
    const place = /^\/\/ (\S+), behind "(.*)"$/.exec(first);
    if (place) lines.push({ path: place[1]!, after: place[2]!, line: rest.join("\n") });
    else if (/^\/\/ \S+$/.test(first)) files.set(first.slice(3), `${rest.join("\n")}\n`);
  }
  return { files, lines, commands };
}

/** Guides that change inarch itself are tried on a copy of the sources. */
const changing = ["add-a-device.md", "add-a-target.md"];
const plain = readdirSync(join(repository, "docs")).filter(
  (name) => name.endsWith(".md") && !changing.includes(name),
);

const fixtures = ["sam_nano.config.json"];

beforeAll(buildPackage);

describe.each(plain)("docs/%s", (name) => {
  const { files, commands } = readGuide(name);
  const folder = scratchFolder("guide");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("has code and commands", () => {
    expect(files.size).toBeGreaterThan(0);
    expect(commands.length).toBeGreaterThan(0);
  });

  test("its code, put into an empty folder, does what it says", async () => {
    for (const [path, text] of files) file(folder, path, text);
    for (const [program, ...args] of commands) {
      const outcome = program === "inarch" ? await inarch(args, folder) : await node(args, folder);
      checkRan([program!, ...args], outcome);
    }
  });
});

describe.each(changing)("docs/%s", (name) => {
  const { files, lines, commands } = readGuide(name);
  let sources: CopiedSources;
  beforeAll(async () => {
    sources = copySources("guide");
    for (const [path, text] of files) sources.add(path, text);
    for (const { path, after, line } of lines) sources.addLine(path, after, line);
    await sources.build();
  });
  afterAll(() => rmSync(sources.folder, { recursive: true, force: true }));

  test("is one new file and one line", () => {
    const added = [...files.keys()].filter((path) => path.endsWith(".ts"));
    expect([added.length, lines.length, lines[0]!.line.split("\n").length]).toEqual([1, 1, 1]);
  });

  test("its commands run on the changed sources", async () => {
    for (const fixture of fixtures)
      copyFileSync(join(repository, "test", "fixtures", fixture), join(sources.folder, fixture));
    for (const [program, ...args] of commands)
      checkRan(
        args,
        program === "inarch" ? await sources.inarch(args) : await node(args, sources.folder),
      );
  });
});

function checkRan(command: readonly string[], { code, stdout, stderr }: Outcome): void {
  expect(code, `${command.join(" ")}\n${stdout}\n${stderr}`).toBe(0);
}

test("inarch check passes the guides' silu and (IA)³ with every claim, in under a minute", async () => {
  const folder = scratchFolder("guide");
  const started = performance.now();
  for (const [guide, path, claims] of [
    ["add-an-op.md", "silu.ts", ["sample 1", "both signs: its derivative"]],
    ["add-an-adapter.md", "ia3.ts", ["its derivative", "its file gives back what was saved"]],
  ] as const) {
    file(folder, path, readGuide(guide).files.get(path)!);
    const { stdout, code } = await inarch(["check", path], folder);
    for (const claim of claims) expect(stdout).toMatch(new RegExp(`right .*${claim}`));
    expect([code, stdout.includes("WRONG")]).toEqual([0, false]);
  }
  expect(performance.now() - started).toBeLessThan(60_000);
  rmSync(folder, { recursive: true, force: true });
});
