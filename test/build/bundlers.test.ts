/** What `inarch build` writes goes through bundlers as it is: the same bytes of weights, one module of a profile. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build as esbuild } from "esbuild";
import { createServer, build as vite } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import webpack from "webpack";
import {
  buildPackage,
  file,
  inarch,
  installRuntime,
  node,
  repository,
  scratchFolder,
} from "../support/command-line.ts";
import { mlp, mlpCheckpoint } from "../support/mlp.ts";

const folder = scratchFolder("bundlers");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  writeFileSync(join(folder, "mlp.safetensors"), mlpCheckpoint());
  for (const [out, ...flags] of [["mlp"], ["alone", "--standalone"], ["again", "--standalone"]])
    expect(
      await inarch(["build", mlp, "--weights", "mlp.safetensors", "--out", out!, ...flags], folder),
    ).toMatchObject({ code: 0 });
  file(folder, "main.js", use);
  file(folder, "index.html", '<!doctype html><script type="module" src="./main.js"></script>');
});

/** The app: on the processor, so that it runs in Node as well. */
const use = `
import { cpuDevice } from "inarch/cpu";
import { load } from "./mlp/tiny-mlp.mjs";
export async function run() {
  const device = cpuDevice({ threads: 1 });
  const model = await load(device);
  const { y } = await model.forward({ x: Array.from({ length: 256 }, (_, i) => Math.sin(i)) });
  await model.close();
  device.destroy();
  return { y: [...y], profile: model.profile };
}
globalThis.result = run();
`;

/** What the module prints that holds the result, in a process of its own. */
async function result(module: string) {
  const url = JSON.stringify(pathToFileURL(module).href);
  const lines = `await import(${url}); console.log(JSON.stringify(await globalThis.result));`;
  const { code, stdout, stderr } = await node(["--input-type=module", "-e", lines], folder);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

const weightsIn = (name: string) =>
  readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith(".safetensors"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));

const original = () => weightsIn("mlp")[0]!;

test("in Node it runs as it is", async () => {
  expect(await result(join(folder, "main.js"))).toMatchObject({ profile: "wasm" });
});

describe("Vite", () => {
  test("builds it: weights are copied, and each profile is a chunk", async () => {
    const outDir = join(folder, "vite-out");
    const warnings: string[] = [];
    await vite({
      ...{ root: folder, configFile: false, logLevel: "silent", base: "./" },
      build: {
        ...{ outDir, emptyOutDir: true, target: "es2022", modulePreload: false },
        rollupOptions: { onwarn: ({ message }) => warnings.push(message) },
      },
    });
    expect(warnings).toEqual([]);
    expect(weightsIn("vite-out")).toEqual([original()]);
    const scripts = readdirSync(join(outDir, "assets")).filter((name) => name.endsWith(".js"));
    for (const profile of ["default", "subgroups", "wasm"])
      expect(scripts.filter((name) => name.startsWith(`tiny-mlp-${profile}`))).toHaveLength(1);
    const main = scripts.find((name) => name.startsWith("index"))!;
    expect(await result(join(outDir, "assets", main))).toEqual(
      await result(join(folder, "main.js")),
    );
  });

  test("serves it in development, and its weights beside it", async () => {
    const server = await createServer({
      ...{ root: folder, configFile: false, logLevel: "silent", cacheDir: join(folder, ".vite") },
      server: { port: 0, host: "127.0.0.1" },
    });
    await server.listen();
    const [origin] = server.resolvedUrls!.local;
    const module = new URL("mlp/tiny-mlp.mjs", origin);
    const text = await fetch(module).then((one) => one.text());
    // As the page will work it out.
    const [, address] = /new URL\("([^"]*weights[^"]*)", .*import\.meta\.url\)/.exec(text)!;
    const answer = await fetch(new URL(address!, module));
    const bytes = Buffer.from(await answer.arrayBuffer());
    await server.close();
    expect(bytes.equals(original())).toBe(true);
  });
});

