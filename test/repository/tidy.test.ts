/**
 * The house rules that a machine can check. A rule is a function from files to findings, each with
 * file and line; every rule must also find the fault in its own example, so that none is blind.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { codes } from "../../diagnostics/index.ts";

interface SourceFile {
  /** From the top of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

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
    find: perLine(code, /"(?:wgsl|cuda)"/, "the name of a target", (path) =>
      /^(?:compiler\/targets|runtime\/devices|examples|bench|test)\//.test(path),
    ),
    example: [["cli/show.ts", 'const target = stage === "cuda" ? "cuda" : undefined;']],
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
    claim: "errors are made by diagnose or bug",
    find: perLine(code, /throw new Error\(/, "throw diagnose(...) or bug(...)", (path) =>
      /^(?:bench|examples|scripts|test)\//.test(path),
    ),
    example: [["ops/add.ts", 'throw new Error("no");']],
    finding: "ops/add.ts:1: throw diagnose(...) or bug(...)",
  },
  {
    claim: "no test is skipped, singled out or left for later, except for want of a device",
    find: perLine(
      /^(?:test|examples)\//,
      /\b(?:test|it|describe|suite)\.(?:skip|only|todo|fails|runIf|skipIf)\b/,
      "a test that does not run",
      (path) => path === "test/support/device.ts",
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

/**
 * The order of the house, from the ground up: what stands here may import what stands above it in this
 * list, types included, and nothing below. A folder holds its subfolders unless they are listed; files
 * are listed where a folder's own files stand on different floors.
 */
const order: readonly string[] = [
  "diagnostics/",
  "formats/",
  // What a graph is made of, what a plan is, what a device offers, what a kernel is, what an op is.
  "compiler/graph/tensor.ts",
  "compiler/graph/init.ts",
  "compiler/plan.ts",
  "compiler/capabilities.ts",
  "compiler/profile.ts",
  "compiler/kernel/",
  "compiler/sample.ts",
  "compiler/op.ts",
  // The stages of a compilation.
  "compiler/graph/",
  "compiler/storage/",
  "compiler/rewrite/",
  "compiler/forms/",
  "compiler/fuse/",
  "compiler/lower/",
  "compiler/memory/",
  "compiler/targets/",
  "compiler/tuning/",
  "compiler/passes.ts",
  "compiler/compile.ts",
  "compiler/grad/",
  "compiler/inspect/",
  "compiler/dsl.ts",
  "compiler/op-kit.ts",
  "compiler/index.ts",
  "ops/",
  "runtime/weights/",
  "runtime/devices/",
  "runtime/plan-json.ts",
  "runtime/stored.ts",
  "runtime/session.ts",
  "runtime/training/",
  "runtime/bundle/",
  "runtime/index.ts",
  "runtime/node/",
  "predict/vision/",
  "predict/",
  "predict/node/",
  "adapters/",
  "models/layers.ts",
  "models/sam/",
  "models/",
  "models/node/",
  "merge/",
  "merge/node/",
  "training/losses/",
  "training/settings.ts",
  "training/optimisers/",
  "training/",
  "build/",
  "export/",
  "export/node/",
  "tuning/",
  "explain/",
  "verify/",
  "cli/arguments/",
  "cli/",
  "entries/",
  "bench/",
  "examples/",
  "scripts/",
  "test/",
];

/** Where a file stands: the longest entry of `order` that it lies in, by number; -1 if it lies in none. */
function floorOf(path: string): number {
  const fits = order.filter((unit) => (unit.endsWith("/") ? path.startsWith(unit) : path === unit));
  const longest = fits.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? -1 : order.indexOf(longest);
}

function wrongOrder(file: SourceFile): string[] {
  if (!file.path.includes("/") || !code.test(file.path)) return [];
  const floor = floorOf(file.path);
  if (floor < 0) return [`${file.path}:1: its folder has no place in the order of the house`];
  return importsOf(file)
    .filter(({ target }) => !target.startsWith(":") && floorOf(target) > floor)
    .map(({ line, target }) => {
      const [here, there] = [order[floor], order[floorOf(target)]];
      return `${file.path}:${line}: ${here} may not import ${target}: ${there} stands later in the order`;
    });
}

/**
 * What a folder may import of the folders before it, where that is not all of them, and which packages.
 * Folders that are not here: anything.
 */
