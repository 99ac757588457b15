/** `inarch build --profiles wasm`: a bundle for processors, in Node and in pages of every kind. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readable } from "../../compiler/targets/target.ts";
import { openBundle } from "../../runtime/bundle/bundle.ts";
import { cpuDevice } from "../../runtime/devices/cpu.ts";
import { relativeError } from "../../verify/ops/evaluate.ts";
import {
  buildPackage,
  file,
  inarch,
  installRuntime,
  node,
  scratchFolder,
} from "../support/command-line.ts";
import { mlp, mlpCheckpoint, mlpNumbers, mlpResult } from "../support/mlp.ts";

const folder = scratchFolder("wasm-bundle");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await buildPackage();
  installRuntime(folder);
  const weights = join(folder, "mlp.safetensors");
  writeFileSync(weights, mlpCheckpoint());
  const flags = ["--profiles", "wasm", "--weights", weights, "--out", "mlp"];
  expect(await inarch(["build", mlp, ...flags], folder)).toMatchObject({ code: 0 });
});

const use = `
import { cpuDevice } from "inarch/cpu";
import { load } from "./mlp/tiny-mlp.mjs";
export async function run(x, options) {
  const device = cpuDevice(options);
  const model = await load(device);
  const results = [];
  for (let i = 0; i < 3; i++) results.push([...(await model.forward({ x })).y]);
  await globalThis.haveBegun?.();
  await model.close();
  device.destroy();
  return results[2];
}
`;

const plansIn = async () => {
  const { bundle } = await import(
    /* @vite-ignore */ pathToFileURL(join(folder, "mlp/tiny-mlp.mjs")).href
  );
  return openBundle(bundle, cpuDevice({ threads: 1 }));
};

test("kernels are modules in lanes, for the limits that every processor has", async () => {
  const { profile, plans } = await plansIn();
  expect([profile, plans.forward!.target, plans.forward!.profile]).toEqual([
    "wasm",
    "wasm",
    "processor",
  ]);
  for (const { source, threads } of plans.forward!.kernels) {
    expect([...source.slice(0, 4)]).toEqual([0, 97, 115, 109]);
    // A workgroup is one vector.
    expect(threads).toEqual([4, 1, 1]);
  }
});

test("they are those that inarch show prints", async () => {
  const { stdout } = await inarch(["show", mlp, "--stage", "wasm"], folder);
  const { plans } = await plansIn();
  expect(plans.forward!.kernels.length).toBeGreaterThan(0);
  for (const { source } of plans.forward!.kernels) expect(stdout).toContain(readable(source));
});

test("it runs in Node, where the compiler is absent, with one thread and with several", async () => {
  file(folder, "use.js", use);
  const lines = `import { run } from "./use.js";
    const x = ${JSON.stringify(mlpNumbers.x)};
    console.log(JSON.stringify([await run(x, { threads: 1 }), await run(x, { threads: 3 }), await run(x)]));`;
  const { code, stdout, stderr } = await node(["--input-type=module", "-e", lines], folder);
  expect(code, stderr).toBe(0);
  const [one, three, usual] = JSON.parse(stdout);
  expect(relativeError(one, await mlpResult())).toBeLessThan(1e-5);
  expect([three, usual]).toEqual([one, one]);
});

describe("in a page", () => {
  const bundled = async (options: BuildOptions) =>
    (
      await bundle({
        stdin: { contents: use, resolveDir: folder },
        absWorkingDir: folder,
        bundle: true,
        write: false,
        platform: "browser",
        // Where the page has the bundle from.
        define: { "import.meta.url": '"http://page/mlp/tiny-mlp.mjs"' },
        ...options,
      })
    ).outputFiles![0]!.contents;

  test("the device is small, and needs nothing of Node", async () => {
    const contents = 'export { cpuDevice } from "inarch/cpu";';
    const stdin = { contents, resolveDir: folder };
    const bytes = await bundled({ stdin, format: "esm", minify: true });
    expect(gzipSync(bytes).length).toBeLessThan(10 * 1024);
  });

  test.each([
    ["isolated from other origins: worker threads help", "", 2],
    ["not isolated: one thread", "delete globalThis.SharedArrayBuffer;", 0],
  ])("%s", async (_, before, workers) => {
    // What workers run is the text of a function: it stands by itself however it was bundled.
    const bytes = await bundled({ format: "esm", minify: true, keepNames: true });
    file(folder, "page.js", Buffer.from(bytes).toString());
    file(folder, "stand-in.js", standIn(before));
    const { code, stdout, stderr } = await node(["stand-in.js"], folder);
    expect(code, stderr).toBe(0);
    const [results, begun] = JSON.parse(stdout);
    expect(relativeError(results, await mlpResult())).toBeLessThan(1e-5);
    expect(begun).toBe(workers);
  });

  test("whose policy forbids WebAssembly: E480, with what to write there", async () => {
    const bytes = await bundled({ format: "iife", globalName: "app", minify: true });
    const codeGeneration = { strings: false, wasm: false };
    const page = createContext({ URL }, { codeGeneration });
    const call = "let words; app.run([], {}).catch((error) => { words = error.message; });";
    runInContext(`${Buffer.from(bytes).toString()}; ${call}`, page);
    await new Promise((resolve) => setTimeout(resolve));
    expect(runInContext("words", page)).toMatch(/E480.*'wasm-unsafe-eval' to script-src/s);
  });
});

/** A page as far as the device sees one: a server, workers made of blobs, and nothing of Node. */
const standIn = (before: string) => `
  import { resolveObjectURL } from "node:buffer";
  import { readFileSync } from "node:fs";
  import { Worker as Thread } from "node:worker_threads";
  const print = console.log;
  const exit = process.exit.bind(process);
  const names = ["process", "Buffer", "global", "setImmediate"];
  let [started, begun] = [0, 0];
  globalThis.haveBegun = async () => {
    for (let i = 0; begun < started && i < 2000; i++) await new Promise((go) => setTimeout(go, 10));
  };
  const inWorker = \`
    const { parentPort } = require("node:worker_threads");
    globalThis.postMessage = (message) => parentPort.postMessage(message);
    parentPort.on("message", (data) => globalThis.onmessage({ data }));
    for (const name of \${JSON.stringify(names)}) delete globalThis[name];
  \`;
  class Worker {
    constructor(url) {
      started++;
      this.thread = resolveObjectURL(url).text().then((text) => {
        const thread = new Thread(inWorker + text, { eval: true });
        thread.on("message", (data) => {
          begun++;
          this.onmessage({ data });
        });
        thread.on("error", ({ message }) => this.onerror({ message }));
        return thread;
      });
    }
    postMessage(message) { this.thread.then((thread) => thread.postMessage(message)); }
    terminate() { this.thread.then((thread) => thread.terminate()); }
  }
  const navigator = { hardwareConcurrency: 3 };
  for (const [name, value] of Object.entries({ Worker, navigator }))
    Object.defineProperty(globalThis, name, { value, configurable: true });
  globalThis.location = { href: "http://page/" };
  const answer = (url) => new Blob([readFileSync("." + new URL(url).pathname)]);
  globalThis.fetch = async (url) => ({ ok: true, headers: new Map(), body: answer(url).stream() });
  for (const name of names) delete globalThis[name];
  ${before}
  const { run } = await import("./page.js");
  print(JSON.stringify([await run(${JSON.stringify(mlpNumbers.x)}), begun]));
  exit(0);
`;