test("webpack builds it: weights are copied, and each profile is a chunk", async () => {
  const out = join(folder, "webpack-out");
  const stats = await new Promise<webpack.Stats>((resolve, reject) => {
    webpack(
      {
        ...{ context: folder, entry: "./main.js", mode: "production", target: ["web", "es2022"] },
        output: { path: out, module: true, filename: "main.mjs", chunkFilename: "[name].mjs" },
        experiments: { outputModule: true },
        performance: false,
      },
      (error, stats) => (stats ? resolve(stats) : reject(error)),
    );
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  expect([errors, warnings]).toEqual([[], []]);
  expect(weightsIn("webpack-out")).toEqual([original()]);
  expect(readdirSync(out).filter((name) => name.endsWith(".mjs")).length).toBeGreaterThanOrEqual(4);
  expect(await result(join(out, "main.mjs"))).toEqual(await result(join(folder, "main.js")));
});

test("esbuild builds it, and weights are copied by hand", async () => {
  const outdir = join(folder, "esbuild-out");
  const { warnings } = await esbuild({
    ...{ absWorkingDir: folder, entryPoints: ["main.js"], outdir, bundle: true, minify: true },
    ...{ format: "esm", splitting: true, platform: "browser", outExtension: { ".js": ".mjs" } },
    logLevel: "silent",
  });
  expect(warnings).toEqual([]);
  for (const name of readdirSync(join(folder, "mlp")).filter((one) => one.startsWith("weights-")))
    cpSync(join(folder, "mlp", name), join(outdir, name));
  expect(await result(join(outdir, "main.mjs"))).toEqual(await result(join(folder, "main.js")));
});

describe("a standalone module", () => {
  const names = () => readdirSync(join(folder, "alone"));

  test("is the same bytes every time", () => {
    expect(readdirSync(join(folder, "again"))).toEqual(names());
    for (const name of names())
      expect(
        readFileSync(join(folder, "again", name)).equals(readFileSync(join(folder, "alone", name))),
        name,
      ).toBe(true);
  });

  test("imports nothing that does not lie beside it, and tells no path of the machine", () => {
    for (const name of names().filter((one) => one.endsWith(".mjs"))) {
      const text = readFileSync(join(folder, "alone", name), "utf8");
      const imports = [...text.matchAll(/(?:from|import\()"([^"]+)"/g)].map(([, path]) => path!);
      for (const path of imports) expect(names(), name).toContain(basename(path));
      expect(text).not.toContain(repository);
    }
  });

  test("runs without the package, and has openDevice", async () => {
    // Where no package is found.
    const away = join(folder, "..", `${basename(folder)}-away`);
    cpSync(join(folder, "alone"), away, { recursive: true });
    const lines = `import { load, openDevice } from "./tiny-mlp.mjs";
      const { device, kind } = await openDevice();
      const model = await load(device);
      const { y } = await model.forward({ x: Array.from({ length: 256 }, (_, i) => Math.sin(i)) });
      console.log(JSON.stringify({ y: [...y], profile: model.profile }));
      process.exit(0);`;
    file(away, "run.mjs", lines);
    const { code, stdout, stderr } = await node(["run.mjs"], away);
    rmSync(away, { recursive: true });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual(await result(join(folder, "main.js")));
  });

  test("E511 for a loader that is nowhere", async () => {
    const text = `import { defineModel, input } from "inarch";
      export default defineModel({ name: "odd", build: () => ({ y: input("x", "f32", [2]) }),
        bundle: { loader: { module: "no-such-host", load: "load", type: "Odd" } } });`;
    file(folder, "odd.graph.ts", text);
    const { code, stderr } = await inarch(
      ["build", "odd.graph.ts", "--out", "odd", "--standalone"],
      folder,
    );
    expect([code, stderr]).toEqual([1, expect.stringMatching(/E511.*no-such-host/s)]);
  });
});

test("importing it touches nothing of a browser, so that a server can", async () => {
  const lines = `
    const names = ["fetch", "navigator", "location", "document", "window", "Worker", "crypto", "Blob"];
    for (const name of names)
      Object.defineProperty(globalThis, name, { get() { throw new Error("reads " + name); } });
    const { load, bundle } = await import("./mlp/tiny-mlp.mjs");
    const alone = await import("./alone/tiny-mlp.mjs");
    console.log(typeof load, bundle.profiles.length, typeof alone.openDevice);
    process.exit(0);`;
  const { stdout, stderr } = await node(["--input-type=module", "-e", lines], folder);
  expect([stdout, stderr]).toEqual(["function 3 function\n", ""]);
});

test("its module runs from an address that holds its own text", async () => {
  const { outputFiles } = await esbuild({
    ...{ absWorkingDir: folder, entryPoints: ["mlp/tiny-mlp.mjs"], bundle: true, write: false },
    ...{ format: "esm", platform: "browser", minify: true, external: ["./tiny-mlp-*"] },
  });
  const text = outputFiles[0]!.text;
  const url = `data:text/javascript;base64,${Buffer.from(text).toString("base64")}`;
  const { bundle } = await import(/* @vite-ignore */ url);
  expect(bundle.name).toBe("tiny-mlp");
});
