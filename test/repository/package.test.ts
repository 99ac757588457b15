/**
 * The package as npm packs it, in a folder that has nothing else: what a page needs is there, is small
 * and needs nothing of Node; what needs an optional package says which to install.
 */
import { execFile } from "node:child_process";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPackage, file, node, repository } from "../support/command-line.ts";
import { compiler } from "../support/native.ts";

const folder = mkdtempSync(join(tmpdir(), "inarch-package-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifest = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const optional = Object.keys(manifest.peerDependencies);
const page = project("page");
/** The package's files, as npm installs them. */
const installed = join(page, "node_modules", "inarch");

beforeAll(async () => {
  await buildPackage();
  await npm(repository, "pack", "--ignore-scripts", "--pack-destination", folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  // It depends on nothing, so nothing is fetched.
  await npm(page, "install", "--offline", "--no-audit", "--no-fund", join(folder, tarball));
}, 120_000);

async function npm(cwd: string, ...args: string[]) {
  // Under `npm test` this is the npm that runs us, which need not be the first in PATH.
  const script = process.env.npm_execpath;
  const [command, before] = script?.endsWith("npm-cli.js")
    ? [process.execPath, [script]]
    : [process.platform === "win32" ? "npm.cmd" : "npm", []];
  await promisify(execFile)(command, [...before, ...args], { cwd });
}

function project(name: string): string {
  file(folder, `${name}/package.json`, '{ "type": "module" }');
  return join(folder, name);
}

/** Puts `node_modules` into a project: inarch and these packages. */
function install(where: string, packages: readonly string[]): void {
  const modules = join(where, "node_modules");
  cpSync(installed, join(modules, "inarch"), { recursive: true });
  for (const name of packages)
    symlinkSync(join(repository, "node_modules", name), join(modules, name), "junction");
}

const filesOf = (where: string) =>
  readdirSync(where, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const entries = [
  ...["", "/adapters", "/cpu", "/metrics", "/models", "/onnx"],
  ...["/ops", "/page", "/runtime", "/training"],
];
const importAll = entries
  .map((entry) => `export * as entry${entry.replace("/", "_")} from "inarch${entry}";`)
  .join("\n");

describe("for a page", () => {
  test("is all that npm installs, and takes at most 5 MB", () => {
    const modules = join(page, "node_modules");
    expect(readdirSync(modules).filter((name) => !name.startsWith("."))).toEqual(["inarch"]);
    const bytes = filesOf(modules).reduce((sum, path) => sum + statSync(path).size, 0);
    expect(bytes).toBeLessThan(5e6);
  });

  test("holds what is compiled, and no benchmarks", () => {
    const dist = join(installed, "dist");
    expect(filesOf(dist).filter((path) => !/\.(?:js|d\.ts)$/.test(path))).toEqual([]);
    expect(readdirSync(dist)).not.toContain("bench");
  });

  test("bundles without anything of Node, and loads where text cannot become code", async () => {
    const { metafile } = await build({
      stdin: { contents: `${importAll}\n${useOfPage}`, resolveDir: page },
      outfile: join(page, "page.js"),
      absWorkingDir: page,
      bundle: true,
      platform: "browser",
      format: "esm",
      metafile: true,
      logLevel: "silent",
    });
    expect(metafile.outputs["page.js"]!.imports).toEqual([]);
    const others = Object.keys(metafile.inputs).filter(
      (path) => !path.startsWith("node_modules/inarch/dist/"),
    );
    expect(others).toEqual(["<stdin>"]);
    file(page, "open.js", openPage);
    const args = ["--disallow-code-generation-from-strings", "open.js"];
    const { stdout, stderr } = await node(args, page);
    expect(stderr).toBe("");
    expect(stdout).toBe("wgsl 1 EvalError\n");
  });

  test.each([
    ["a page", importAll, []],
    [
      "Node",
      'export * as server from "inarch/node";\nexport * as study from "inarch/study";',
      ["node"],
    ],
  ])("has types for %s that need those of no other package", async (_, text, types) => {
    const compilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: false, target: "es2022", module: "nodenext" },
      ...{ lib: ["es2023", "dom"], types, typeRoots: [join(repository, "node_modules", "@types")] },
    };
    file(page, "types.ts", text);
    file(page, "tsconfig.json", JSON.stringify({ compilerOptions, files: ["types.ts"] }));
    const tsc = join(repository, "node_modules", "typescript", "bin", "tsc");
    expect((await node([tsc, "-p", page], page)).stdout).toBe("");
  });
});

/** Compiles as a page does, and says what it cannot do. */
const useOfPage = `
  import { compile, input, trace } from "inarch";
  import { relu } from "inarch/ops";
  export const plan = () => compile(trace(() => ({ y: relu(input("x", "f32", [4])) }), {}), { target: "wgsl" });
`;

const openPage = `
  const print = console.log;
  for (const name of ["process", "Buffer", "global", "setImmediate"]) delete globalThis[name];
  const { plan } = await import("./page.js");
  const { target, kernels } = plan();
  try {
    new Function("");
  } catch (error) {
    print(target, kernels.length, error.name);
  }
`;

const fixture = (name: string) => join(repository, "test", "fixtures", name);
const graphFile = "model.graph.ts";
const sam = ["--weights", fixture("sam_nano.pth"), "--config", fixture("sam_nano.config.json")];
const scene = fixture("scene.png");
const webgpu = ["--device", "webgpu"];

/** What cannot be done without a package: command lines, and calls of what `inarch/node` and `inarch/study` export. */
const without: Readonly<Record<string, { commands: string[][]; calls: string[] }>> = {
  webgpu: {
    commands: [
      ["segment", scene, ...sam, "--point", "8,8", "--out", "masks", ...webgpu],
      ["tune", "sam-vit-b", ...webgpu],
      ["verify", fixture("conv_lora.safetensors"), ...webgpu],
    ],
    calls: ['openDevice({ kind: "webgpu" })', "requestGpu()", "requestNullGpu()"],
  },
  sharp: {
    commands: [["segment", scene, ...sam, "--point", "8,8", "--out", "masks"]],
    calls: [
      `readImage(${JSON.stringify(scene)})`,
      'writePng("a.png", { width: 1, height: 1, channels: 3, data: new Uint8Array(3) })',
      'writePng("a.png", { width: 1, height: 1, data: new Uint8Array(1) })',
    ],
  },
  esbuild: {
    commands: [
      ["show", graphFile],
      ["explain", graphFile],
      ["plan", graphFile],
      ["build", graphFile, "--out", "built"],
      ["tune", graphFile],
      ["export", graphFile, "--onnx", "model.onnx", "--weights-as-inputs"],
      ["merge", graphFile, "--weights", "a", "--weights", "b", "-o", "c"],
    ],
    calls: [],
  },
  geotiff: {
    commands: [],
    calls: ['openRaster("field.tif")'],
  },
  koffi: {
    commands: [],
    // Without a C compiler that is said first, and to install it.
    calls: compiler ? ['openDevice({ kind: "native" })'] : [],
  },
  yaml: {
    commands: [],
    calls: ['openSet({ format: "yolo", file: "data.yaml" })'],
  },
};

test("every optional package is one of these", () => {
  expect(Object.keys(without).sort()).toEqual([...optional].sort());
});

describe.each(Object.entries(without))("without %s", (missing, { commands, calls }) => {
  const app = project(`without-${missing}`);
  beforeAll(() => {
    install(
      app,
      optional.filter((name) => name !== missing),
    );
    cpSync(join(repository, "examples", "01-mlp.graph.ts"), join(app, graphFile));
  });
  const words = new RegExp(
    `error\\[E400\\] the npm package ${missing}, .* is not installed\n  help: npm install ${missing}\n`,
  );

  test.each(commands.map((args) => [args[0], args] as const))("%s says so", async (_, args) => {
    const script = join(app, "node_modules", "inarch", "dist", "cli", "main.js");
    const { code, stdout, stderr } = await node([script, ...args], app);
    expect(stdout + stderr).toMatch(words);
    expect(code).toBe(3);
  });

  test.each(calls)("%s says so", async (call) => {
    const name = call.startsWith("openSet") ? "study" : "node";
    const lines = `import * as entry from "inarch/${name}";
      await entry.${call}.catch(({ message }) => console.log(message));`;
    const { stdout } = await node(["--input-type=module", "-e", lines], app);
    expect(stdout).toMatch(words);
  });
});

test("with nothing else, models compute on the processor", async () => {
  const app = project("with-nothing");
  install(app, []);
  const script = join(app, "node_modules", "inarch", "dist", "cli", "main.js");
  const args = ["verify", fixture("resample.safetensors")];
  const noDriver = { VK_DRIVER_FILES: join(app, "none.json") };
  const { code, stdout, stderr } = await node([script, ...args], app, noDriver);
  expect(stderr).toMatch(/^on cpu \(processor/m);
  expect(stdout).toContain("0 past their tolerance");
  expect(code).toBe(0);
});

test("with esbuild alone, models are built from files", async () => {
  const app = project("with-esbuild");
  install(app, ["esbuild"]);
  cpSync(join(repository, "examples", "01-mlp.graph.ts"), join(app, graphFile));
  const script = join(app, "node_modules", "inarch", "dist", "cli", "main.js");
  expect(await node([script, "build", graphFile, "--out", "built"], app)).toMatchObject({
    code: 0,
  });
});