const allowed: Readonly<Record<string, { folders: RegExp; packages: RegExp }>> = {
  diagnostics: { folders: /^$/, packages: /^$/ },
  formats: { folders: /^$/, packages: /^$/ },
  compiler: { folders: /^$/, packages: /^$/ },
  ops: { folders: /^compiler\//, packages: /^$/ },
  // runtime/ must run in a browser and without the compiler; runtime/node/ is what needs Node.
  runtime: { folders: /^compiler\/(?:plan|capabilities)\.ts$/, packages: /^$/ },
  "runtime/node": {
    folders: /^runtime\/|^compiler\/(?:plan|capabilities)\.ts$/,
    packages: /.*/,
  },
  predict: { folders: /^runtime\/|^compiler\/plan\.ts$/, packages: /^$/ },
  "predict/node": { folders: /^(?:predict|runtime)\//, packages: /.*/ },
  adapters: { folders: /^(?:compiler|ops)\//, packages: /^$/ },
  models: { folders: /^(?:adapters|compiler|ops|predict|runtime)\//, packages: /^$/ },
  "models/node": { folders: /^(?:models|predict|runtime)\//, packages: /^node:/ },
  merge: { folders: /^(?:adapters|compiler|models|ops|runtime)\//, packages: /^$/ },
  "merge/node": { folders: /^(?:compiler|merge|runtime)\//, packages: /^node:/ },
  training: { folders: /^(?:adapters|compiler|merge|models|ops|runtime)\//, packages: /^$/ },
  export: { folders: /^(?:compiler|ops)\//, packages: /^$/ },
  "export/node": {
    folders: /^(?:build|compiler|export|merge|models|runtime)\//,
    packages: /^node:/,
  },
};

const isAllTests = (path: string) => /^(?:test|examples|bench)\//.test(path);

function importsOfCommandLine(file: SourceFile): string[] {
  if (file.path.startsWith("cli/") || isAllTests(file.path)) return [];
  return importsOf(file)
    .filter(({ target }) => target.startsWith("cli/"))
    .map(({ line, target }) => `${file.path}:${line}: only tests may import ${target}`);
}

/** `inarch --help` loads every command. */
function loadedEarly(file: SourceFile): string[] {
  if (!file.path.startsWith("cli/")) return [];
  return importsOf(file)
    .filter(({ typesOnly, deferred }) => !typesOnly && !deferred)
    .filter(
      ({ target }) =>
        !/^:|^(?:cli|diagnostics|formats)\/|^runtime\/(?:node\/progress|plan-json)\.ts$/.test(
          target,
        ),
    )
    .map(
      ({ line, target }) =>
        `${file.path}:${line}: import(${target}) in \`run\`: inarch --help waits for it`,
    );
}

function forbiddenImports(file: SourceFile): string[] {
  const folder =
    /^(?:export|merge|models|predict|runtime)\/node(?=\/)/.exec(file.path)?.[0] ??
    file.path.split("/", 1)[0]!;
  const rule = allowed[folder];
  if (!rule) return [];
  return importsOf(file)
    .filter(({ target }) =>
      target.startsWith(":")
        ? !rule.packages.test(target.slice(1))
        : !insideOf(folder, target) &&
          !/^(?:diagnostics|formats)\//.test(target) &&
          !rule.folders.test(target),
    )
    .map(
      ({ line, target }) =>
        `${file.path}:${line}: ${folder}/ may not import ${target.replace(/^:/, "")}`,
    );
}

/** runtime/node/ lies in runtime/, but runtime/ may not reach into it. */
const insideOf = (folder: string, target: string) =>
  target.startsWith(`${folder}/`) && !target.startsWith(`${folder}/node/`);

function runtimeFromCompiler(file: SourceFile): string[] {
  if (!/^(?:runtime|predict)\//.test(file.path)) return [];
  return importsOf(file)
    .filter(({ target, typesOnly }) => target.startsWith("compiler/") && !typesOnly)
    .map(({ line, target }) => `${file.path}:${line}: only \`import type\` from ${target}`);
}

interface Import {
  readonly line: number;
  /** A path in the repository, or a package's name after a colon. */
  readonly target: string;
  /** Erased by the compiler, and therefore harmless in a cycle. */
  readonly typesOnly: boolean;
  /** Loaded when the line is reached. */
  readonly deferred: boolean;
}

const statement =
  /^[ \t]*(?:import|export)\b([^;"'`]*?)\bfrom\s*"([^"]+)"|^[ \t]*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

function importsOf({ path, text }: SourceFile): Import[] {
  if (!code.test(path)) return [];
  return [...text.matchAll(statement)].map((match) => {
    const clause = (match[1] ?? "").trim();
    const name = match[2] ?? match[3] ?? match[4]!;
    const names = /^\{(.*)\}$/s.exec(clause)?.[1]?.split(",") ?? ["*"];
    return {
      line: text.slice(0, match.index).split("\n").length,
      target: name.startsWith(".") ? posix.join(posix.dirname(path), name) : `:${name}`,
      typesOnly:
        clause.startsWith("type ") ||
        names.every((one) => one.trim() === "" || one.trim().startsWith("type ")),
      deferred: match[4] !== undefined,
    };
  });
}

/** One finding for each file that can reach itself, at the import that begins the way back. */
function importCycles(files: readonly SourceFile[]): string[] {
  const graph = new Map(
    files.map((file) => [file.path, importsOf(file).filter(({ typesOnly }) => !typesOnly)]),
  );
  const findings: string[] = [];
  const state = new Map<string, "open" | "done">();
  const visit = (path: string, trail: readonly string[]) => {
    state.set(path, "open");
    for (const { target, line } of graph.get(path) ?? []) {
      if (state.get(target) === "open") {
        const loop = [...trail.slice(trail.indexOf(target)), target];
        const start = graph.get(target)!.find((one) => one.target === loop[1])?.line ?? line;
        findings.push(`${target}:${start}: imports itself: ${loop.join(" -> ")}`);
      } else if (!state.has(target)) visit(target, [...trail, target]);
    }
    state.set(path, "done");
  };
  for (const path of graph.keys()) if (!state.has(path)) visit(path, [path]);
  return findings;
}

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
