/**
 * What imports what: the order of the house, and the rules about imports. A rule is a function from files
 * to findings, each with file and line.
 */
import { posix } from "node:path";

export interface SourceFile {
  /** From the top of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const code = /\.(?:ts|mjs)$/;

/**
 * The order of the house, from the ground up: what stands here may import what stands above it in this
 * list, types included, and nothing below. A folder holds its subfolders unless they are listed; files
 * are listed where a folder's own files stand on different floors.
 */
const order: readonly string[] = [
  "diagnostics/",
  "formats/",
  // What a graph is made of, what a plan is, what a device offers, what a kernel is, what an op is.
  "compiler/graph/shapes.ts",
  "compiler/graph/tensor.ts",
  "compiler/graph/init.ts",
  "compiler/plan.ts",
  "compiler/capabilities.ts",
  "compiler/profile.ts",
  "compiler/device-model.ts",
  "compiler/turns.ts",
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
  "compiler/tile/",
  "compiler/passes.ts",
  "compiler/options.ts",
  "compiler/compile.ts",
  "compiler/grad/",
  "compiler/inspect/",
  "compiler/dsl.ts",
  "compiler/op-kit.ts",
  "compiler/index.ts",
  "ops/",
  "runtime/late.ts",
  "runtime/weights/",
  "runtime/devices/",
  "runtime/plan-json.ts",
  "runtime/unknown-format.ts",
  "runtime/plan-fields.ts",
  "runtime/check-plan.ts",
  "runtime/checked.ts",
  "runtime/stored.ts",
  "runtime/states.ts",
  "runtime/held-states.ts",
  "runtime/calls.ts",
  "runtime/restoring.ts",
  "runtime/inputs.ts",
  "runtime/parameters.ts",
  "runtime/undo.ts",
  "runtime/placement.ts",
  "runtime/switching.ts",
  "runtime/runs.ts",
  "runtime/session.ts",
  "runtime/training/",
  "runtime/programs.ts",
  "runtime/bundle/",
  "runtime/index.ts",
  "runtime/node/",
  "runtime/page/",
  "predict/vision/",
  "predict/",
  "predict/node/",
  "predict/page/",
  "adapters/",
  "models/layers.ts",
  "models/sam/",
  "models/",
  "models/node/",
  "merge/",
  "merge/node/",
  "training/settings.ts",
  "training/whole-batch.ts",
  "training/losses/",
  "training/optimisers/",
  "training/",
  "training/node/",
  "build/",
  "export/",
  "export/node/",
  // Pages of HTML are written by the report of a run, and by the explainer.
  "explain/html.ts",
  "explain/style.ts",
  // Metrics stand before verify/, which compares them with what was published.
  "study/metrics/",
  "study/data/",
  "study/data/node/",
  "study/train/",
  "study/report/",
  "study/grid/",
  "study/train/node/",
  "study/grid/node/",
  "study/predict/",
  "study/predict/node/",
  "study/",
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

export function wrongOrder(file: SourceFile): string[] {
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
  "training/node": { folders: /^(?:compiler|runtime|training)\//, packages: /^node:/ },
  export: { folders: /^(?:compiler|ops)\//, packages: /^$/ },
  "export/node": {
    folders: /^(?:build|compiler|export|merge|models|runtime)\//,
    packages: /^node:/,
  },
  // Metrics are of maps and counts, so that pages and other programs can use them.
  "study/metrics": { folders: /^$/, packages: /^$/ },
  "study/data": { folders: /^predict\/vision\//, packages: /^$/ },
  "study/data/node": { folders: /^(?:predict|runtime|study\/data)\//, packages: /.*/ },
  "study/report": {
    folders: /^(?:explain\/(?:html|style)\.ts$|predict\/vision\/|study\/)/,
    packages: /^$/,
  },
  "study/grid": { folders: /^(?:explain\/(?:html|style)\.ts$|models|study)\/?/, packages: /^$/ },
  "study/grid/node": { folders: /^(?:runtime|study)\//, packages: /^node:/ },
  "study/train": { folders: /^(?:compiler|models|ops|runtime|study|training)\//, packages: /^$/ },
  "study/predict": { folders: /^(?:predict\/vision|study)\//, packages: /^$/ },
  "study/predict/node": {
    folders: /^(?:compiler|models|predict|runtime|study|training)\//,
    packages: /.*/,
  },
  "study/train/node": {
    folders: /^(?:compiler|models|predict|runtime|study|training)\//,
    packages: /^(?:node:|koffi$)/,
  },
};

const isAllTests = (path: string) => /^(?:test|examples|bench)\//.test(path);

export function importsOfCommandLine(file: SourceFile): string[] {
  if (file.path.startsWith("cli/") || isAllTests(file.path)) return [];
  return importsOf(file)
    .filter(({ target }) => target.startsWith("cli/"))
    .map(({ line, target }) => `${file.path}:${line}: only tests may import ${target}`);
}

/** `inarch --help` loads every command. */
export function loadedEarly(file: SourceFile): string[] {
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

export function forbiddenImports(file: SourceFile): string[] {
  const folder =
    /^(?:(?:export|merge|models|predict|runtime|training|study\/(?:data|grid|predict|train))\/node|study\/\w+)(?=\/)/.exec(
      file.path,
    )?.[0] ?? file.path.split("/", 1)[0]!;
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

export function runtimeFromCompiler(file: SourceFile): string[] {
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
export function importCycles(files: readonly SourceFile[]): string[] {
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
