/**
 * The house rules that a machine can check. A rule is a function from files to findings, each with
 * file and line; every rule must also find the fault in its own example, so that none is blind.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { codes } from "../../diagnostics/index.ts";
import { formatsNotAsked } from "./formats.ts";
import {
  forbiddenImports,
  importCycles,
  importsOfCommandLine,
  loadedEarly,
  runtimeFromCompiler,
  type SourceFile,
  wrongOrder,
} from "./imports.ts";

interface Rule {
  readonly claim: string;
  readonly find: (files: readonly SourceFile[]) => string[];
  /** Files that break the rule, and what must be found in them. */
  readonly example: readonly (readonly [path: string, text: string])[];
  readonly finding: string;
}

const everything = /./;
const code = /\.(?:ts|mjs)$/;

const rules: readonly Rule[] = [
  {
    claim: "a folder imports only what its place in the design allows",
    find: (files) => files.flatMap(forbiddenImports),
    example: [["compiler/fuse/cost.ts", 'const a = 1;\nimport { add } from "../../ops/add.ts";']],
    finding: "compiler/fuse/cost.ts:2: compiler/ may not import ops/add.ts",
  },
  {
    claim: "folders stand in one order, and nothing imports what stands later, types included",
    find: (files) => files.flatMap(wrongOrder),
    example: [["compiler/kernel/ir.ts", 'import type { Region } from "../fuse/region.ts";']],
    finding:
      "compiler/kernel/ir.ts:1: compiler/kernel/ may not import compiler/fuse/region.ts: compiler/fuse/ stands later in the order",
  },
  {
    claim: "every folder has its place in the order",
    find: (files) => files.flatMap(wrongOrder),
    example: [["attic/old.ts", "export const a = 1;"]],
    finding: "attic/old.ts:1: its folder has no place in the order of the house",
  },
  {
    claim: "the command line is imported by tests alone",
    find: (files) => files.flatMap(importsOfCommandLine),
    example: [["build/build.ts", 'import { progress } from "../cli/progress.ts";']],
    finding: "build/build.ts:1: only tests may import cli/progress.ts",
  },
  {
    claim: "the command line loads what a command runs when it runs",
    find: (files) => files.flatMap(loadedEarly),
    example: [["cli/show.ts", 'import { show } from "../explain/show.ts";']],
    finding: "cli/show.ts:1: import(explain/show.ts) in `run`: inarch --help waits for it",
  },
  {
    claim: "the runtime takes nothing but types from the compiler",
    find: (files) => files.flatMap(runtimeFromCompiler),
    example: [["runtime/session.ts", 'import { version } from "../compiler/plan.ts";']],
    finding: "runtime/session.ts:1: only `import type` from compiler/plan.ts",
  },
  {
    claim: "imports have no cycles",
    find: importCycles,
    example: [
      ["ops/a.ts", 'import { b } from "./b.ts";'],
      ["ops/b.ts", 'import { type T, a } from "./a.ts";'],
    ],
    finding: "ops/a.ts:1: imports itself: ops/a.ts -> ops/b.ts -> ops/a.ts",
  },
  {
    claim: "shader text is written only in compiler/targets/ and kept only in test/golden/",
    find: perLine(code, /@compute|__global__|workgroupBarrier/, "shader text", (path) =>
      path.startsWith("compiler/targets/"),
    ),
    example: [["runtime/fill.ts", "// one\nconst text = '@compute fn main() {}';"]],
    finding: "runtime/fill.ts:2: shader text",
  },
  {
    claim: "targets are listed in compiler/targets/ alone, and named by the devices that run them",
    find: perLine(code, /"(?:wgsl|ptx)"/, "the name of a target", (path) =>
      /^(?:compiler\/targets|runtime\/devices|examples|bench|test)\//.test(path),
    ),
    example: [["cli/show.ts", 'const target = stage === "wgsl" ? "wgsl" : undefined;']],
    finding: "cli/show.ts:1: the name of a target",
  },
  {
    claim: "a file has at most 400 lines",
    find: (files) =>
      files.flatMap(({ path, text }) => {
        if (!code.test(path)) return [];
        const lines = text.trimEnd().split("\n").length;
        return lines > 400 ? [`${path}:401: ${lines} lines`] : [];
      }),
    example: [["ops/long.ts", `${"\n".repeat(400)}x`]],
    finding: "ops/long.ts:401: 401 lines",
  },
  {
    claim: "number formats are asked: nothing else compares their names or multiplies by a width",
    find: (files) => files.flatMap(formatsNotAsked),
    example: [
      ["ops/half.ts", 'const isHalf = buffer.scalar === "f16";'],
      ["build/size.ts", 'switch (x) {\n  case "bf16":\n}\nconst bytes = 4 * elements(shape);'],
    ],
    finding: "build/size.ts:4: the name or the width of a number format",
  },
  {
    claim:
      "files are written whole or not at all: what is shipped or shown writes them through runtime/node/save.ts",
    find: perLine(
      /^(?!(?:bench|scripts|test)\/).*\.(?:ts|mjs)$/,
      /\b(?:(?:writeFile|appendFile|copyFile)(?:Sync)?|openSync|createWriteStream|toFile)\b|\bopen\([^)]*"[wa]|from "node:fs.*\brename|\brename\b.*from "node:fs/,
      "saveTo(...) or writeFileAtOnce(...)",
      (path) => path === "runtime/node/save.ts",
    ),
    example: [["cli/explain.ts", "const a = 1;\nawait writeFile(output, page);"]],
    finding: "cli/explain.ts:2: saveTo(...) or writeFileAtOnce(...)",
  },
  {
    claim: "errors are made by diagnose or bug",
    find: perLine(code, /throw new Error\(/, "throw diagnose(...) or bug(...)", (path) =>
      /^(?:bench|examples|scripts|test)\//.test(path),
    ),
    example: [["ops/add.ts", 'throw new Error("no");']],
    finding: "ops/add.ts:1: throw diagnose(...) or bug(...)",
  },
  {
    claim:
      "no test is skipped, singled out or left for later, except for want of a device, a compiler, MPI, Node 24 or leave to mount",
    find: perLine(
      /^(?:test|examples)\//,
      /\b(?:test|it|describe|suite)\.(?:skip|only|todo|fails|runIf|skipIf)\b/,
      "a test that does not run",
      (path) =>
        /^test\/support\/(?:device|native|libcuda|mpi|newer-engine|small-disk)\.ts$/.test(path),
    ),
    example: [["test/a.test.ts", 'test.skip("later", () => {});']],
    finding: "test/a.test.ts:1: a test that does not run",
  },
  {
    claim: "nothing is left to do",
    find: perLine(everything, /\b(?:TODO|FIXME|XXX)\b/, "unfinished"),
    example: [["ops/add.ts", "// TODO: derivative"]],
    finding: "ops/add.ts:1: unfinished",
  },
  {
    claim: "no path of somebody's machine",
    find: perLine(
      everything,
      /(?<![\w.])\/(?:home|Users|root|work|scratch)\/\w|\b[A-Z]:\\Users/,
      "a path of one machine",
    ),
    example: [["README.md", "see /home/ada/inarch"]],
    finding: "README.md:1: a path of one machine",
  },
  {
    claim: "the lock file leaves the choice of the registry to the user",
    find: perLine(/^package-lock\.json$/, /"resolved":/, "names a package host"),
    example: [["package-lock.json", '{\n"resolved": "x"']],
    finding: "package-lock.json:2: names a package host",
  },
];

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const repository = readRepository();

describe("tidy", () => {
  for (const { claim, find, example, finding } of rules) {
    test(claim, () => {
      expect(find(repository)).toEqual([]);
    });
    test(`found where it is broken: ${claim}`, () => {
      const broken = example.map(([path, text]) => ({ path, text }));
      expect(find(broken)).toContain(finding);
    });
  }

  test("every code of an error is triggered in a test", () => {
    const tests = repository.filter(({ path }) => path.startsWith("test/"));
    const untested = Object.keys(codes).filter(
      (name) => !tests.some(({ text }) => text.includes(name)),
    );
    expect(untested.map((name) => `diagnostics/codes.ts: no test names ${name}`)).toEqual([]);
  });

  test.each(["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE"])("%s exists", (name) => {
    expect(existsSync(join(root, name)), name).toBe(true);
  });
});

/** A rule that looks at each line by itself, in the files that `where` names. */
function perLine(where: RegExp, pattern: RegExp, words: string, except = (_: string) => false) {
  return (files: readonly SourceFile[]) =>
    files
      .filter(({ path }) => where.test(path) && !except(path))
      .flatMap(({ path, text }) =>
        text
          .split("\n")
          .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${words}`] : [])),
      );
}

/**
 * Text files of the repository, without what is built, installed or generated, and without this
 * file, which quotes all that it forbids.
 */
function readRepository(): SourceFile[] {
  const skipped = /^(?:node_modules|dist|out|\.git)$/;
  const files: SourceFile[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const full = join(folder, entry.name);
      const path = relative(root, full).replaceAll("\\", "/");
      if (entry.isDirectory()) {
        if (!skipped.test(path) && !/^test\/(?:golden|fixtures)$/.test(path)) walk(full);
      } else if (
        path !== "test/repository/tidy.test.ts" &&
        /\.(?:ts|mjs|js|json|md|html|yml)$|^\.ci\//.test(path)
      ) {
        files.push({ path, text: readFileSync(full, "utf8") });
      }
    }
  };
  walk(root);
  return files;
}
